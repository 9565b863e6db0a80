"""Clusters: what lies far apart is worked on apart, so that memory and time go with the doubt and not with the image.

Distance maps and flooding over the one box around everything took 19 GB of a 512 x 512 x 300 scan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..core.grid import Grid
from .patches import EVERY_NEIGHBOR

MARGIN_MM = 12.0  # at least so much is around the marked voxels of a cluster: three times the smoothing


@dataclass(frozen=True)
class Cluster:
    """box: its part of the image [k, j, i]; own: bool in the box, the voxels that are no other cluster's."""

    box: tuple[slice, ...]
    own: np.ndarray


def clusters(marked: Iterable[np.ndarray], grid: Grid) -> list[Cluster]:
    """marked: bool [j, i], one for each slice of the grid. Voxels of two clusters are 2 MARGIN_MM or more apart."""
    block = [max(1, int(np.ceil(MARGIN_MM / s))) for s in grid.spacing_kji_mm]
    coarse = np.zeros([-(-n // b) for n, b in zip(grid.shape, block, strict=True)], bool)
    for k, slice_ in enumerate(marked):
        if slice_.any():
            coarse[k // block[0]] |= _any_in_blocks(slice_, block[1:])
    parts, _ = ndimage.label(ndimage.binary_dilation(coarse, EVERY_NEIGHBOR), EVERY_NEIGHBOR)
    found = enumerate(ndimage.find_objects(parts), 1)
    return [_cluster(parts[box] == number, box, block, grid.shape) for number, box in found]


def _any_in_blocks(mask: np.ndarray, block: list[int]) -> np.ndarray:
    for axis, step in enumerate(block):
        mask = np.logical_or.reduceat(mask, np.arange(0, mask.shape[axis], step), axis=axis)
    return mask


def _cluster(own: np.ndarray, coarse: tuple[slice, ...], block: list[int], shape: tuple[int, ...]) -> Cluster:
    ends = zip(coarse, block, shape, strict=True)
    box = tuple(slice(part.start * b, min(part.stop * b, n)) for part, b, n in ends)
    for axis, step in enumerate(block):
        own = np.repeat(own, step, axis=axis)
    return Cluster(box, own[tuple(slice(part.stop - part.start) for part in box)])
