"""Overlap of two masks and distance of their surfaces, in millimeters.

Surfaces are the area-weighted surface elements of Nikolov et al., J Med Internet Res 2021, 23(7) e26151
(DeepMind's surface-distance), through MONAI's port of them: one element per 2 x 2 x 2 neighborhood that is
neither all in nor all out, so anisotropic voxels weigh by their true area. Of a single slice, such as a picture, the
outline takes the surface's place: its faces would be where every other mask's are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from monai.metrics.utils import get_mask_edges, get_surface_distance

from ..core.checks import check_masks

TOLERANCE_MM = 2.0


class SurfaceDistances(NamedTuple):
    """Distance (mm) of each surface element to the other surface, and its area (mm2, in a single slice its length in
    mm); one array per direction."""

    prediction_mm: np.ndarray
    reference_mm: np.ndarray
    prediction_mm2: np.ndarray
    reference_mm2: np.ndarray


def overlap_scores(
    prediction: np.ndarray, reference: np.ndarray, spacing_kji_mm: tuple[float, float, float]
) -> dict[str, float]:
    """Dice, IoU, precision, recall, hd95_mm and nsd_2mm of two bool masks [k, j, i].

    hd95_mm: the larger of the two directions' area-weighted 95th percentiles. nsd_2mm: normalized surface Dice at
    2 mm. Both masks empty: perfect (1, and 0 mm). One of them empty: 0, and hd95_mm is the diagonal of the image,
    voxel borders included, the largest distance there could be, so that a mean over cases stays finite.
    Raises InputError when the shapes differ or a mask is not bool.
    """
    check_masks(prediction, reference)
    scores = _counted(prediction, reference)
    if not prediction.any() and not reference.any():
        return {**scores, "hd95_mm": 0.0, "nsd_2mm": 1.0}
    if not prediction.any() or not reference.any():
        diagonal_mm = float(np.linalg.norm(np.multiply(reference.shape, spacing_kji_mm)))
        return {**scores, "hd95_mm": diagonal_mm, "nsd_2mm": 0.0}
    surfaces = surface_distances(prediction, reference, spacing_kji_mm)
    return {**scores, "hd95_mm": hausdorff_mm(surfaces, 95), "nsd_2mm": surface_dice(surfaces, TOLERANCE_MM)}


def surface_distances(
    prediction: np.ndarray, reference: np.ndarray, spacing_kji_mm: tuple[float, float, float]
) -> SurfaceDistances:
    """Both directions at once, for two bool masks [k, j, i] of which neither is empty."""
    axes = looked_along(reference.shape)
    spacing = tuple(float(spacing_kji_mm[axis]) for axis in axes)
    shape = tuple(reference.shape[axis] for axis in axes)
    masks = [torch.from_numpy(np.ascontiguousarray(mask).reshape(shape)) for mask in (prediction, reference)]
    edges_p, edges_r, areas_p, areas_r = get_mask_edges(*masks, spacing=spacing)
    return SurfaceDistances(
        np.asarray(get_surface_distance(edges_p, edges_r, spacing=spacing)),
        np.asarray(get_surface_distance(edges_r, edges_p, spacing=spacing)),
        areas_p[edges_p].numpy().astype(np.float64),
        areas_r[edges_r].numpy().astype(np.float64),
    )


def looked_along(shape: Sequence[int]) -> tuple[int, ...]:
    """The axes that a border lies in: all three, or the two of a single slice."""
    across = list(shape).index(1) if 1 in shape else None
    return tuple(axis for axis in range(len(shape)) if axis != across)


def hausdorff_mm(surfaces: SurfaceDistances, percent: float) -> float:
    """Robust Hausdorff distance: the larger of the two area-weighted percentiles."""
    forth = _weighted_percentile(surfaces.prediction_mm, surfaces.prediction_mm2, percent)
    back = _weighted_percentile(surfaces.reference_mm, surfaces.reference_mm2, percent)
    return max(forth, back)


def surface_dice(surfaces: SurfaceDistances, tolerance_mm: float) -> float:
    """Fraction of both surfaces' area that lies within tolerance_mm of the other (normalized surface Dice)."""
    near_p = surfaces.prediction_mm2[surfaces.prediction_mm <= tolerance_mm].sum()
    near_r = surfaces.reference_mm2[surfaces.reference_mm <= tolerance_mm].sum()
    return float((near_p + near_r) / (surfaces.prediction_mm2.sum() + surfaces.reference_mm2.sum()))


def _counted(prediction: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    both = int(np.count_nonzero(prediction & reference))
    n_prediction, n_reference = int(np.count_nonzero(prediction)), int(np.count_nonzero(reference))
    nothing_at_all = float(n_prediction == n_reference == 0)

    def ratio(part: float, whole: float) -> float:
        return float(part / whole) if whole else nothing_at_all

    return {
        "dice": ratio(2 * both, n_prediction + n_reference),
        "iou": ratio(both, n_prediction + n_reference - both),
        "precision": ratio(both, n_prediction),
        "recall": ratio(both, n_reference),
    }


def _weighted_percentile(distances_mm: np.ndarray, areas_mm2: np.ndarray, percent: float) -> float:
    order = np.argsort(distances_mm)
    share = np.cumsum(areas_mm2[order]) / areas_mm2.sum()
    # Rounding can leave the last share just under 1.
    index = min(int(np.searchsorted(share, percent / 100)), len(share) - 1)
    return float(distances_mm[order][index])
