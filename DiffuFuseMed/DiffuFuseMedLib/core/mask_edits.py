"""Edits of a mask by a rule: what a tool does to all of it at once, without a viewer.

An Edit takes the mask, bool [k, j, i], and where it may change, None for anywhere, and gives a new mask.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from .voxels import bounds_of

Edit = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
Box = tuple[slice, ...]


def adding(values: np.ndarray, low: float, high: float) -> Edit:
    """Add what holds a value from low to high. values: [k, j, i], on the mask's grid."""

    def edit(mask: np.ndarray, where: np.ndarray | None) -> np.ndarray:
        box = (slice(None),) * 3 if where is None else _box(where)
        part = values[box]
        return _changed(mask, box, mask[box] | ((part >= low) & (part <= high)), where)

    return edit


def keeping_largest(mask: np.ndarray, where: np.ndarray | None) -> np.ndarray:
    """An Edit of a mask [k, j, i]: take away all but the largest piece of voxels that touch by a face; of all, not
    of its part in `where`."""
    box = _box(mask)
    labels, _count = ndimage.label(mask[box])
    sizes = np.bincount(labels.reshape(-1))
    sizes[:1] = 0  # what is no piece
    return _changed(mask, box, mask[box] & (labels == sizes.argmax()), where) if sizes.any() else mask.copy()


def smoothing(size_kji: tuple[int, int, int]) -> Edit:
    """Median over a block of voxels, an odd number along each axis: of a mask, what most of the block is."""

    def edit(mask: np.ndarray, where: np.ndarray | None) -> np.ndarray:
        box = _grown(_box(mask), size_kji, mask.shape)
        share = ndimage.uniform_filter(mask[box].astype(np.float32), size_kji, mode="nearest")
        return _changed(mask, box, share > 0.5, where)

    return edit


def odd_voxels(size_mm: float, spacing_kji_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """The odd number of voxels along each axis that is nearest to a length, one at least."""
    k, j, i = (max(1, 2 * round((size_mm / mm - 1) / 2) + 1) for mm in spacing_kji_mm)
    return k, j, i


def _changed(mask: np.ndarray, box: Box, found: np.ndarray, where: np.ndarray | None) -> np.ndarray:
    changed = mask.copy()
    changed[box] = found if where is None else np.where(where[box], found, mask[box])
    return changed


def _box(mask: np.ndarray) -> Box:
    return tuple(slice(a, b) for a, b in zip(*bounds_of(mask), strict=True))


def _grown(box: Box, size_kji: tuple[int, int, int], shape: tuple[int, ...]) -> Box:
    """With room for half a block on each side."""
    sides = zip(box, size_kji, shape, strict=True)
    return tuple(slice(max(0, part.start - n // 2), min(count, part.stop + n // 2)) for part, n, count in sides)
