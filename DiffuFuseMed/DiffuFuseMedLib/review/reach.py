"""Reach: where the regions of a worklist lie, with what lies just around them and may be changed with them."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, find_objects

from ..core.triples import triple
from .regions import Worklist

REACH_MM = 4.0  # around a region that may be edited: its border is what is being corrected

Box = tuple[slice, slice, slice]
Spacing = tuple[float, float, float]


class Places:
    """Boxes of a worklist's regions; looked for once, since the whole image takes its time."""

    def __init__(self, worklist: Worklist) -> None:
        self.worklist, self._found = worklist, find_objects(worklist.labels)

    def box(self, region_id: int, around_mm: float = REACH_MM) -> Box:
        """The box [k, j, i] of a region and so much around it, a voxel at least; it may end beyond the image."""
        steps = _steps(self.worklist.grid.spacing_kji_mm, around_mm)
        sides = zip(self._found[region_id - 1], steps, strict=True)
        return triple(slice(max(0, part.start - n), part.stop + n) for part, n in sides)

    def region(self, region_id: int, box: Box) -> np.ndarray:
        """bool [k, j, i] of a box: the region's voxels."""
        return self.worklist.labels[box] == region_id


def reach(region: np.ndarray, spacing_kji_mm: Spacing) -> np.ndarray:
    """region: bool [k, j, i] -> the region with REACH_MM around it, a voxel at least."""
    steps = _steps(spacing_kji_mm, REACH_MM)
    around = np.ogrid[tuple(slice(-n, n + 1) for n in steps)]
    return binary_dilation(region, sum((part / n) ** 2 for part, n in zip(around, steps, strict=True)) <= 1)


def _steps(spacing_kji_mm: Spacing, by_mm: float) -> list[int]:
    """So many mm in voxels along k, j, i."""
    return [max(1, round(by_mm / s)) for s in spacing_kji_mm]
