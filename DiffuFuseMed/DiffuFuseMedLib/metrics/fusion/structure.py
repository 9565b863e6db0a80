"""Structural similarity and signal to noise, over the whole picture and inside a region."""

from __future__ import annotations

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from ...core.errors import input_error
from .pictures import WHITE, check_masks, checked

WINDOW_PX = 7
PSNR_CAP_DB = 60.0


def ssim_map(f: np.ndarray, a: np.ndarray) -> np.ndarray:
    """SSIM (H, W), -1 to 1, of 0..255 pictures: uniform 7 x 7 window, sample covariance, data range 255.

    Wang et al., IEEE Trans. Image Process. 2004, 13(4) 600, eq. 13. The border is mirrored. Raises InputError for less
    than 7 x 7 pixels.
    """
    f, a = checked(f, a)
    if min(f.shape) < WINDOW_PX:
        raise input_error(f"a picture of shape {f.shape}", "7 x 7 pixels or more", "take a larger picture")
    return structural_similarity(f, a, win_size=WINDOW_PX, data_range=WHITE, full=True)[1]


def ssim_sum(f: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """SSIM(F, A) + SSIM(F, B), data range 255, each the mean over the windows that lie wholly in the picture.

    Tables of other groups often hold the same sum at data range 2, which is lower: the two do not compare.
    Pictures (H, W), 0..255. Raises InputError for less than 7 x 7 pixels.
    """
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
    with np.errstate(divide="ignore"):  # equal pictures have no noise: infinite, so the cap
        return float(min(peak_signal_noise_ratio(a[mask], f[mask], data_range=WHITE), PSNR_CAP_DB))
