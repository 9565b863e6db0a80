"""Rois: the three regions that fusion treats differently, and how each of them was made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

REGIONS = ("head", "body")
NAMES = ("soft", "bone", "lesion", "inside")


@dataclass(frozen=True)
class Rois:
    """soft, bone, lesion, inside: bool, all [k, j, i] or all [j, i]; region: "head" or "body".

    inside is the head or body; soft and bone are disjoint and lie inside; in a head, soft is the brain, so that scalp,
    face and air are neither. lesion lies inside too and may overlap either. source: for each of "soft", "bone",
    "lesion", "inside", one sentence on how it was made.
    """

    soft: np.ndarray
    bone: np.ndarray
    lesion: np.ndarray
    inside: np.ndarray
    region: str
    source: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        masks = (self.soft, self.bone, self.lesion, self.inside)
        if any(m.dtype != bool or m.shape != self.inside.shape for m in masks):
            raise ValueError(f"masks of {[(str(m.dtype), m.shape) for m in masks]}, wanted bool of one shape")
        if (self.soft & self.bone).any() or ((self.soft | self.bone | self.lesion) & ~self.inside).any():
            raise ValueError("soft and bone must be disjoint, and soft, bone and lesion must lie inside")
        if self.region not in REGIONS:
            raise ValueError(f"region {self.region!r}, wanted one of {REGIONS}")

    def at(self, index: int | slice) -> Rois:
        """One slice along the first axis, or several."""
        return replace(self, **{name: getattr(self, name)[index] for name in NAMES})
