"""How well a map of uncertainty finds what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from ..core.errors import input_error

CLIP = 1e-6
FLAT = 1e-6  # the share of its highest value by which a flat map may still vary: rounding


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
    drawn, left = _log_likelihoods(samples)
    mean = np.mean([_clipped(sample) for sample in samples], axis=0)
    return -(mean * drawn + (1 - mean) * left)


def error_map(samples: np.ndarray, references: Sequence[np.ndarray]) -> np.ndarray:
    """CalDiff III-D: the cross entropy of each sample with each reference, E CE(y, s), in nats; gives (*space).

    samples: (n, *space) probabilities, clipped to [1e-6, 1 - 1e-6]; references: bool [*space] each, at least one.
    Raises InputError without a reference.
    """
    if not len(references):
        raise input_error("an error map without a reference", "at least one mask", "give the masks to compare with")
    drawn, left = _log_likelihoods(samples)
    share = np.mean([np.asarray(y, bool) for y in references], axis=0)  # linear in them: their mean stands for all
    return -(share * drawn + (1 - share) * left)


def s_ncc(samples: np.ndarray, references: Sequence[np.ndarray], mask: np.ndarray) -> float:
    """S_NCC of CalDiff eq. (20): the normalised cross correlation (19) of uncertainty_map() with each reference's own
    error_map(), a mean over the references; nan where either map is flat.

    samples: (n, *space) probabilities; references: bool [*space] each; mask: bool [*space], where both are compared.
    """
    inside = samples[:, mask]
    spread, (drawn, left) = uncertainty_map(inside), _log_likelihoods(inside)
    return float(np.mean([_ncc(spread, -np.where(y[mask], drawn, left)) for y in references]))


def _log_likelihoods(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E ln s and E ln(1 - s) over the samples, (*space) each; one sample at a time, since a volume has many voxels."""
    drawn, left = np.zeros(samples.shape[1:]), np.zeros(samples.shape[1:])
    for sample in samples:
        p = _clipped(sample)
        drawn += np.log(p) / len(samples)
        left += np.log1p(-p) / len(samples)
    return drawn, left


def _clipped(sample: np.ndarray) -> np.ndarray:
    """In float64, in which 1 - CLIP is as far from 1 as CLIP is from 0."""
    return np.clip(sample.astype(np.float64), CLIP, 1 - CLIP)


def _ncc(first: np.ndarray, second: np.ndarray) -> float:
    a, b = first - first.mean(), second - second.mean()
    if any(np.ptp(map_) <= FLAT * np.abs(map_).max(initial=0) for map_ in (first, second)):
        return float("nan")
    return float((a * b).sum()) / float(np.sqrt((a**2).sum() * (b**2).sum()))
