"""Segmentation nodes: masks in and out on a volume's grid, and how a segment is shown.

Slicer keeps segments that do not overlap as labels of one shared array. Its own SetBinaryLabelmapToSegment parts them
when a new mask would overwrite a neighbor, and remakes the surfaces that are shown.
"""

from __future__ import annotations

import itertools

import numpy as np
from slicer import (
    vtkMRMLScene,
    vtkMRMLSegmentationDisplayNode,
    vtkMRMLSegmentationNode,
    vtkMRMLVolumeNode,
    vtkOrientedImageData,
    vtkOrientedImageDataResample,
    vtkSegment,
    vtkSlicerSegmentationsModuleLogic,
)
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import reference as vtkReference
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from ..core.errors import input_error
from ..core.triples import triple
from ..core.voxels import bounds_of
from ..io.seg_nrrd import LESION
from .colors import css_color
from .geometry import linear_between, ras_matrix, to_numpy, to_vtk
from .nodes import PREFIX, one_modified
from .volumes import grid_of

HELPER = PREFIX + "helper"  # a segment's tag: made by this library for itself, no finding
SURFACE, LABELMAP = "Closed surface", "Binary labelmap"
TERMINOLOGY = "TerminologyEntry"


def add_segmentation(
    scene: vtkMRMLScene, name: str, reference_volume_node: vtkMRMLVolumeNode, saved: bool = True
) -> vtkMRMLSegmentationNode:
    """A new segmentation node without segments, on the volume's grid and under its parent transform. saved: False for
    one that no scene keeps and no list of Slicer's names."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(reference_volume_node)
    node.SetAndObserveTransformNodeID(reference_volume_node.GetTransformNodeID())
    if not saved:
        node.SetHideFromEditors(True)
        for part in (node, node.GetDisplayNode()):
            part.SetSaveWithScene(False)
    return node


def set_mask(
    seg_node: vtkMRMLSegmentationNode,
    segment_id: str,
    mask: np.ndarray,
    reference_node: vtkMRMLVolumeNode,
    name: str | None = None,
    color: tuple[float, float, float] | None = None,
    terminology: str | None = None,
) -> None:
    """Make the segment, or replace what it holds, by a mask [k, j, i] on the reference's grid; others stay as they are.

    A new segment takes what is not given (name, color as red, green, blue from 0 to 1, terminology) from a lesion's; an
    existing one keeps it. InputError for another shape, or a warp between the two nodes.
    """
    image = _oriented(np.asarray(mask, bool), seg_node, reference_node)
    _describe(seg_node, segment_id, name, color, terminology)
    replace = vtkSlicerSegmentationsModuleLogic.MODE_REPLACE
    if not vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(image, seg_node, segment_id, replace):
        raise RuntimeError("the segmentation node did not take the mask")


def set_helper(
    seg_node: vtkMRMLSegmentationNode,
    segment_id: str,
    mask: np.ndarray,
    reference_node: vtkMRMLVolumeNode,
    name: str,
    color: tuple[float, float, float],
) -> None:
    """set_mask() for a segment that nobody sees: it keeps a labelmap of its own, and no surface is made of it. Where a
    mask is most of a large image, that is a tenth of a second instead of several."""
    image = _oriented(np.asarray(mask, bool), seg_node, reference_node)
    segmentation = seg_node.GetSegmentation()
    segment = vtkSegment()
    segment.SetName(name)
    segment.SetColor(*color)
    segment.SetTag(HELPER, segment_id)
    segment.AddRepresentation(LABELMAP, image)
    if segmentation.ContainsRepresentation(SURFACE):
        segment.AddRepresentation(SURFACE, vtkPolyData())  # an empty one, or Slicer would make it
    with one_modified(seg_node):
        if segmentation.GetSegment(segment_id) is not None:
            segmentation.RemoveSegment(segment_id)
        segmentation.AddSegment(segment, segment_id)


def mask_of(seg_node: vtkMRMLSegmentationNode, segment_id: str, reference_node: vtkMRMLVolumeNode) -> np.ndarray:
    """bool [k, j, i] on the reference's grid, by nearest neighbor where the segment's own grid is another one."""
    segment_of(seg_node, segment_id)
    mask = np.zeros(grid_of(reference_node).shape, bool)
    labels, on_grid = vtkOrientedImageData(), vtkOrientedImageData()
    if not seg_node.GetBinaryLabelmapRepresentation(segment_id, labels) or labels.IsEmpty():
        return mask
    frame = _reference_image(seg_node, reference_node)
    box = _box_on(frame, labels)
    if any(part.start >= part.stop for part in box):
        return mask
    if _same_lattice(frame, labels):
        mask[box] = _cut(labels, box)
        return mask
    frame.SetExtent(_extent(box))  # not the whole grid, which takes a third of a second where it is large
    vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(labels, frame, on_grid)
    mask[box] = vtk_to_numpy(on_grid.GetPointData().GetScalars()).reshape(mask[box].shape) != 0
    return mask


def segment_of(seg_node: vtkMRMLSegmentationNode, segment_id: str) -> vtkSegment:
    """The segment; InputError when there is none with this ID."""
    segment = seg_node.GetSegmentation().GetSegment(segment_id)
    if segment is None:
        raise input_error(f"the segment {segment_id!r}", "a segment of the segmentation", "choose another segment")
    return segment


def terminology_of(seg_node: vtkMRMLSegmentationNode, segment_id: str) -> str:
    """The segment's terminology entry: 'Segmentation category and type - ...~...'."""
    return tag_of(segment_of(seg_node, segment_id), TERMINOLOGY) or ""


