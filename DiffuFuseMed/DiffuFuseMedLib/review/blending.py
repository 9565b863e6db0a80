"""Blending: an outline taken inside a region, and led over into the lesion around it without a step at the rim.

Signed distances of both are mixed (shape interpolation: Raya and Udupa, IEEE TMI 1990, 9(1), 32-42): the outline's
alone in the region, the lesion's alone from REACH_MM outside it on, and between them one border moves to the other.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from .reach import REACH_MM, Spacing, reach


class Rim:
    """Where outlines of one region meet one lesion. lesion, region: bool [k, j, i] of a box that ends at the image or
    twice REACH_MM around the region; where: bool of that box, nothing changes beyond it."""

    def __init__(self, lesion: np.ndarray, region: np.ndarray, spacing_kji_mm: Spacing) -> None:
        self._lesion, self._region, self._spacing = lesion, region, spacing_kji_mm
        self.where = reach(region, spacing_kji_mm)
        self._none, self._all = not region.any(), bool(region.all())
        if not (self._none or self._all):
            away_mm = distance_transform_edt(~region, sampling=spacing_kji_mm)
            self._weight = np.clip(1 - away_mm / REACH_MM, 0, 1)
            self._rest = (1 - self._weight) * _signed_mm(lesion, spacing_kji_mm)

    def blended(self, outline: np.ndarray) -> np.ndarray:
        """The lesion with the outline, bool of the box, in the region."""
        if self._none or self._all:
            return self._lesion.copy() if self._none else outline.copy()
        mixed = self._weight * _signed_mm(outline, self._spacing) + self._rest
        return np.where(self.where, np.where(self._region, outline, mixed < 0), self._lesion)


def _signed_mm(mask: np.ndarray, spacing_kji_mm: Spacing) -> np.ndarray:
    """Distance to the border in mm, below zero inside, no farther than REACH_MM: what is far off decides nothing."""
    if mask.all() or not mask.any():
        return np.full(mask.shape, -REACH_MM if mask.any() else REACH_MM)
    outside, inside = (distance_transform_edt(m, sampling=spacing_kji_mm) for m in (~mask, mask))
    return np.clip(outside - inside, -REACH_MM, REACH_MM)
