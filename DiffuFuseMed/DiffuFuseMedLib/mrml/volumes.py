"""Volume nodes: to a Volume of this library, from an array, and the voxels of a shown one replaced in place."""

from __future__ import annotations

import numpy as np
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLScene, vtkMRMLVolumeNode
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkDataArray
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from ..core.errors import input_error
from ..core.grid import Grid
from ..core.planes import PLANES
from .geometry import grid_of_ras, ras_matrix, to_numpy
from .nodes import one_modified, set_tag

ROLE = "role"
STORED_AS = {"bool": np.uint8, "int64": np.int32, "uint64": np.uint32, "float16": np.float32}
WINDOW_PERCENTILES = (0.5, 99.5)
WINDOW_SAMPLES = 200_000


def grid_of(node: vtkMRMLVolumeNode) -> Grid:
    """Where the node's voxels lie by its own geometry, without a parent transform. InputError for a node without."""
    image = _image_of(node)
    matrix = vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    first = np.eye(4)
    first[:3, 3] = image.GetExtent()[::2]  # an image cropped in place keeps the indices it had
    return grid_of_ras(to_numpy(matrix) @ first, image.GetDimensions(), "the volume node")


def array_of(node: vtkMRMLVolumeNode) -> np.ndarray:
    """A view [k, j, i] of the node's own voxels; InputError for an empty node or several values per voxel.

    Whoever writes to it calls `voxels_changed`.
    """
    image = _image_of(node)
    values = image.GetNumberOfScalarComponents()
    if values != 1:
        given = f"a volume node with {values} values per voxel (RGB or vector)"
        raise input_error(given, "one gray value per voxel", "choose the single-channel volume")
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def add_volume(
    scene: vtkMRMLScene, array: np.ndarray, grid: Grid, name: str, role: str | None = None, share: bool = False
) -> vtkMRMLScalarVolumeNode:
    """A new volume node that holds a copy of array [k, j, i]; its window spans nearly all values, shown as they are.

    role: written as a tag, for `nodes.find`. bool is stored as uint8, int64 as int32, float16 as float32. share: hold
    the array itself, which nobody writes to from then on; a large case is in memory once less.
    """
    if array.shape != grid.shape:
        raise ValueError(f"array shape {array.shape} does not match the grid's {grid.shape} (k, j, i)")
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    with one_modified(node):
        node.SetIJKToRASMatrix(ras_matrix(grid))
        set_tag(node, ROLE, role)
        node.CreateDefaultDisplayNodes()  # before there are voxels, of which it would make a histogram: seconds
        display = node.GetDisplayNode()
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(*_window(array))
        node.SetAndObserveImageData(as_image(array, share))
    return node


def set_array(node: vtkMRMLVolumeNode, array: np.ndarray) -> None:
    """Replace the voxels [k, j, i] in place and tell observers once. InputError for another shape or kind of number."""
    view = array_of(node)
    _check_fits(np.asarray(array), view.shape, view.dtype)
    view[...] = array
    voxels_changed(node)


def share_array(node: vtkMRMLVolumeNode, array: np.ndarray) -> None:
    """Let the node hold another array [k, j, i] itself, not a copy; the one before stays as it is. As `add_volume`
    with share. InputError for another shape or kind of number."""
    view = array_of(node)
    _check_fits(np.asarray(array), view.shape, view.dtype)
    with one_modified(node):
        node.GetImageData().GetPointData().SetScalars(_scalars(array.astype(view.dtype, copy=False), share=True))
        node.GetImageData().Modified()
        node.Modified()


def set_slice(node: vtkMRMLVolumeNode, plane: str, index: int, picture: np.ndarray, tell: bool = True) -> None:
    """Replace one slice in place and tell observers once; picture: the two array axes that are left, in their order.
    Without `tell` nobody knows until `voxels_changed`."""
    if plane not in PLANES:
        raise input_error(f"the plane {plane!r}", f"one of {', '.join(PLANES)}", "choose one of these")
    view = np.moveaxis(array_of(node), PLANES[plane], 0)
    if not 0 <= index < len(view):
        raise input_error(f"{plane} slice {index}", f"one from 0 to {len(view) - 1}", "choose a slice of the volume")
    _check_fits(np.asarray(picture), view.shape[1:], view.dtype)
    view[index] = picture
    if tell:
        voxels_changed(node)


def voxels_changed(node: vtkMRMLVolumeNode) -> None:
    """Tell the pictures and the observers, once, that the array of `array_of` was written to."""
    with one_modified(node):
        image = node.GetImageData()
        image.GetPointData().GetScalars().Modified()  # what the picture's filters look at
        image.Modified()  # from which the node makes its ImageDataModifiedEvent
        node.Modified()


def _image_of(node: vtkMRMLVolumeNode | None) -> vtkImageData:
    image = node.GetImageData() if isinstance(node, vtkMRMLVolumeNode) else None
    if image is None or image.GetPointData().GetScalars() is None or 0 in image.GetDimensions():
        raise input_error("a volume node without voxels", "a loaded volume", "choose or load a volume")
    return image


def as_image(array: np.ndarray, share: bool = False) -> vtkImageData:
    """A vtkImageData with array [k, j, i], or a copy of it, at the origin with voxels of 1: a volume node keeps the
    place."""
    image = vtkImageData()
    image.SetDimensions(array.shape[::-1])
    image.GetPointData().SetScalars(_scalars(array, share))
    return image


def _scalars(array: np.ndarray, share: bool) -> vtkDataArray:
    stored = np.ascontiguousarray(array, STORED_AS.get(array.dtype.name, array.dtype))
    return numpy_to_vtk(stored.ravel(), deep=not share)


def _window(array: np.ndarray) -> tuple[float, float]:
    """Lower and upper gray value, by a thinned-out sample: what is sorted stays small."""
    sample = array.ravel()[:: max(1, array.size // WINDOW_SAMPLES)].astype(np.float64)
    low, high = np.percentile(sample, WINDOW_PERCENTILES)
    return (float(low), float(high)) if high > low else (float(array.min()), float(max(array.max(), low + 1)))


def _check_fits(array: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if array.shape != shape:
        remedy = "make a new volume for another grid"
        raise input_error(f"an array of shape {array.shape}", f"the node's shape {shape}", remedy)
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        given = f"values of type {array.dtype} for a volume node that stores {dtype}"
        raise input_error(given, "values that the node can store", "convert the array first")