def tag_of(segment: vtkSegment, key: str) -> str | None:
    """A tag of the segment, None when it has none."""
    value = vtkReference("")
    return str(value) if segment.GetTag(key, value) else None


def user_segment_ids(seg_node: vtkMRMLSegmentationNode) -> list[str]:
    """The segments to list and to export: all but this library's helpers."""
    segmentation = seg_node.GetSegmentation()
    return [i for i in segmentation.GetSegmentIDs() if not segmentation.GetSegment(i).HasTag(HELPER)]


def show(
    seg_node: vtkMRMLSegmentationNode,
    segment_id: str,
    visible: bool = True,
    fill_opacity: float | None = None,
    outline_opacity: float | None = None,
    color: tuple[float, float, float] | None = None,
    surface_opacity: float | None = None,
) -> None:
    """Set how one segment looks in slice views, and its surface in 3D; None leaves as it is. All are from 0 to 1."""
    segment = segment_of(seg_node, segment_id)
    display = _display(seg_node)
    with one_modified(display):
        display.SetSegmentVisibility(segment_id, visible)
        if fill_opacity is not None:
            display.SetSegmentOpacity2DFill(segment_id, fill_opacity)
        if outline_opacity is not None:
            display.SetSegmentOpacity2DOutline(segment_id, outline_opacity)
        if surface_opacity is not None:
            display.SetSegmentOpacity3D(segment_id, surface_opacity)
    if color is not None and tuple(segment.GetColor()) != tuple(color):
        segment.SetColor(*color)


def outlines_shown(seg_node: vtkMRMLSegmentationNode) -> list[tuple[str, str]]:
    """Name and color, '#rrggbb', of each segment whose outline the slice views show, helpers left out."""
    display, segmentation = _display(seg_node), seg_node.GetSegmentation()
    seen = [
        segmentation.GetSegment(i)
        for i in user_segment_ids(seg_node)
        if display.GetVisibility() and display.GetSegmentVisibility(i) and display.GetSegmentOpacity2DOutline(i) > 0
    ]
    return [(segment.GetName(), css_color(segment.GetColor())) for segment in seen]


def set_outline_width(seg_node: vtkMRMLSegmentationNode, pixels: int) -> None:
    """How thick the outlines of all segments of the node are in slice views."""
    _display(seg_node).SetSliceIntersectionThickness(pixels)


def closed_surface(seg_node: vtkMRMLSegmentationNode, on: bool) -> None:
    """Make the surfaces that the 3D view shows, or remove them; while on, every `set_mask` remakes its segment's."""
    has = seg_node.GetSegmentation().ContainsRepresentation(SURFACE)
    if on and not has:
        seg_node.CreateClosedSurfaceRepresentation()
    if not on and has:
        seg_node.RemoveClosedSurfaceRepresentation()


def _display(seg_node: vtkMRMLSegmentationNode) -> vtkMRMLSegmentationDisplayNode:
    if seg_node.GetDisplayNode() is None:
        seg_node.CreateDefaultDisplayNodes()
    return seg_node.GetDisplayNode()


def _describe(
    seg_node: vtkMRMLSegmentationNode,
    segment_id: str,
    name: str | None,
    color: tuple[float, float, float] | None,
    terminology: str | None,
) -> None:
    """Make the segment unless it is there, and write what was given on it."""
    segmentation = seg_node.GetSegmentation()
    if segmentation.GetSegment(segment_id) is None:
        name, color, terminology = name or LESION.name, color or LESION.color, terminology or LESION.terminology
        segmentation.AddEmptySegment(segment_id, name, color)
    segment = segmentation.GetSegment(segment_id)
    if name is not None and segment.GetName() != name:
        segment.SetName(name)
    if color is not None and tuple(segment.GetColor()) != tuple(color):
        segment.SetColor(*color)
    if terminology is not None:
        segment.SetTag(TERMINOLOGY, terminology)


