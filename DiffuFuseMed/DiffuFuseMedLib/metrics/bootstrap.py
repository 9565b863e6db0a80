"""The mean over cases with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import bootstrap

from ..core.errors import input_error


def mean_interval(
    values: Sequence[float], seed: int = 0, resamples: int = 10000, level: float = 0.95
) -> tuple[float, float, float]:
    """Mean, low and high of a two-sided percentile bootstrap over cases (Efron, Ann. Statist. 1979, 7, 1).

    The percentile, not the BCa interval: it stays defined when all values agree. Raises InputError for fewer than
    two values or one that is not finite.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size < 2 or not np.isfinite(sample).all():
        finite = int(np.isfinite(sample).sum())
        raise input_error(
            f"an array of shape {sample.shape} with {finite} finite values",
            "one finite value for each of two or more cases",
            "leave out the cases without a score and report how many they are",
        )
    result = bootstrap(
        (sample,), np.mean, n_resamples=resamples, confidence_level=level, method="percentile", rng=seed, batch=1000
    )
    return float(sample.mean()), float(result.confidence_interval.low), float(result.confidence_interval.high)
