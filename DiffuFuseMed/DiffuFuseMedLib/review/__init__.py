"""The reader's worklist: where a prediction may be wrong, worst first, and what was decided about each region."""

from .choices import Choice, choices_at
from .decisions import STATUSES, Decision, Progress
from .ranking import with_reasons, worklist
from .reach import REACH_MM, Places, reach
from .reasons import SAMPLES_WITHOUT
from .regions import Region, Worklist
from .review import Review

__all__ = [
    "REACH_MM",
    "SAMPLES_WITHOUT",
    "STATUSES",
    "Choice",
    "Decision",
    "Places",
    "Progress",
    "Region",
    "Review",
    "Worklist",
    "choices_at",
    "reach",
    "with_reasons",
    "worklist",
]
