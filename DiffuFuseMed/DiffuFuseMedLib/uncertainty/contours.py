"""Inner and outer contour: level sets of the calibrated probability, the pair that covers enough of the true border.

The conformal idea (Angelopoulos and Bates 2021, "A gentle introduction to conformal prediction", 4.3, risk control):
among nested sets the smallest is taken whose mean miss on patients not trained on is at most 1 - level.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.errors import input_error
from .platt import to_logit


def uncertainty(probability: np.ndarray) -> np.ndarray:
    """|logit p| of any shape, float32: 0 at the predicted border, growing with how sure a voxel is of its side.

    Bands by distance in mm, and products of both, were tried: for the same coverage they took more volume.
    """
    return np.abs(to_logit(probability)).astype(np.float32)


def contours(labels: np.ndarray, uncertainty_map: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """(inner, outer) bool masks of the band doubt <= width: inner is inside labels, outer holds them.

    labels, uncertainty_map: [k, j, i].
    """
    inside_band = uncertainty_map <= width
    return labels & ~inside_band, labels | inside_band


def critical_widths(reference: np.ndarray, labels: np.ndarray, uncertainty_map: np.ndarray) -> np.ndarray:
    """For each element of the reference surface the smallest width whose band holds it, 1D.

    An element is a cell of 2 x 2 x 2 voxel centers, in a single slice of 2 x 2, that are not all lesion or all
    background. The band holds it as soon as it holds one of the cell's voxels (half a voxel of tolerance, as in
    metrics.coverage); where the predicted border crosses the same cell, any band does.
    """
    on_surface = _cells(reference, np.maximum) & ~_cells(reference, np.minimum)
    crossed = _cells(labels, np.maximum) & ~_cells(labels, np.minimum)
    return np.where(crossed, 0, _cells(uncertainty_map, np.minimum))[on_surface]


def _cells(array: np.ndarray, combine: np.ufunc) -> np.ndarray:
    """combine over the 2 x 2 x 2 voxels of every cell; along an axis of one voxel there is nothing to combine."""
    for axis in (axis for axis, count in enumerate(array.shape) if count > 1):
        first, second = (np.moveaxis(array, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        array = np.moveaxis(combine(first, second), 0, axis)
    return array


def smallest_width(critical: Sequence[np.ndarray], level: float) -> float:
    """The smallest width whose band holds `level` of the surface, as a mean over patients; critical: (n,) each.

    Raises InputError for a patient without a surface.
    """
    if not all(len(c) for c in critical):
        given, wanted = "a patient whose drawn lesion has no border", "a lesion with background beside it"
        raise input_error(given, wanted, "correct its mask or leave it out")
    candidates = np.unique(np.quantile(np.concatenate(critical), np.linspace(0.5, 1, 501)))
    curves = [np.searchsorted(np.sort(c), candidates, side="right") / len(c) for c in critical]
    reached = np.nonzero(np.mean(curves, axis=0) >= level)[0]
    return float(candidates[reached[0]] if len(reached) else candidates[-1])
