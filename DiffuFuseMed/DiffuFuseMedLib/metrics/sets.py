"""Measures between sets of masks, such as a network's samples and the masks of several annotators.

Any mask may be empty: two empty masks agree fully, an empty one and another not at all. Masks are bool or 0/1 arrays of
one shape; a set is a sequence of them or an array with the masks along its first axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import lcm

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..core.errors import input_error

Masks = Sequence[np.ndarray] | np.ndarray


def pairwise_dice(first: Masks, second: Masks | None = None) -> np.ndarray:
    """(n, m) Dice of every mask of the first set with every mask of the second, the first itself where it is None."""
    return _pairwise(first, second, lambda both, a, b: 2 * both / (a + b))


def pairwise_iou(first: Masks, second: Masks | None = None) -> np.ndarray:
    """(n, m) intersection over union, as pairwise_dice()."""
    return _pairwise(first, second, lambda both, a, b: both / (a + b - both))


def mean_pairwise_dice(masks: Masks) -> float:
    """How far annotators or samples agree: mean Dice over all pairs of two different masks; nan for a single one."""
    dice = pairwise_dice(masks)
    above = dice[np.triu_indices(len(dice), k=1)]
    return float(above.mean()) if above.size else float("nan")


def ged_squared(samples: Masks, references: Masks) -> float:
    """Squared generalised energy distance, 2 E d(S, Y) - E d(S, S') - E d(Y, Y') with d = 1 - IoU; 0 is best.

    S. Kohl et al., Probabilistic U-Net, NeurIPS 2018, eq. (4); CalDiff eq. (25). Each expectation is over all pairs,
    a mask with itself included, as both print it.
    """
    across, among_samples, among_references = (
        float(np.mean(1 - pairwise_iou(a, b)))
        for a, b in ((samples, references), (samples, samples), (references, references))
    )
    return 2 * across - among_samples - among_references


def hm_iou(samples: Masks, references: Masks) -> float:
    """Hungarian-matched IoU: the mean IoU of the best one-to-one matching of both sets; 1 is best.

    S. Kohl et al., arXiv:1905.13077: sets of different sizes are repeated to their least common multiple.
    """
    iou = pairwise_iou(samples, references)
    size = lcm(*iou.shape)
    repeated = np.tile(iou, (size // iou.shape[0], size // iou.shape[1]))
    return float(repeated[linear_sum_assignment(repeated, maximize=True)].mean())


def d_max(samples: Masks, references: Masks) -> float:
    """D_max of CalDiff eq. (21): the Dice of the sample nearest to each reference, as a mean; 1 is best."""
    return float(pairwise_dice(samples, references).max(axis=0).mean())


def combined_sensitivity(samples: Masks, references: Masks) -> float:
    """S_c of CalDiff eq. (23): how much of what any reference holds is in any sample, TP / (TP + FN) of both unions.

    Where no reference holds anything: 1 if no sample does either, else 0.
    """
    predicted, drawn = _flat(samples).any(axis=0), _flat(references).any(axis=0)
    if not drawn.any():
        return float(not predicted.any())
    return float(np.count_nonzero(predicted & drawn) / np.count_nonzero(drawn))


def diversity_agreement(samples: Masks, references: Masks) -> float:
    """D_a of CalDiff eq. (24): 1 less the mean difference of both sets' largest and smallest variance; 1 is best.

    The variance of two masks is 1 - Dice, over all pairs of two different masks of a set; a single mask varies by 0.
    """
    (most, least), (most_drawn, least_drawn) = _variances(samples), _variances(references)
    return 1 - (abs(most - most_drawn) + abs(least - least_drawn)) / 2


def collective_insights(samples: Masks, references: Masks) -> float:
    """CI of CalDiff eq. (22), 3 S_c D_max D_a / (S_c + D_max + D_a); 1 is best, 0 where each of the three is 0.

    A. Rahman et al., "Ambiguous medical image segmentation using diffusion models", CVPR 2023.
    """
    parts = np.array([measure(samples, references) for measure in (combined_sensitivity, d_max, diversity_agreement)])
    return float(3 * parts.prod() / parts.sum()) if parts.sum() else 0.0


def _variances(masks: Masks) -> tuple[float, float]:
    dice = pairwise_dice(masks)
    apart = 1 - dice[np.triu_indices(len(dice), k=1)]
    return (float(apart.max()), float(apart.min())) if apart.size else (0.0, 0.0)


def _pairwise(first: Masks, second: Masks | None, measure: Callable[[int, int, int], float]) -> np.ndarray:
    """measure(voxels of both, of one, of the other) for each pair; 1 where both are empty."""
    one, other = _flat(first), _flat(first if second is None else second)
    if one.shape[1] != other.shape[1]:
        given = f"masks of {one.shape[1]} and of {other.shape[1]} voxels"
        raise input_error(given, "masks on one grid", "resample one of the sets")
    sizes = one.sum(axis=1), other.sum(axis=1)
    found = np.ones((len(one), len(other)))
    for i, j in np.ndindex(found.shape):
        if sizes[0][i] or sizes[1][j]:
            found[i, j] = measure(int(np.count_nonzero(one[i] & other[j])), int(sizes[0][i]), int(sizes[1][j]))
    return found


def _flat(masks: Masks) -> np.ndarray:
    """(n, voxels) bool; raises InputError for an empty set and for masks of several shapes."""
    arrays = [np.asarray(mask) for mask in masks]
    if not arrays:
        raise input_error("a set without a mask", "at least one", "give the masks to compare")
    if len(shapes := {a.shape for a in arrays}) > 1:
        raise input_error(f"masks of the shapes {sorted(shapes)}", "one shape", "resample them to one grid")
    return np.stack([a.astype(bool).ravel() for a in arrays])
