"""Files of unknown origin, read in a process of its own: what they do to it they do to nobody else."""

from .limits import Limits
from .reader import ReaderApart

__all__ = ["Limits", "ReaderApart"]
