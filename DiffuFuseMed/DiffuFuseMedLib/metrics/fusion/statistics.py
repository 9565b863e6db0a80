"""Contrast, sharpness and what the differences to the sources still hold."""

from __future__ import annotations

import numpy as np

from .pictures import checked, correlation


def standard_deviation(f: np.ndarray) -> float:
    """SD of the gray values (H, W), 0..255."""
    (f,) = checked(f)
    return float(f.std())


def spatial_frequency(f: np.ndarray) -> float:
    """SF: root of the mean squared horizontal step plus the mean squared vertical step of (H, W), in gray values.

    Eskicioglu and Fisher, IEEE Trans. Commun. 1995, 43(12) 2959; each mean over the steps that there are.
    """
    (f,) = checked(f)
    return float(np.sqrt(sum(np.mean(np.diff(f, axis=axis) ** 2) for axis in (0, 1) if f.shape[axis] > 1)))


def scd(f: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """SCD of pictures (H, W), 0..255: r(F - B, A) + r(F - A, B); -2 to 2, NaN where F copies a source.

    Aslantas and Bendes, AEU Int. J. Electron. Commun. 2015, 69(12) 1890.
    """
    f, a, b = checked(f, a, b)
    return correlation(f - b, a) + correlation(f - a, b)
