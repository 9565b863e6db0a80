"""FSIM: similarity of features, which are phase congruency and gradient, weighed by how much of a feature there is.

Zhang, Zhang, Mou and Zhang, IEEE Trans. Image Process. 2011, 20(8) 2378, for gray pictures.
"""

from __future__ import annotations

from functools import lru_cache
from math import floor

import numpy as np
from scipy import ndimage

from .phase_congruency import phase_congruency
from .pictures import check_masks, checked

T1, T2 = 0.85, 160.0  # section II.C
SCHARR = np.array([[3, 0, -3], [10, 0, -10], [3, 0, -3]]) / 16
SIDE_PX = 256


def fsim(f: np.ndarray, a: np.ndarray) -> float:
    """FSIM (eq. 7) of two pictures (H, W), 0..255; 0 to 1, NaN where neither has a feature."""
    return _weighted(*fsim_map(f, a))


def roi_fsim(f: np.ndarray, a: np.ndarray, mask: np.ndarray) -> float:
    """The same with both sums over the bool mask (H, W) alone; the features are found in the whole picture."""
    check_masks(np.shape(f), mask)
    return _weighted(*(x[mask] for x in fsim_map(f, a)))


def fsim_map(f: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Similarity S_L (eq. 6) and weight PC_m, the larger phase congruency, both (H, W).

    Pictures whose shorter side is 384 px or more are first averaged in blocks of round(side / 256) px, as the authors
    do; their maps are spread over the blocks again.
    """
    f, a = checked(f, a)
    factor = max(1, floor(min(f.shape) / SIDE_PX + 0.5))
    (pf, gf), (pa, ga) = (_features(_block_mean(x, factor)) for x in (f, a))
    similarity = _alike(pf, pa, T1) * _alike(gf, ga, T2)
    return _spread(similarity, factor, f.shape), _spread(np.maximum(pf, pa), factor, f.shape)


def _features(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Phase congruency and gradient."""
    return _kept_features(x.tobytes(), x.shape)


@lru_cache(maxsize=4)
def _kept_features(pixels: bytes, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Kept, as many fusions are held against one source."""
    x = np.frombuffer(pixels).reshape(shape)
    return phase_congruency(x), _gradient(x)


def _weighted(similarity: np.ndarray, weight: np.ndarray) -> float:
    total = weight.sum()
    return float(np.sum(similarity * weight) / total) if total > 0 else float("nan")


def _alike(x: np.ndarray, y: np.ndarray, t: float) -> np.ndarray:
    return (2 * x * y + t) / (x * x + y * y + t)


def _gradient(x: np.ndarray) -> np.ndarray:
    steps = (ndimage.convolve(x, kernel, mode="constant") for kernel in (SCHARR, SCHARR.T))
    return np.hypot(*steps)


def _block_mean(x: np.ndarray, factor: int) -> np.ndarray:
    if factor == 1:
        return x
    h, w = (n // factor for n in x.shape)
    return x[: h * factor, : w * factor].reshape(h, factor, w, factor).mean((1, 3))


def _spread(x: np.ndarray, factor: int, shape: tuple[int, int]) -> np.ndarray:
    if factor == 1:
        return x
    large = x.repeat(factor, 0).repeat(factor, 1)
    return np.pad(large, [(0, n - m) for n, m in zip(shape, large.shape, strict=True)], mode="edge")
