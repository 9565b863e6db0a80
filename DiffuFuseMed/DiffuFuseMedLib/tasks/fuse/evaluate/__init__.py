"""Fusion over many pairs or cases, under many conditions, with the trivial fusions beside it."""

from .cases import CaseSubject, case_folders
from .conditions import AS_REGISTERED, Condition, ablations, main_condition, sweep
from .pictures import PictureSubject, picture_subjects
from .record import record_of
from .run import Evaluated, Row, evaluate, seen_in_training
from .tables import AIMS, Group, Mean, aims, groups, mean_rows

__all__ = [
    "AIMS",
    "AS_REGISTERED",
    "CaseSubject",
    "Condition",
    "Evaluated",
    "Group",
    "Mean",
    "PictureSubject",
    "Row",
    "ablations",
    "aims",
    "case_folders",
    "evaluate",
    "groups",
    "main_condition",
    "mean_rows",
    "picture_subjects",
    "record_of",
    "seen_in_training",
    "sweep",
]
