"""VIF: how much of what an eye could extract from each source is still in the fused picture.

Sheikh and Bovik, IEEE Trans. Image Process. 2006, 15(2) 430, in the pixel domain over four scales (VIFp).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import convolve1d

from .pictures import checked

WINDOWS_PX = (17, 9, 5, 3)
NOISE_VARIANCE = 2.0  # of the eye, in squared gray values
EPSILON = 1e-10
SMALLEST_PX = 41  # what the four scales' windows need


def vif(f: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """VIFp(F given A) + VIFp(F given B), as CDDFuse's evaluator sums it; NaN for sides below 41 px.

    Either source copied alone gives more than 1, so this ranks a copy above every fusion. A source that is constant
    counts 1. Pictures (H, W), 0..255.
    """
    f, a, b = checked(f, a, b)
    if min(f.shape) < SMALLEST_PX:
        return float("nan")
    return _vifp(a, f) + _vifp(b, f)


def _vifp(reference: np.ndarray, picture: np.ndarray) -> float:
    kept = there = 0.0
    for n, window_px in enumerate(WINDOWS_PX):
        taps = _gaussian(window_px)
        if n:
            reference, picture = (_valid(x, taps)[::2, ::2] for x in (reference, picture))
        gain, noise, variance = _channel(reference, picture, taps)
        kept += np.sum(np.log10(1 + gain**2 * variance / (noise + NOISE_VARIANCE)))
        there += np.sum(np.log10(1 + variance / NOISE_VARIANCE))
    return float(kept / there) if there > 0 else 1.0


def _channel(x: np.ndarray, y: np.ndarray, taps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gain and noise variance of y = gain x + noise in each window, and the variance of x (eqs. 18 and 19)."""
    mx, my = _valid(x, taps), _valid(y, taps)
    vx = np.maximum(_valid(x * x, taps) - mx * mx, 0)
    vy = np.maximum(_valid(y * y, taps) - my * my, 0)
    cov = _valid(x * y, taps) - mx * my
    usable = (vx >= EPSILON) & (vy >= EPSILON) & (cov > 0)
    gain = np.where(usable, cov / (vx + EPSILON), 0)
    noise = np.maximum(vy - gain * cov, EPSILON)
    return gain, noise, np.where(vx >= EPSILON, vx, 0)


def _gaussian(window_px: int) -> np.ndarray:
    offset = np.arange(window_px) - window_px // 2
    taps = np.exp(-(offset**2) / (2 * (window_px / 5) ** 2))
    return taps / taps.sum()


def _valid(x: np.ndarray, taps: np.ndarray) -> np.ndarray:
    """Filtered along both axes, only where the window lies wholly in the picture."""
    rim = len(taps) // 2
    return convolve1d(convolve1d(x, taps, 0), taps, 1)[rim:-rim, rim:-rim]
