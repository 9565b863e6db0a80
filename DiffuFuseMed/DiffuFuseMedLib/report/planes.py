"""Planes: how the patient is cut and which way up the cut is shown (radiological convention)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core.grid import Grid
from ..core.triples import pair


@dataclass(frozen=True)
class Plane:
    """axis: the array axis the plane is normal to; edges: patient side at the left, right, top and bottom edge, "" of a
    picture; upward: whether rows are counted from the bottom (they run to superior)."""

    name: str
    axis: int
    edges: tuple[str, str, str, str]
    upward: bool
    sides: tuple[str, str]  # of the patient, for a negative and a positive position along LPS

    def cut(self, array: np.ndarray, index: int) -> np.ndarray:
        """The slice [row, column] as shown: first row at the top."""
        shown = np.take(array, index, axis=self.axis)
        return shown[::-1] if self.upward else shown

    def pixel_mm(self, grid: Grid) -> tuple[float, float]:
        """Height and width of a pixel."""
        return pair(mm for axis, mm in enumerate(grid.spacing_kji_mm) if axis != self.axis)

    def position(self, grid: Grid, index: int) -> str:
        """Where the slice through the grid's middle lies in the patient, such as "S 412 mm"; "" where nothing tells."""
        if not any(self.sides):
            return ""
        middle = [(n - 1) / 2 for n in grid.size]
        middle[2 - self.axis] = index
        mm = round(float(grid.to_physical(np.array(middle))[2 - self.axis]))
        return f"{self.sides[mm >= 0]} {abs(mm)} mm"

    def place(self, grid: Grid, index: int) -> str:
        """Which slice it is, such as "Axial slice at S 412 mm"."""
        position = self.position(grid, index)
        return f"{self.name} slice at {position}" if position else self.name


AXIAL = Plane("Axial", 0, ("R", "L", "A", "P"), False, ("I", "S"))
CORONAL = Plane("Coronal", 1, ("R", "L", "S", "I"), True, ("A", "P"))
SAGITTAL = Plane("Sagittal", 2, ("A", "P", "S", "I"), True, ("R", "L"))
PLANES = (AXIAL, CORONAL, SAGITTAL)


def planes_of(grid: Grid) -> tuple[Plane, ...]:
    """All three, or of a single slice, a picture of which nobody knows how the patient lay, that one."""
    if 1 not in grid.shape:
        return PLANES
    seen = PLANES[grid.shape.index(1)]
    return (replace(seen, name="Picture", edges=("", "", "", ""), sides=("", "")),)
