"""What a reader made of real and synthetic images: how often right, and whether that is more than guessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from .detection import auroc


@dataclass(frozen=True)
class ReaderScore:
    """answered, right: items; low, high: 95 % interval (Wilson) of the share that is right; sensitivity: of synthetic
    items called synthetic, specificity: of real ones called real, nan where there is none; auroc: by how sure, 0.5 for
    guessing, nan for items of one kind; p: that guessing is as often right, two-sided (exact binomial)."""

    answered: int
    right: int
    low: float
    high: float
    sensitivity: float
    specificity: float
    auroc: float
    p: float


def reader_score(synthetic: Sequence[bool], said: Sequence[bool], sure: Sequence[int]) -> ReaderScore:
    """synthetic: what each item is; said: what the reader called synthetic; sure: 1 to 3; (n,) each, n > 0."""
    truth, called = np.asarray(synthetic, bool), np.asarray(said, bool)
    right = int((truth == called).sum())
    found = binomtest(right, truth.size, 0.5)
    interval = found.proportion_ci(0.95, "wilson")
    suspicion = np.where(called, 1, -1) * np.asarray(sure, float)
    both = truth.any() and not truth.all()
    return ReaderScore(
        answered=truth.size,
        right=right,
        low=float(interval.low),
        high=float(interval.high),
        sensitivity=_share(called[truth]),
        specificity=_share(~called[~truth]),
        auroc=auroc(suspicion, truth) if both else float("nan"),
        p=float(found.pvalue),
    )


def _share(hits: np.ndarray) -> float:
    return float(hits.mean()) if hits.size else float("nan")
