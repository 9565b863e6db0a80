"""Fusions of one line each, which stand beside every result: what they reach is no achievement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from scipy.ndimage import convolve1d

TAPS = np.array([1, 4, 6, 4, 1]) / 16
BASE_PX = 4  # shorter side of the pyramid's top


class Regions(Protocol):
    """bone, soft: bool of the pictures' shape (data.rois.Rois)."""

    @property
    def bone(self) -> np.ndarray: ...
    @property
    def soft(self) -> np.ndarray: ...


def average(ct: np.ndarray, mri: np.ndarray, rois: Regions) -> np.ndarray:
    """The mean of both, (H, W) or [k, j, i]."""
    return (ct + mri) / 2


def maximum(ct: np.ndarray, mri: np.ndarray, rois: Regions) -> np.ndarray:
    """The brighter of both, (H, W) or [k, j, i]."""
    return np.maximum(ct, mri)


def mri_copy(ct: np.ndarray, mri: np.ndarray, rois: Regions) -> np.ndarray:
    """The MRI, (H, W) or [k, j, i]."""
    return mri.copy()


def ct_copy(ct: np.ndarray, mri: np.ndarray, rois: Regions) -> np.ndarray:
    """The CT, (H, W) or [k, j, i]."""
    return ct.copy()


def roi_copy(ct: np.ndarray, mri: np.ndarray, rois: Regions) -> np.ndarray:
    """The CT in the bone, the MRI elsewhere, (H, W) or [k, j, i]; an oracle when the same masks judge it."""
    return np.where(rois.bone, ct, mri)


def roi_blend(ct: np.ndarray, mri: np.ndarray, rois: Regions) -> np.ndarray:
    """The CT in the bone, elsewhere 0.85 MRI + 0.15 CT, (H, W) or [k, j, i].

    It passes every content metric, and no reader would want it.
    """
    return np.where(rois.bone, ct, 0.85 * mri + 0.15 * ct)


def laplacian_pyramid(ct: np.ndarray, mri: np.ndarray, rois: Regions) -> np.ndarray:
    """Burt and Adelson, IEEE Trans. Commun. 1983, 31(4) 532: per level the stronger detail, on top the mean.

    Levels until the shorter side is about 4 px; clipped to the sources' range. A volume
    [k, j, i] is fused slice by slice along its first axis.
    """
    if ct.ndim == 3:
        return np.stack([laplacian_pyramid(c, m, rois) for c, m in zip(ct, mri, strict=True)])
    (details_ct, top_ct), (details_mri, top_mri) = _pyramid(ct), _pyramid(mri)
    fused = (top_ct + top_mri) / 2
    for c, m in zip(reversed(details_ct), reversed(details_mri), strict=True):
        fused = _expanded(fused, c.shape) + np.where(np.abs(c) >= np.abs(m), c, m)
    return np.clip(fused, min(ct.min(), mri.min()), max(ct.max(), mri.max()))


TRIVIAL: dict[str, Callable[[np.ndarray, np.ndarray, Regions], np.ndarray]] = {
    "average": average,
    "maximum": maximum,
    "mri copy": mri_copy,
    "ct copy": ct_copy,
    "roi copy": roi_copy,
    "0.85/0.15 roi blend": roi_blend,
    "laplacian pyramid": laplacian_pyramid,
}


def _pyramid(x: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """The details from fine to coarse, and the top."""
    details = []
    while min(x.shape) >= 2 * BASE_PX:
        smaller = _smoothed(x)[::2, ::2]
        details.append(x - _expanded(smaller, x.shape))
        x = smaller
    return details, x


def _expanded(x: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    spread = np.zeros(shape, x.dtype)
    spread[::2, ::2] = 4 * x
    return _smoothed(spread)


def _smoothed(x: np.ndarray) -> np.ndarray:
    # Mirrored about the border pixel, which keeps every second pixel of a spread picture empty beyond the border too.
    return convolve1d(convolve1d(x, TAPS, 0, mode="mirror"), TAPS, 1, mode="mirror")
