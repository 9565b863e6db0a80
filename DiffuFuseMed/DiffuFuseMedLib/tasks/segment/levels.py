"""How far a lesion's number reaches between the outlines that the mean of all samples draws at a low and a high level.

Samples that lie close together say nothing of where their mean itself is unsure; its level sets say both.
"""

from __future__ import annotations

import sys

import numpy as np

from ...core.grid import Grid
from ...core.voxels import Voxels
from ...uncertainty import level_spread
from .drawn import Drawn
from .outlines import sample_outlines
from .specks import without_far_specks, without_specks

LEVELS = (0.1, 0.9)


def level_outlines(drawn: Drawn, grid: Grid) -> tuple[Voxels, Voxels]:
    """Where the mean probability of all samples, the network's own, exceeds LEVELS, without specks; on `grid`."""
    mean = drawn.mean()
    lesion = without_specks(drawn.deciding_mean() > 0.5)
    wide, narrow = (_outline(mean, lesion, at, drawn.grid, grid) for at in LEVELS)
    return wide, narrow


def volume_spread(volume_ml: float, outlines: tuple[Voxels, Voxels], grid: Grid) -> float:
    """level_spread() of the volume; outlines: level_outlines() on `grid`."""
    wide, narrow = (outline.count() * grid.voxel_mm3 / 1000 for outline in outlines)
    return level_spread(volume_ml, wide, narrow)


def _outline(mean: np.ndarray, lesion: np.ndarray, at: float, source: Grid, grid: Grid) -> Voxels:
    near = np.where(without_far_specks(mean > at, lesion), mean, np.float32(0))
    (outline,) = sample_outlines(near[None], source, grid, most_bytes=sys.maxsize, at=at)
    return outline
