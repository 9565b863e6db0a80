"""Structural similarity and signal to noise, over the whole picture and inside a region."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter

from ...core.errors import input_error
from .pictures import WHITE, check_masks, checked

WINDOW_PX = 7
C1, C2 = (0.01 * WHITE) ** 2, (0.03 * WHITE) ** 2
PSNR_CAP_DB = 60.0


def ssim_map(f: np.ndarray, a: np.ndarray) -> np.ndarray:
    """SSIM (H, W), -1 to 1, of 0..255 pictures: uniform 7 x 7 window, sample covariance, data range 255.

    Wang et al., IEEE Trans. Image Process. 2004, 13(4) 600, eq. 13, with scikit-image's default window. The border is
    mirrored.
    """
    f, a = checked(f, a)
    mf, ma = _local_mean(f), _local_mean(a)
    vf, va, cov = (_covariance(x, y) for x, y in ((f, f), (a, a), (f, a)))
    return (2 * mf * ma + C1) * (2 * cov + C2) / ((mf * mf + ma * ma + C1) * (vf + va + C2))


def ssim_sum(f: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """SSIM(F, A) + SSIM(F, B), data range 255, each the mean over the windows that lie wholly in the picture.

    Tables of other groups often hold the same sum at data range 2, which is lower: the two do not compare.
    Pictures (H, W), 0..255. Raises InputError for less than 7 x 7 pixels.
    """
    if min(np.shape(f), default=0) < WINDOW_PX:
        raise input_error(f"a picture of shape {np.shape(f)}", "7 x 7 pixels or more", "take a larger picture")
    rim = WINDOW_PX // 2
    return float(sum(ssim_map(f, x)[rim:-rim, rim:-rim].mean() for x in (a, b)))


def roi_ssim(f: np.ndarray, a: np.ndarray, mask: np.ndarray) -> float:
    """Mean of the SSIM map inside the bool mask (H, W); NaN when empty. Windows at its rim reach outside."""
    similarity = ssim_map(f, a)
    check_masks(similarity.shape, mask)
    return float(similarity[mask].mean()) if mask.any() else float("nan")


def roi_psnr(f: np.ndarray, a: np.ndarray, mask: np.ndarray) -> float:
    """Peak signal (255) to noise inside the bool mask (H, W) in dB, at most 60; NaN when empty."""
    f, a = checked(f, a)
    check_masks(f.shape, mask)
    if not mask.any():
        return float("nan")
    mse = np.mean((f[mask] - a[mask]) ** 2)
    floor = WHITE**2 / 10 ** (PSNR_CAP_DB / 10)
    return float(10 * np.log10(WHITE**2 / max(mse, floor)))


def _local_mean(x: np.ndarray) -> np.ndarray:
    return uniform_filter(x, WINDOW_PX)


def _covariance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    n = WINDOW_PX**2
    return n / (n - 1) * (_local_mean(x * y) - _local_mean(x) * _local_mean(y))
