"""Whether one method is better than another on the same patients, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import wilcoxon

from ..core.errors import input_error
from .bootstrap import mean_interval


@dataclass(frozen=True)
class Comparison:
    """Of paired values: mean difference with the ends of its bootstrap 95 % interval, and the two-sided p of Wilcoxon's
    signed-rank test."""

    difference: float
    low: float
    high: float
    p: float
    pairs: int


def compare(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Comparison:
    """first less second, (n,) each, a patient a place. Values that are all equal give p = 1.

    Raises InputError for other lengths, fewer than two pairs, or a value that is not finite.
    """
    one, other = np.asarray(first, float), np.asarray(second, float)
    if one.shape != other.shape:
        given = f"{one.size} values beside {other.size}"
        raise input_error(given, "the same patients twice", "leave out those that only one of them has")
    differences = one - other
    mean, low, high = mean_interval(differences, seed)
    p = float(wilcoxon(differences).pvalue) if differences.any() else 1.0
    return Comparison(mean, low, high, p, differences.size)


def holm(p: Sequence[float]) -> list[float]:
    """p, (n,), for n tests at once: the smallest times n, the next times n - 1, and so on, none below the one before it
    and none above one (Holm, Scand. J. Stat. 1979, 6, 65)."""
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = highest
    return adjusted


def least_p(pairs: int) -> float:
    """The smallest two-sided p that the signed-rank test can give for so many patients: all signs alike."""
    return min(1.0, 2.0 ** (1 - pairs))
