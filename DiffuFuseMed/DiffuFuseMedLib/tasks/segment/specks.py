"""Small pieces away from the lesion, which are taken for noise."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

SMALLEST_SHARE = 0.1  # a component below this share of the largest is taken for noise


def without_specks(labels: np.ndarray) -> np.ndarray:
    """labels without connected components smaller than SMALLEST_SHARE of the largest."""
    return without_far_specks(labels, np.zeros_like(labels))


def without_far_specks(outer: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A wider mask without pieces that hold nothing of the lesion and are under SMALLEST_SHARE of the largest: what is
    taken for noise in the lesion is none of its surroundings either."""
    # MONAI's RemoveSmallObjects takes a number of voxels, not a share of the largest component, which has to be counted
    parts, count = ndimage.label(outer)
    if count < 2:
        return outer
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kept = sizes >= SMALLEST_SHARE * sizes.max()
    kept[np.unique(parts[labels])] = True
    return kept[parts] & outer


def pieces_holding(mask: np.ndarray, core: np.ndarray) -> np.ndarray:
    """The connected components of a mask that hold something of another, bool [k, j, i]."""
    parts, count = ndimage.label(mask)
    kept = np.zeros(count + 1, bool)
    kept[np.unique(parts[core])] = True
    kept[0] = False
    return kept[parts]
