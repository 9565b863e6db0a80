"""Decision and Progress: what a reader did about one region, and how far the list is done."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ..core.errors import input_error

STATUSES = ("open", "accepted", "corrected", "skipped")


@dataclass(frozen=True)
class Decision:
    """status: one of STATUSES, "open" for one that was taken back; seconds: spent on the region, all visits together;
    changed_voxels, changed_mm3: edited while at it, all visits together, mm3 positive where lesion was added; at: ISO
    time in UTC; left: a digest of the region's voxels as the decision left them, "" when unknown; taken: where the
    outline comes from that was taken for the region, in words, "" when none was.
    Raises InputError for values that cannot be.
    """

    region_id: int
    status: str
    seconds: float
    changed_voxels: int
    changed_mm3: float
    at: str
    left: str = ""
    taken: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise input_error(f"the status {self.status!r}", f"one of {', '.join(STATUSES)}", "choose one of these")
        numbers = (self.seconds, self.changed_mm3)
        if self.region_id < 1 or self.changed_voxels < 0 or self.seconds < 0 or not all(map(math.isfinite, numbers)):
            raise input_error("a decision with impossible numbers", "what a review wrote", "review the region again")
        if datetime.fromisoformat(self.at).utcoffset() is None:
            raise input_error("a decision without a time zone", "an ISO time in UTC", "review the region again")


@dataclass(frozen=True)
class Progress:
    """done: regions accepted or corrected, skipped: those passed over, count: all; share: from 0 to 1, the expected
    error of the done ones among all that is uncertain, the voxels left over included; 1 when nothing is.
    """

    done: int
    skipped: int
    count: int
    share: float


def digest(mask: np.ndarray, region: np.ndarray) -> str:
    """What the bool mask says in the voxels of the bool region, as a hash that changes with any of them."""
    return hashlib.sha256(np.packbits(mask[region]).tobytes()).hexdigest()
