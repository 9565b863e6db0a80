"""Outlines: what a region's border might be, by where it comes from: a sample, a level of probability, a modality less,
the border moved.

All masks are bool [k, j, i] of one box around the region.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.ndimage import distance_transform_edt
from scipy.spatial.distance import squareform

from ..core.modalities import short_of

SAME = 0.1  # Dice distance in the region up to which two outlines are one to a reader
SHIFTS_MM = (1.5, 3.0, 5.0, 8.0)  # no farther than the boxes are wide around a region
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of a region that a level of the probability calls lesion


@dataclass(frozen=True)
class Outline:
    """source: where it comes from, in words; share: of the samples that are like it, 0 to 1, None for one that is none
    of the samples'."""

    mask: np.ndarray
    source: str
    share: float | None = None


def dice_distance(first: np.ndarray, second: np.ndarray) -> float:
    """1 - Dice of two bool masks, 0 where both are empty."""
    size = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return 1 - 2 * int(np.count_nonzero(first & second)) / size if size else 0.0


def grouped(masks: Sequence[np.ndarray], most: int, same: float = SAME) -> list[list[int]]:
    """Masks that are alike, by their indices: the largest group first, then the one that begins first.

    Average linkage of their Dice distances, cut at `same`, or higher where there would be more than `most` groups.
    """
    if len(masks) < 2:
        return [[n] for n in range(len(masks))]
    tree = linkage(squareform(_distances(masks)), "average")
    labels = fcluster(tree, same, "distance")
    if labels.max() > most:
        labels = fcluster(tree, most, "maxclust")
    groups = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    return sorted(groups, key=lambda group: (-len(group), group[0]))


def middle_of(masks: Sequence[np.ndarray], group: Sequence[int]) -> int:
    """The one of the group that is nearest to all others of it, the first of equals."""
    distances = _distances([masks[n] for n in group])
    return group[int(distances.sum(axis=1).argmin())]


def sample_outlines(samples: Sequence[np.ndarray], region: np.ndarray, most: int) -> list[Outline]:
    """One outline for each group of samples that are alike in the region: its middle one, with the group's share."""
    inside = [sample[region] for sample in samples]
    found = []
    for group in grouped(inside, most):
        words = f"{len(group)} of {len(samples)} samples" if len(samples) > 1 else "the one sample"
        found.append(Outline(samples[middle_of(inside, group)], words, len(group) / len(samples)))
    return found


def level_outlines(probability: np.ndarray, region: np.ndarray) -> list[Outline]:
    """Levels of the probability that call SHARES of the region lesion: fixed ones would be the same outline in most
    regions, each of which lies on one side of the border. probability: calibrated [k, j, i] of the box."""
    values = np.sort(probability[region])[::-1]
    found = [Outline(probability > values[0], "none of this region")]
    for share in SHARES[1:-1]:
        level = values[max(0, round(share * len(values)) - 1)]
        found.append(Outline(probability >= level, f"lesion where at least {100 * level:.0f} % probable"))
    return [*found, Outline(probability >= values[-1], "all of this region")]


def outlines_without(without: Mapping[str, np.ndarray]) -> list[Outline]:
    """without: by modality, the lesion as the model draws it with that one switched off."""
    return [Outline(mask, f"without {short_of(modality)}") for modality, mask in without.items()]


def shifted_outlines(lesion: np.ndarray, spacing_kji_mm: tuple[float, float, float]) -> list[Outline]:
    """The lesion with its border by SHIFTS_MM farther in, and farther out; none of a box without a border."""
    if lesion.all() or not lesion.any():
        return []
    outside, inside = (distance_transform_edt(mask, sampling=spacing_kji_mm) for mask in (~lesion, lesion))
    moved = [Outline(inside > mm, f"border {mm:g} mm farther in") for mm in SHIFTS_MM]
    return moved + [Outline(outside <= mm, f"border {mm:g} mm farther out") for mm in SHIFTS_MM]


def _distances(masks: Sequence[np.ndarray]) -> np.ndarray:
    """(n, n) Dice distances."""
    found = np.zeros((len(masks), len(masks)))
    for a in range(len(masks)):
        for b in range(a):
            found[a, b] = found[b, a] = dice_distance(masks[a], masks[b])
    return found
