"""Platt scaling of lesion probabilities: sigmoid(a logit(p) + b); temperature scaling is b = 0, a = 1 / T.

Platt 1999; Guo et al., ICML 2017. The offset b is kept: networks trained on Dice are biased, not only overconfident.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

LIMIT = 1e-6


def to_logit(p: np.ndarray) -> np.ndarray:
    """ln(p / (1 - p)) of any shape, finite at 0 and 1 too: p is kept LIMIT away from both."""
    return logit(np.clip(p, LIMIT, 1 - LIMIT))


def apply(p: np.ndarray, scale: float, offset: float) -> np.ndarray:
    """Calibrated probabilities, float32, of the shape of p."""
    return expit(scale * to_logit(p) + offset).astype(np.float32)


def fit(samples: Sequence[np.ndarray], references: Sequence[np.ndarray]) -> tuple[float, float]:
    """(scale, offset) of least negative log-likelihood of the samples' mean; every patient weighs the same.

    samples: (k, n) probabilities a patient; references: (n,) of 0 and 1.
    """
    logits = [to_logit(p.astype(np.float64)) for p in samples]

    def patient_loss(x: np.ndarray, z: np.ndarray, y: np.ndarray) -> float:
        p = np.clip(expit(x[0] * z + x[1]).mean(axis=0), LIMIT, 1 - LIMIT)
        return -float(np.mean(np.where(y > 0, np.log(p), np.log1p(-p))))

    def loss(x: np.ndarray) -> float:
        return float(np.mean([patient_loss(x, z, y) for z, y in zip(logits, references, strict=True)]))

    best = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-5})
    return float(best.x[0]), float(best.x[1])
