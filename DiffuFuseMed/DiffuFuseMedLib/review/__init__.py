"""The reader's worklist: where a prediction may be wrong, worst first, and what was decided about each region."""

from .decisions import STATUSES, Decision, Progress
from .ranking import with_reasons, worklist
from .regions import Region, Worklist
from .review import Review

__all__ = ["STATUSES", "Decision", "Progress", "Region", "Review", "Worklist", "with_reasons", "worklist"]
