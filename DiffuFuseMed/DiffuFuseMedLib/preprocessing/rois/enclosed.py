"""How much of the horizon is bone, as seen from each pixel: the brain looks at bone on (almost) every side.

Closing a skull until it holds water fails at the skull base, where orbits, sinuses and foramina leave gaps wider than
the bone is thick. Rays do not need the ring to be closed.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

TURNS = 6
SHRINK = 2


def enclosure(bone: np.ndarray) -> np.ndarray:
    """float32 [j, i], 0 to 1: the share of 4 * TURNS evenly spread rays from the pixel that meet bone in the picture.

    Worked out at half resolution, where a pixel is bone when any of its four is.
    """
    small = _any_of_blocks(bone)
    side = int(np.ceil(np.hypot(*small.shape))) + 2
    square = _centered(small, side)
    hits = np.zeros((side, side), dtype=np.float32)
    for turn in range(TURNS):
        angle = 90.0 * turn / TURNS
        seen = _axis_hits(_rotated(square, angle) > 0.5)
        hits += _rotated(seen, -angle)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    share = hits[top : top + small.shape[0], left : left + small.shape[1]] / (4 * TURNS)
    return np.kron(share, np.ones((SHRINK, SHRINK), np.float32))[: bone.shape[0], : bone.shape[1]]


def _axis_hits(bone: np.ndarray) -> np.ndarray:
    """Of the rays left, right, up and down: how many meet bone."""
    hits = np.zeros(bone.shape, dtype=np.float32)
    for axis in (0, 1):
        hits += np.maximum.accumulate(bone, axis=axis)
        hits += np.flip(np.maximum.accumulate(np.flip(bone, axis), axis=axis), axis)
    return hits


def _any_of_blocks(mask: np.ndarray) -> np.ndarray:
    padded = np.pad(mask, [(0, -n % SHRINK) for n in mask.shape])
    j, i = padded.shape
    return np.any(padded.reshape(j // SHRINK, SHRINK, i // SHRINK, SHRINK), axis=(1, 3))


def _centered(mask: np.ndarray, side: int) -> np.ndarray:
    top, left = (side - mask.shape[0]) // 2, (side - mask.shape[1]) // 2
    square = np.zeros((side, side), dtype=np.float32)
    square[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return square


def _rotated(square: np.ndarray, angle_degrees: float) -> np.ndarray:
    if angle_degrees == 0:
        return square
    return ndimage.rotate(square, angle_degrees, reshape=False, order=1)
