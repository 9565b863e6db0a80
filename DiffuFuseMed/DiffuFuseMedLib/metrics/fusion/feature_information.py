"""FMI: how much information the fused picture's features share with the sources' features, window by window.

Haghighat, Aghagolzadeh and Seyedarabi, Comput. Electr. Eng. 2011, 37(5) 744, in the fast form of Haghighat and Razian,
AICT 2014 (Fast-FMI): the features in each 3 x 3 window, scaled to sum 1, are the distributions; their joint is
estimated from their correlation after Nelsen, Inf. Sci. 1987.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...core.errors import input_error
from .pictures import checked

WINDOW_PX = 3
CHUNK = 1000
TINY = 1e-300


def fmi(f: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """FMI of the gradient: mean over windows of the normalized information shared with A and with B; 0 to about 1.

    The feature is the horizontal derivative (central differences, one-sided at the border), which is what the
    authors' program takes for its choice "gradient"; so a picture and its transpose may score differently.
    Pictures (H, W), 0..255. Raises InputError for less than 3 x 3 pixels.
    """
    if min(np.shape(f), default=0) < WINDOW_PX:
        raise input_error(f"a picture of shape {np.shape(f)}", "3 x 3 pixels or more", "take a larger picture")
    f, a, b = (_windows(np.gradient(x, axis=1)) for x in checked(f, a, b))
    return float((np.mean(_shared(f, a)) + np.mean(_shared(f, b))) / 2)


def _windows(feature: np.ndarray) -> np.ndarray:
    """(n, 9): each window's values column by column, the order in which the authors count them."""
    windows = sliding_window_view(feature, (WINDOW_PX, WINDOW_PX))
    return windows.swapaxes(-1, -2).reshape(-1, WINDOW_PX**2)


def _shared(f: np.ndarray, a: np.ndarray) -> np.ndarray:
    """(n,): 1 for windows that agree exactly; 0 where only one of the two varies, as then they are independent."""
    result = np.all(f == a, axis=1).astype(np.float64)
    vary = np.flatnonzero((f.max(1) > f.min(1)) & (a.max(1) > a.min(1)) & (result == 0))
    for some in np.array_split(vary, len(vary) // CHUNK + 1):  # so that the joints stay in the processor's cache
        result[some] = _normalized_information(_distribution(f[some]), _distribution(a[some]))
    return result


def _distribution(windows: np.ndarray) -> np.ndarray:
    shifted = windows - windows.min(1, keepdims=True)
    shifted /= shifted.max(1, keepdims=True)  # before the sum, so that tiny gradients do not underflow
    return shifted / shifted.sum(1, keepdims=True)


def _normalized_information(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """2 I / (H(p) + H(q)) of distributions (n, 9), their joint lying on the side of their correlation's sign."""
    r, joint = _pearson(p, q), np.empty((len(p), p.shape[1] ** 2))
    for side, bound in ((r >= 0, _upper), (r < 0, _lower)):
        joint[side] = _joint(p[side], q[side], r[side], bound).reshape(-1, joint.shape[1])
    marginal = _entropy(p) + _entropy(q)
    shared = marginal - _entropy(joint)
    return np.divide(2 * shared, marginal, out=np.zeros_like(shared), where=marginal > 0)


def _entropy(p: np.ndarray) -> np.ndarray:
    # The estimate of the joint may go below zero; the authors then take the real part of the logarithm.
    return -np.einsum("nc,nc->n", p, np.log2(np.maximum(np.abs(p), TINY)))


def _upper(P: np.ndarray, Q: np.ndarray) -> np.ndarray:
    return np.minimum(P, Q)


def _lower(P: np.ndarray, Q: np.ndarray) -> np.ndarray:
    return np.maximum(P + Q - 1, 0)


def _joint(p: np.ndarray, q: np.ndarray, r: np.ndarray, bound: Callable) -> np.ndarray:
    """(n, 9, 9): from independence as far toward Frechet's bound as the correlation r has it."""
    P, Q = np.cumsum(p, 1)[:, :, None], np.cumsum(q, 1)[:, None, :]
    cumulated = np.pad(bound(P, Q), ((0, 0), (1, 0), (1, 0)))
    spread = _index_sd(p) * _index_sd(q)
    # Hoeffding: the covariance is the sum of the joint minus the product of the distribution functions.
    covariance = cumulated.sum((1, 2)) - P.sum((1, 2)) * Q.sum((1, 2))
    extreme = np.divide(covariance, spread, out=np.zeros_like(r), where=spread > 0)
    weight = np.divide(r, extreme, out=np.zeros_like(r), where=extreme != 0)[:, None, None]
    return weight * np.diff(np.diff(cumulated, axis=1), axis=2) + (1 - weight) * p[:, :, None] * q[:, None, :]


def _pearson(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    p, q = p - p.mean(1, keepdims=True), q - q.mean(1, keepdims=True)
    return np.sum(p * q, 1) / np.sqrt(np.sum(p * p, 1) * np.sum(q * q, 1))


def _index_sd(p: np.ndarray) -> np.ndarray:
    """Standard deviation of the position 1 to 9 under p."""
    index = np.arange(1, p.shape[1] + 1)
    return np.sqrt(np.maximum(p @ index**2 - (p @ index) ** 2, 0))
