"""How a case is looked at: on which grid, in windows of which shape, at which zooms, through which mirrors.

Arrays are [k, j, i]. A 2D network sees slices: its window is a stack of them, (slices, j, i), and they are its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from torch import Tensor

from ...core.grid import Grid
from ...core.triples import triple
from ...networks.inputs import network_grid

VIEW_ZOOMS, LEAST_ZOOM = (0.8, 1.3), 0.05  # the zooms that every training window may have, training/windows.py


def grid_of(case_grid: Grid, spacing_mm: Sequence[float]) -> Grid:
    """The network's grid over the case. spacing_mm: (k, j, i), or (j, i) of a 2D network that takes slices as they are
    apart."""
    kji = spacing_mm if len(spacing_mm) == 3 else (case_grid.spacing_kji_mm[0], *spacing_mm)
    return network_grid(case_grid, triple(kji))


def view_grids(grid: Grid, window: Sequence[int], spatial_dims: int = 3) -> list[Grid]:
    """The network's own grid, and one scaled towards the case just filling the window, as far as training varied scale.

    A small case is seen in finer voxels, a large one with more of its surroundings: two looks that err differently. The
    slices of a 2D network are scaled in their plane.
    """
    pairs = list(zip(grid.shape, window, strict=True))[-spatial_dims:]
    zoom = min(max(max(n / w for n, w in pairs), VIEW_ZOOMS[0]), VIEW_ZOOMS[1])
    if abs(zoom - 1) < LEAST_ZOOM:
        return [grid]
    scaled = [s * zoom if axis < spatial_dims else s for axis, s in enumerate(grid.spacing_mm)]
    return [grid, grid.with_spacing(triple(scaled))]


def mirrors(spatial_dims: int) -> list[list[int]]:
    """Every set of axes to mirror (C, K, J, I) along, among those that the network looks along."""
    axes, choices = range(4 - spatial_dims, 4), product((False, True), repeat=spatial_dims)
    return [[axis for axis, on in zip(axes, choice, strict=True) if on] for choice in choices]


def as_batch(volume: Tensor, spatial_dims: int) -> Tensor:
    """(C, K, J, I) -> (1, C, K, J, I), or (K, C, J, I) for a 2D network."""
    return volume[None] if spatial_dims == 3 else volume.movedim(1, 0)


def as_volume(batch: Tensor, spatial_dims: int) -> Tensor:
    """as_batch() undone."""
    return batch[0] if spatial_dims == 3 else batch.movedim(0, 1)
