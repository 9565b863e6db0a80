"""How much information is in a fused picture, and how much of the sources' it shares."""

from __future__ import annotations

import numpy as np
from scipy.stats import entropy as _shannon

from .pictures import WHITE, checked

BINS = 256


def entropy(f: np.ndarray) -> float:
    """EN: Shannon entropy of the 256 gray values in bits; 0 to 8. f: (H, W), 0..255, rounded here.

    A background lifted from black raises it without any content: read it beside the same number inside the head.
    """
    (f,) = checked(f)
    return gray_entropy(f)


def gray_entropy(values: np.ndarray) -> float:
    """The same of gray values 0..255 in an array of any shape; NaN for none."""
    if not values.size:
        return float("nan")
    return float(_shannon(np.bincount(_gray(values).ravel(), minlength=BINS), base=2))


def mutual_information(f: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """MI in nats: I(F; A) + I(F; B), each from the joint histogram of rounded gray values, 256 x 256 bins.

    Qu, Zhang and Yan, Electron. Lett. 2002, 38(7) 313, there with log2. Copying one source gives the best value.
    """
    f, a, b = (_gray(x) for x in checked(f, a, b))
    return _shared(f, a) + _shared(f, b)


def _gray(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, WHITE).astype(np.intp)


def _shared(x: np.ndarray, y: np.ndarray) -> float:
    joint = np.bincount((BINS * x + y).ravel(), minlength=BINS * BINS).reshape(BINS, BINS)
    return float(_shannon(joint.sum(0)) + _shannon(joint.sum(1)) - _shannon(joint.ravel()))
