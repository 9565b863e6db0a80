"""Where slice views are: which array slice one shows, jumping to a place, values under the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from slicer import vtkMRMLSliceNode

from ..core.grid import Grid
from ..core.planes import PLANES
from .geometry import flipped, to_numpy

PARALLEL = 1e-3  # sine of the angle up to which a slice counts as lying in the grid: 0.06 degrees


def plane_of(slice_node: vtkMRMLSliceNode, grid: Grid) -> str | None:
    """The array plane that the view is parallel to, however it is turned in that plane; None when it is oblique."""
    normal = flipped(to_numpy(slice_node.GetSliceToRAS())[:3, 2])
    normal = normal / np.linalg.norm(normal)
    for plane, axis in PLANES.items():
        in_plane = np.delete(np.reshape(grid.direction, (3, 3)), 2 - axis, axis=1)
        if np.abs(normal @ in_plane).max() < PARALLEL:
            return plane
    return None


def slice_index(slice_node: vtkMRMLSliceNode, grid: Grid) -> tuple[str, int] | None:
    """(plane, index) of the array slice nearest to the one shown; None when it is oblique or outside the grid."""
    plane = plane_of(slice_node, grid)
    if plane is None:
        return None
    axis = PLANES[plane]
    center = flipped(to_numpy(slice_node.GetSliceToRAS())[:3, 3])
    index = _nearest(grid.to_index(center)[2 - axis])
    return (plane, int(index)) if 0 <= index < grid.shape[axis] else None


def jump(slice_nodes: Iterable[vtkMRMLSliceNode], center_lps: tuple[float, float, float]) -> None:
    """Move every view so that this place (LPS mm) is in its middle; their orientation and zoom stay."""
    for node in slice_nodes:
        node.JumpSliceByCentering(*flipped(center_lps).tolist())


def probe(ras: tuple[float, float, float], arrays: Mapping[str, tuple[np.ndarray, Grid]]) -> dict[str, float | None]:
    """The voxel values nearest to a place (RAS mm), by name; arrays: name -> (array [k, j, i], its Grid).

    None outside a grid's voxels. `volumes.array_of` gives an array without a copy.
    """
    return {name: _value(flipped(ras), array, grid) for name, (array, grid) in arrays.items()}


def _value(point_lps: np.ndarray, array: np.ndarray, grid: Grid) -> float | None:
    index = _nearest(grid.to_index(point_lps))[::-1]
    inside = np.all((index >= 0) & (index < grid.shape))
    return float(array[tuple(index)]) if inside else None


def _nearest(index: np.ndarray) -> np.ndarray:
    """Whole numbers; half way goes up, always, where rint would go to the even one."""
    return np.floor(index + 0.5).astype(int)
