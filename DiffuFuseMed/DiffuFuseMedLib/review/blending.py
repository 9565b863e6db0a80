"""Blending: an outline taken inside a region, and led over into the lesion around it without a step at the rim.

Signed distances of both are mixed (shape interpolation: Raya and Udupa, IEEE TMI 1990, 9(1), 32-42): the outline's
alone in the region, the lesion's alone from REACH_MM outside it on, and between them one border moves to the other.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from .reach import REACH_MM, reach


def blended(
    lesion: np.ndarray, outline: np.ndarray, region: np.ndarray, spacing_kji_mm: tuple[float, float, float]
) -> np.ndarray:
    """The lesion with the outline in the region; nothing changes beyond the region's reach.

    lesion, outline, region: bool [k, j, i] of a box that ends at the image or twice REACH_MM around the region."""
    if region.all() or not region.any():
        return outline.copy() if region.any() else lesion.copy()
    weight = np.clip(1 - distance_transform_edt(~region, sampling=spacing_kji_mm) / REACH_MM, 0, 1)
    mixed = weight * _signed_mm(outline, spacing_kji_mm) + (1 - weight) * _signed_mm(lesion, spacing_kji_mm)
    led_over = np.where(region, outline, mixed < 0)
    return np.where(reach(region, spacing_kji_mm), led_over, lesion)


def _signed_mm(mask: np.ndarray, spacing_kji_mm: tuple[float, float, float]) -> np.ndarray:
    """Distance to the border in mm, below zero inside, no farther than REACH_MM: what is far off decides nothing."""
    if mask.all() or not mask.any():
        return np.full(mask.shape, -REACH_MM if mask.any() else REACH_MM)
    outside, inside = (distance_transform_edt(m, sampling=spacing_kji_mm) for m in (~mask, mask))
    return np.clip(outside - inside, -REACH_MM, REACH_MM)
