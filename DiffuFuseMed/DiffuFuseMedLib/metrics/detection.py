"""How well a map of uncertainty finds what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

CLIP = 1e-6


def auroc(score: np.ndarray, wrong: np.ndarray) -> float:
    """Chance that a wrong voxel has a higher score than a right one, ties counting half (the area under the ROC curve);
    nan without both. score: any numbers, wrong: bool, of one shape."""
    ranks, wrong = rankdata(score.ravel()), wrong.ravel()
    bad, good = int(wrong.sum()), int((~wrong).sum())
    if not bad or not good:
        return float("nan")
    return float((ranks[wrong].sum() - bad * (bad + 1) / 2) / (bad * good))


def s_ncc(samples: np.ndarray, references: Sequence[np.ndarray], mask: np.ndarray) -> float:
    """S_NCC of CalDiff eq. (20): the normalised cross correlation (19) of how samples differ, E CE(mean, s), with their
    error, E CE(y, s), a mean over the references; nan where either map is flat.

    samples: (n, *space) probabilities; references: bool [*space] each; mask: bool [*space], where both are compared.
    """
    inside = np.clip(samples[:, mask], CLIP, 1 - CLIP)
    spread = _cross_entropy(inside.mean(axis=0), inside)
    return float(np.mean([_ncc(spread, _cross_entropy(y[mask].astype(float), inside)) for y in references]))


def _cross_entropy(target: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Expected over the samples, (voxels,)."""
    return -(target * np.log(samples) + (1 - target) * np.log1p(-samples)).mean(axis=0)


def _ncc(first: np.ndarray, second: np.ndarray) -> float:
    a, b = first - first.mean(), second - second.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size else float("nan")
