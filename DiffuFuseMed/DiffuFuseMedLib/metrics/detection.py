"""How well a map of uncertainty finds what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from ..core.errors import input_error

CLIP = 1e-6


def auroc(score: np.ndarray, wrong: np.ndarray) -> float:
    """Chance that a wrong voxel has a higher score than a right one, ties counting half (the area under the ROC curve);
    nan without both. score: any numbers, wrong: bool, of one shape."""
    ranks, wrong = rankdata(score.ravel()), wrong.ravel()
    bad, good = int(wrong.sum()), int((~wrong).sum())
    if not bad or not good:
        return float("nan")
    return float((ranks[wrong].sum() - bad * (bad + 1) / 2) / (bad * good))


def uncertainty_map(samples: np.ndarray) -> np.ndarray:
    """CalDiff III-D, the gamma map: the cross entropy of each sample with the samples' mean, E CE(mean, s), in nats.

    samples: (n, *space) probabilities, clipped to [1e-6, 1 - 1e-6]; gives (*space).
    """
    clipped = _clipped(samples)
    return _cross_entropy(clipped.mean(axis=0), clipped)


def error_map(samples: np.ndarray, references: Sequence[np.ndarray]) -> np.ndarray:
    """CalDiff III-D: the cross entropy of each sample with each reference, E CE(y, s), in nats; gives (*space).

    samples: (n, *space) probabilities, clipped to [1e-6, 1 - 1e-6]; references: bool [*space] each, at least one.
    Raises InputError without a reference.
    """
    if not len(references):
        raise input_error("an error map without a reference", "at least one mask", "give the masks to compare with")
    # linear in the reference, so that their mean stands for all of them
    return _cross_entropy(np.mean([np.asarray(y, bool) for y in references], axis=0), _clipped(samples))


def s_ncc(samples: np.ndarray, references: Sequence[np.ndarray], mask: np.ndarray) -> float:
    """S_NCC of CalDiff eq. (20): the normalised cross correlation (19) of uncertainty_map() with each reference's own
    error_map(), a mean over the references; nan where either map is flat.

    samples: (n, *space) probabilities; references: bool [*space] each; mask: bool [*space], where both are compared.
    """
    inside = samples[:, mask]
    spread = uncertainty_map(inside)
    return float(np.mean([_ncc(spread, error_map(inside, [y[mask]])) for y in references]))


def _clipped(samples: np.ndarray) -> np.ndarray:
    return np.clip(samples, CLIP, 1 - CLIP)


def _cross_entropy(target: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Expected over the samples, (*space)."""
    return -(target * np.log(samples) + (1 - target) * np.log1p(-samples)).mean(axis=0)


def _ncc(first: np.ndarray, second: np.ndarray) -> float:
    a, b = first - first.mean(), second - second.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size else float("nan")
