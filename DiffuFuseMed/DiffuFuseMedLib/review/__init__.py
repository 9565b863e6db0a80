"""The reader's worklist: where a prediction may be wrong, worst first, and what was decided about each region."""

from .choices import Choice, choices_at, choices_in
from .decisions import STATUSES, Decision, Progress
from .parts import Parts, parts_of
from .ranking import with_reasons, worklist
from .reach import REACH_MM, Places, reach
from .reasons import SAMPLES_WITHOUT
from .regions import Region, Worklist
from .review import EDITED, Review

__all__ = [
    "EDITED",
    "REACH_MM",
    "SAMPLES_WITHOUT",
    "STATUSES",
    "Choice",
    "Decision",
    "Parts",
    "Places",
    "Progress",
    "Region",
    "Review",
    "Worklist",
    "choices_at",
    "choices_in",
    "parts_of",
    "reach",
    "with_reasons",
    "worklist",
]
