"""Grids and MRML's matrices: LPS inside the library, RAS in MRML; both are changed into each other only here."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from slicer import vtkMRMLTransformableNode, vtkMRMLTransformNode
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from ..core.checks import check_spacing
from ..core.grid import Grid
from ..core.triples import triple

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])  # its own inverse


def to_numpy(matrix: vtkMatrix4x4) -> np.ndarray:
    """4 x 4 float64."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def to_vtk(matrix: np.ndarray) -> vtkMatrix4x4:
    """From 4 x 4 numbers."""
    result = vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, dtype=float).ravel().tolist())
    return result


def ras_matrix(grid: Grid) -> vtkMatrix4x4:
    """From voxel index (i, j, k) to RAS mm."""
    return to_vtk(LPS_TO_RAS @ grid.affine_lps())


def grid_of_ras(ijk_to_ras: np.ndarray, size: tuple[int, int, int], name: str) -> Grid:
    """The Grid of a 4 x 4 matrix to RAS mm; size: voxels along i, j, k. InputError for a spacing of zero."""
    affine = LPS_TO_RAS @ ijk_to_ras
    spacing_mm = np.linalg.norm(affine[:3, :3], axis=0)
    check_spacing(spacing_mm, name)
    direction = affine[:3, :3] / spacing_mm
    return Grid(
        triple(int(n) for n in size),
        triple(spacing_mm.tolist()),
        triple(affine[:3, 3].tolist()),
        tuple(direction.ravel().tolist()),
    )


def flipped(point: ArrayLike) -> np.ndarray:
    """LPS of RAS points, or RAS of LPS points, (..., 3)."""
    return np.asarray(point, dtype=float) * (-1.0, -1.0, 1.0)


def linear_between(source: vtkMRMLTransformableNode, target: vtkMRMLTransformableNode | None) -> np.ndarray | None:
    """4 x 4 from the coordinates of a node to those of another (None: the world), by their parent transforms; None when
    that is not linear."""
    parents = [node and node.GetParentTransformNode() for node in (source, target)]
    if parents[0] is parents[1]:
        return np.eye(4)
    if not all(parent is None or parent.IsTransformToWorldLinear() for parent in parents):
        return None
    matrix = vtkMatrix4x4()
    vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(*parents, matrix)
    return to_numpy(matrix)
