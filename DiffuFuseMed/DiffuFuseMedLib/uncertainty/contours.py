"""Inner and outer contour: a nested family of bands about the predicted border, and the member that covers enough.

The conformal idea (Angelopoulos and Bates 2021, "A gentle introduction to conformal prediction", 4.3, risk control):
among nested sets the smallest is taken whose mean miss on patients not trained on is at most 1 - level.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import distance_transform_edt

from .platt import to_logit

UNIT_LOGIT = 1.0
UNIT_MM = 3.0


def doubt(probability: np.ndarray, labels: np.ndarray, spacing_kji_mm: tuple[float, ...]) -> np.ndarray:
    """How far a voxel is from the predicted border, in the currency of the network's own sureness, >= 0.

    A distance of UNIT_MM at a logit of UNIT_LOGIT counts one: far voxels stay in the band where the network is unsure
    of them, near ones leave it only where it is very sure. Without any predicted lesion only the logit counts.
    """
    sureness = np.abs(to_logit(probability)) / UNIT_LOGIT
    if not labels.any() or labels.all():
        return sureness.astype(np.float32)
    inside, outside = (distance_transform_edt(x, sampling=spacing_kji_mm) for x in (labels, ~labels))
    return np.sqrt(sureness * np.maximum(inside, outside) / UNIT_MM).astype(np.float32)


def contours(labels: np.ndarray, doubt_map: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """(inner, outer) bool masks of the band doubt <= width: inner is inside labels, outer holds them."""
    inside_band = doubt_map <= width
    return labels & ~inside_band, labels | inside_band


def critical_widths(reference: np.ndarray, labels: np.ndarray, doubt_map: np.ndarray) -> np.ndarray:
    """For each element of the reference surface the smallest width whose band holds it, 1D.

    An element is a cell of 2 x 2 x 2 voxel centers that are not all lesion or all background. The band holds it as soon
    as it holds one of the cell's voxels (half a voxel of tolerance, as in evaluation.coverage); where the predicted
    border crosses the same cell, any band does.
    """
    on_surface = _cells(reference, np.maximum) & ~_cells(reference, np.minimum)
    crossed = _cells(labels, np.maximum) & ~_cells(labels, np.minimum)
    return np.where(crossed, 0, _cells(doubt_map, np.minimum))[on_surface]


def _cells(array: np.ndarray, combine: np.ufunc) -> np.ndarray:
    """combine over the 2 x 2 x 2 voxels of every cell."""
    for axis in range(array.ndim):
        first, second = (np.moveaxis(array, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        array = np.moveaxis(combine(first, second), 0, axis)
    return array


def smallest_width(critical: Sequence[np.ndarray], level: float) -> float:
    """The smallest width whose band holds `level` of the surface, as a mean over patients; critical: one array each."""
    candidates = np.unique(np.quantile(np.concatenate(critical), np.linspace(0.5, 1, 501)))
    curves = [np.searchsorted(np.sort(c), candidates, side="right") / len(c) for c in critical]
    reached = np.nonzero(np.mean(curves, axis=0) >= level)[0]
    return float(candidates[reached[0]] if len(reached) else candidates[-1])
