"""Binary shapes in two and three dimensions: discs by distance, pieces by size, holes. Arrays [j, i] or [k, j, i]."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def eroded(mask: np.ndarray, radius: float, spacing: tuple[float, ...] | None = None) -> np.ndarray:
    """What lies further than radius from the outside; the array's edge is no outside. Unit of spacing, else pixels."""
    if radius <= 0 or mask.all():
        return mask.copy()
    return ndimage.distance_transform_edt(mask, sampling=spacing) > radius


def dilated(mask: np.ndarray, radius: float, spacing: tuple[float, ...] | None = None) -> np.ndarray:
    """What lies within radius of the mask."""
    if radius <= 0 or not mask.any():
        return mask.copy()
    return ndimage.distance_transform_edt(~mask, sampling=spacing) <= radius


def opened(mask: np.ndarray, radius: float, spacing: tuple[float, ...] | None = None) -> np.ndarray:
    return dilated(eroded(mask, radius, spacing), radius, spacing) & mask


def closed(mask: np.ndarray, radius: float, spacing: tuple[float, ...] | None = None) -> np.ndarray:
    return eroded(dilated(mask, radius, spacing), radius, spacing) | mask


def pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(labels, sizes): labels 1.. of the pieces, corners touching; sizes in voxels by label, sizes[0] = 0."""
    labels, count = ndimage.label(mask, np.ones((3,) * mask.ndim, dtype=bool))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    return labels, sizes


def without_small(mask: np.ndarray, voxels: float) -> np.ndarray:
    """The pieces of at least so many voxels."""
    labels, sizes = pieces(mask)
    return (sizes >= max(voxels, 1))[labels]


def largest(mask: np.ndarray) -> np.ndarray:
    """The largest piece; empty for an empty mask."""
    labels, sizes = pieces(mask)
    return (labels == sizes.argmax()) & mask


def touching(mask: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """The pieces of mask that hold a voxel of seed."""
    labels, sizes = pieces(mask)
    hit = np.zeros(sizes.size, dtype=bool)
    hit[labels[seed & mask]] = True
    hit[0] = False
    return hit[labels]


def filled(mask: np.ndarray) -> np.ndarray:
    """A picture's mask without holes."""
    return ndimage.binary_fill_holes(mask)


def box(mask: np.ndarray, margin: int = 0) -> tuple[slice, ...]:
    """The bounding box of the mask, widened by a margin in voxels; everything for an empty mask."""
    found = ndimage.find_objects(mask.astype(np.uint8))
    if not found:
        return tuple(slice(0, n) for n in mask.shape)
    return tuple(slice(max(s.start - margin, 0), s.stop + margin) for s in found[0])


def pasted(part: np.ndarray, where: tuple[slice, ...], shape: tuple[int, ...]) -> np.ndarray:
    """A mask of this shape that holds part in the box and nothing elsewhere."""
    whole = np.zeros(shape, dtype=bool)
    whole[where] = part
    return whole
