"""ROIs of a PET-MRI or SPECT-MRI pair of a head without CT: soft is where the tracer is, bone stays empty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...core.errors import input_error
from ...core.rois import Rois
from .shapes import closed, filled, largest, opened

UPTAKE, SCORING_UPTAKE = 0.1, 0.15  # of what the model is given, and of what judges it
PERCENTILE = 99.5
MRI_HEAD = 0.1


def tracer_rois(tracer: np.ndarray, mri: np.ndarray, share: float = UPTAKE) -> Rois:
    """The Rois of a pair [j, i] or [k, j, i] on one grid: tracer as luminance, counts or SUV; mri in any unit.

    soft: uptake above `share` of its 99.5th percentile, holes filled slice by slice, inside the head that MRI and
    uptake outline. Raises InputError for other shapes, values that are not finite, or a tracer without uptake.
    """
    tracer, mri = np.asarray(tracer, np.float32), np.asarray(mri, np.float32)
    _check(tracer, mri)
    uptake = tracer > share * np.percentile(tracer, PERCENTILE)
    head = largest(_slices(mri > MRI_HEAD * np.percentile(mri, PERCENTILE), _outline) | _slices(uptake, filled))
    soft = _slices(largest(uptake & head), filled) & head
    empty = np.zeros(soft.shape, bool)
    source = {
        "soft": f"tracer uptake above {100 * share:.0f} % of its 99.5th percentile, filled",
        "bone": "none: there is no CT",
        "lesion": "none given",
        "inside": "outline of the head in MRI and uptake",
    }
    return Rois(soft, empty, empty.copy(), head, "head", source)


def _slices(mask: np.ndarray, of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return of(mask) if mask.ndim == 2 else np.stack([of(s) for s in mask])


def _outline(mask: np.ndarray) -> np.ndarray:
    return opened(filled(closed(mask, 3)), 3)


def _check(tracer: np.ndarray, mri: np.ndarray) -> None:
    if tracer.shape != mri.shape or tracer.ndim not in (2, 3):
        given = f"a tracer of shape {tracer.shape} and an MRI of {mri.shape}"
        raise input_error(given, "a pair on one grid", "pass registered images, the tracer as gray values")
    if not (np.isfinite(tracer).all() and np.isfinite(mri).all()):
        raise input_error("a tracer or MRI with values that are not numbers", "finite values", "replace them by 0")
    if np.percentile(tracer, PERCENTILE) <= 0:
        raise input_error("a tracer image without uptake", "positive values in the head", "check the image")
