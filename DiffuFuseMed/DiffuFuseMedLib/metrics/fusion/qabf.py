"""Qabf: how well the sources' edges, their strength and their direction, arrive in the fused picture.

Xydeas and Petrovic, Electron. Lett. 2000, 36(4) 308, eqs. 1 to 9, with the constants of CDDFuse's evaluator.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .pictures import checked

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
STRENGTH = (0.9994, -15.0, 0.5)  # Gamma, kappa, sigma of the sigmoid
ANGLE = (0.9879, -22.0, 0.8)


def qabf(f: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Qabf of pictures (H, W), 0..255: 0 to 1, each source's edges weighed by their strength; NaN without any edge."""
    (gf, angle_f), *sources = (_edges(x) for x in checked(f, a, b))
    total = sum(strength.sum() for strength, _ in sources)
    if not total > 0:
        return float("nan")
    kept = sum(np.sum(strength * _kept(strength, angle, gf, angle_f)) for strength, angle in sources)
    return float(kept / total)


def _edges(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Strength and direction (-pi/2 to pi/2) of the Sobel gradient; beyond the border is black."""
    across, down = (ndimage.convolve(x, kernel, mode="constant") for kernel in (SOBEL, SOBEL.T))
    direction = np.arctan(np.divide(-down, across, out=np.full_like(x, np.inf), where=across != 0))
    return np.hypot(across, down), direction


def _kept(g: np.ndarray, angle: np.ndarray, gf: np.ndarray, angle_f: np.ndarray) -> np.ndarray:
    ratio = np.divide(np.minimum(g, gf), np.maximum(g, gf), out=np.zeros_like(g), where=np.maximum(g, gf) > 0)
    # CDDFuse's evaluator takes the strength itself, not 1, where both agree; kept, as published tables are made so.
    strength = np.where(g == gf, g, ratio)
    return _sigmoid(strength, *STRENGTH) * _sigmoid(1 - np.abs(angle - angle_f) / (np.pi / 2), *ANGLE)


def _sigmoid(x: np.ndarray, gamma: float, kappa: float, sigma: float) -> np.ndarray:
    return gamma / (1 + np.exp(kappa * (x - sigma)))
