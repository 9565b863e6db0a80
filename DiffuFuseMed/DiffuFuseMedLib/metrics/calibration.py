"""Whether a probability means what it says, near the lesion where it matters.

Over a whole volume the expected calibration error is near zero for any model, because the background fills the
bins; so every score here takes the mask it is computed in, and band() is that mask.
"""

from __future__ import annotations

import numpy as np
import torch
from monai.metrics.utils import get_mask_edges
from scipy.ndimage import distance_transform_edt, find_objects

from ..core.checks import check_masks
from ..core.errors import input_error
from .overlap import looked_along

BINS = 15
CLIP = 1e-6
BAND_MM = 20.0  # on either side of the border: the lesion band of every figure


def band(reference: np.ndarray, spacing_kji_mm: tuple[float, float, float], width_mm: float = BAND_MM) -> np.ndarray:
    """Bool [k, j, i]: the voxels at most width_mm from the reference's border, outside and inside it.

    A voxel's distance is from its center to the nearest center on the other side of the border, so the voxels that
    touch it are one spacing away. The core of a lesion deeper than width_mm is left out like the far background:
    both are easy and would dilute the error. No border (empty, or lesion everywhere) gives an empty band.
    """
    check_masks(reference)
    if reference.all() or not reference.any():
        return np.zeros_like(reference)
    outside_mm = distance_transform_edt(~reference, sampling=spacing_kji_mm)
    inside_mm = distance_transform_edt(reference, sampling=spacing_kji_mm)
    return np.maximum(outside_mm, inside_mm) <= width_mm


def calibration_scores(probability: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """ece, ace, brier and nll (nats) of the lesion's probability [k, j, i] over the voxels of a bool mask.

    The reliability is the binary one: 15 equal bins over the probability of lesion itself in [0, 1] (not over the
    winning class's confidence), in each the mean probability against the fraction that is lesion. ece weighs the
    bins' gaps by their voxels (Naeini et al., AAAI 2015), ace averages the occupied bins alike. nll clips the
    probability to [1e-6, 1 - 1e-6]. An empty mask gives NaN throughout.
    Raises InputError when shapes differ or a probability lies outside [0, 1].
    """
    p, y = _inside(probability, reference, mask)
    if not p.size:
        return dict.fromkeys(("ece", "ace", "brier", "nll"), float("nan"))
    curve = _curve(p, y, BINS)
    gaps = np.abs(curve["confidence"] - curve["frequency"])
    clipped = np.clip(p, CLIP, 1 - CLIP)
    return {
        "ece": float(np.average(gaps, weights=curve["voxels"])),
        "ace": float(gaps.mean()),
        "brier": float(np.mean((p - y) ** 2)),
        "nll": float(-np.mean(np.where(y, np.log(clipped), np.log1p(-clipped)))),
    }


def reliability_curve(
    probability: np.ndarray, reference: np.ndarray, mask: np.ndarray, bins: int = BINS
) -> dict[str, np.ndarray]:
    """The reliability diagram's points, one per occupied bin, in rising order.

    confidence: mean probability in the bin; frequency: fraction of its voxels that is lesion; voxels: their number;
    each (bins,). probability, reference, mask: [k, j, i].
    """
    return _curve(*_inside(probability, reference, mask), bins)


def coverage(
    reference: np.ndarray, inner: np.ndarray, outer: np.ndarray, spacing_kji_mm: tuple[float, float, float]
) -> float:
    """Fraction of the reference surface's area that lies between the inner and the outer contour; all bool [k, j, i].

    A surface element sits at a voxel corner and sees the eight voxels around it: it is covered when not all eight are
    inside `inner` and not all eight are outside `outer`. An element that lies on either contour therefore counts,
    which is a tolerance of half a voxel along each axis. Of a single slice the outline takes the surface's place. An
    empty reference has no surface: NaN.
    """
    check_masks(reference, inner, outer)
    if not reference.any():
        return float("nan")
    axes = looked_along(reference.shape)
    reference, inner, outer = (m.reshape([m.shape[axis] for axis in axes]) for m in (reference, inner, outer))
    # The empty rim closes surfaces that touch the border of the image.
    box = tuple(slice(s.start, s.stop + 2) for s in find_objects(reference.astype(np.uint8))[0])
    r, low, high = (np.pad(m, 1)[box] for m in (reference, inner, outer))
    tensor = torch.from_numpy(np.ascontiguousarray(r))
    spacing = tuple(float(spacing_kji_mm[axis]) for axis in axes)
    area_mm2 = get_mask_edges(tensor, tensor, crop=False, spacing=spacing)[3].numpy().astype(np.float64)
    between = ~_around(low).all(axis=0) & _around(high).any(axis=0)
    return float(area_mm2[between].sum() / area_mm2.sum())


def _around(mask: np.ndarray) -> np.ndarray:
    """The eight voxels around every inner corner: (8, k - 1, j - 1, i - 1), or the four pixels: (4, j - 1, i - 1)."""
    starts = np.ndindex(*(2,) * mask.ndim)
    return np.stack([mask[tuple(slice(a, a + n - 1) for a, n in zip(s, mask.shape, strict=True))] for s in starts])


def _inside(probability: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    check_masks(reference, mask)
    if probability.shape != reference.shape:
        raise input_error(
            f"a probability of shape {probability.shape}", f"the reference's {reference.shape}", "use one grid for both"
        )
    p = probability[mask].astype(np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise input_error(
            f"probabilities from {p.min():.3g} to {p.max():.3g}", "values from 0 to 1", "apply the sigmoid first"
        )
    return p, reference[mask]


def _curve(p: np.ndarray, y: np.ndarray, bins: int) -> dict[str, np.ndarray]:
    index = np.minimum((p * bins).astype(int), bins - 1)
    voxels = np.bincount(index, minlength=bins)
    occupied = voxels > 0
    sums = (np.bincount(index, weights=w, minlength=bins)[occupied] for w in (p, y))
    confidence, frequency = (s / voxels[occupied] for s in sums)
    return {"confidence": confidence, "frequency": frequency, "voxels": voxels[occupied]}