def _ijk_to_segmentation(seg_node: vtkMRMLSegmentationNode, reference_node: vtkMRMLVolumeNode) -> np.ndarray:
    """4 x 4 from the reference's voxel index to the coordinates the segmentation is kept in."""
    between = linear_between(reference_node, seg_node)
    if between is None:
        remedy = "harden the transform of the volume first"
        raise input_error("a warp between the segmentation and its volume", "both in the same place", remedy)
    return between @ to_numpy(ras_matrix(grid_of(reference_node)))


def _reference_image(seg_node: vtkMRMLSegmentationNode, reference_node: vtkMRMLVolumeNode) -> vtkOrientedImageData:
    """The reference's grid without voxels."""
    image = vtkOrientedImageData()
    image.SetDimensions(grid_of(reference_node).size)
    image.SetGeometryFromImageToWorldMatrix(to_vtk(_ijk_to_segmentation(seg_node, reference_node)))
    return image


def _oriented(
    mask: np.ndarray, seg_node: vtkMRMLSegmentationNode, reference_node: vtkMRMLVolumeNode
) -> vtkOrientedImageData:
    """The box around the mask's voxels, at its place on the reference's grid."""
    image = _reference_image(seg_node, reference_node)
    if mask.shape != image.GetDimensions()[::-1]:
        given = f"a mask of shape {mask.shape}"
        raise input_error(given, f"the volume's {image.GetDimensions()[::-1]}", "resample the mask first")
    box = _box(mask)
    image.SetExtent(_extent(box))
    voxels = np.ascontiguousarray(mask[box]).view(np.uint8)
    image.GetPointData().SetScalars(numpy_to_vtk(voxels.ravel(), deep=True))
    return image


def _extent(box: tuple[slice, slice, slice]) -> list[int]:
    """VTK's extent of a box [k, j, i]."""
    return [n for axis in reversed(box) for n in (axis.start, axis.stop - 1)]


def _box_on(frame: vtkOrientedImageData, labels: vtkOrientedImageData) -> tuple[slice, slice, slice]:
    """The part of the frame [k, j, i] that the labels can reach, with a voxel to spare."""
    matrices = vtkMatrix4x4(), vtkMatrix4x4()
    frame.GetImageToWorldMatrix(matrices[0])
    labels.GetImageToWorldMatrix(matrices[1])
    extent = np.add(np.reshape(labels.GetExtent(), (3, 2)), (-0.5, 0.5))
    corners = np.array([[*corner, 1.0] for corner in itertools.product(*extent)])
    index = (np.linalg.inv(to_numpy(matrices[0])) @ to_numpy(matrices[1]) @ corners.T)[:3]
    low, high = np.floor(index.min(axis=1)).astype(int) - 1, np.ceil(index.max(axis=1)).astype(int) + 2
    parts = zip(low, high, frame.GetDimensions(), strict=True)
    return triple(slice(max(0, int(a)), min(int(b), count)) for a, b, count in parts)[::-1]


def _same_lattice(frame: vtkOrientedImageData, labels: vtkOrientedImageData) -> bool:
    """Whether an index is the same place in both."""
    matrices = vtkMatrix4x4(), vtkMatrix4x4()
    frame.GetImageToWorldMatrix(matrices[0])
    labels.GetImageToWorldMatrix(matrices[1])
    return np.allclose(to_numpy(matrices[0]), to_numpy(matrices[1]), rtol=0, atol=1e-6)


def _cut(labels: vtkOrientedImageData, box: tuple[slice, slice, slice]) -> np.ndarray:
    """bool [k, j, i]: the labels in the box, where False is what they do not reach."""
    found = np.zeros([part.stop - part.start for part in box], bool)
    starts = labels.GetExtent()[4::-2]
    array = vtk_to_numpy(labels.GetPointData().GetScalars()).reshape(labels.GetDimensions()[::-1])
    ends = zip(box, starts, array.shape, strict=True)
    there = [(max(part.start, start), min(part.stop, start + count)) for part, start, count in ends]
    inside = tuple(slice(a - part.start, b - part.start) for (a, b), part in zip(there, box, strict=True))
    taken = tuple(slice(a - start, b - start) for (a, b), start in zip(there, starts, strict=True))
    found[inside] = array[taken] != 0
    return found


def _box(mask: np.ndarray) -> tuple[slice, slice, slice]:
    """The smallest box with every True voxel; one voxel of an empty mask, for Slicer refuses an image of none."""
    if not mask.any():
        return (slice(0, 1),) * 3
    return triple(slice(a, b) for a, b in zip(*bounds_of(mask), strict=True))
