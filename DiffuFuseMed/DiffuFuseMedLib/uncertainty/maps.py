"""Uncertainty of k binary samples, in nats: predictive = expected (aleatoric) + mutual information (epistemic).

Depeweg et al., ICML 2018, eq. (3): H[mean p] = mean H[p] + I(y; sample).
"""

from __future__ import annotations

import numpy as np


def binary_entropy(p: np.ndarray) -> np.ndarray:
    """-p ln p - (1 - p) ln(1 - p) in nats, 0 at p = 0 and 1, ln 2 at most; p: any shape."""
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -(p * np.log(p) + (1 - p) * np.log1p(-p))


def uncertainty_maps(samples: np.ndarray) -> dict[str, np.ndarray]:
    """samples: (k, ...) probabilities -> float32 maps by the names of Prediction.uncertainty."""
    predictive = binary_entropy(samples.mean(axis=0))
    expected = binary_entropy(samples).mean(axis=0)
    maps = {
        "predictive_entropy": predictive,
        "expected_entropy": expected,
        "mutual_information": np.maximum(predictive - expected, 0),  # rounding alone makes it negative
    }
    return {name: value.astype(np.float32) for name, value in maps.items()}
