"""The views of a scene: those on screen, and what watches them and the lesion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer import (
    vtkMRMLCrosshairNode,
    vtkMRMLInteractionNode,
    vtkMRMLScene,
    vtkMRMLSegmentationNode,
    vtkMRMLSliceNode,
    vtkSegmentation,
)
from vtkmodules.vtkCommonCore import vtkCommand

from ..core.triples import triple
from .geometry import to_numpy
from .nodes import nodes_of

EDITS = (
    vtkSegmentation.SourceRepresentationModified,
    vtkSegmentation.RepresentationModified,
    vtkSegmentation.SegmentAdded,
    vtkSegmentation.SegmentRemoved,
)
Forget = Callable[[], object]


def shown_slices(scene: vtkMRMLScene) -> list[vtkMRMLSliceNode]:
    """The slice views of the present layout."""
    return [node for node in nodes_of(scene, "vtkMRMLSliceNode") if node.IsMappedInLayout()]


def composites(scene: vtkMRMLScene) -> list[Any]:
    """The composite node of every slice view, also of those that the layout hides."""
    return nodes_of(scene, "vtkMRMLSliceCompositeNode")


def show_crosshair(scene: vtkMRMLScene, on: bool) -> None:
    """Lines through all views at the place that they were brought to last, or none."""
    for node in nodes_of(scene, "vtkMRMLCrosshairNode"):
        node.SetCrosshairMode(vtkMRMLCrosshairNode.ShowBasic if on else vtkMRMLCrosshairNode.NoCrosshair)


def place_crosshair(scene: vtkMRMLScene, ras: tuple[float, float, float]) -> None:
    """Where the lines cross, RAS mm."""
    for node in nodes_of(scene, "vtkMRMLCrosshairNode"):
        node.SetCrosshairRAS(*ras)


def crosshair_at(scene: vtkMRMLScene) -> tuple[float, float, float] | None:
    """Where the lines cross, RAS mm, whether or not they are shown; None in a scene without a crosshair."""
    return next((triple(node.GetCrosshairRAS()) for node in nodes_of(scene, "vtkMRMLCrosshairNode")), None)


def adjust_windows(scene: vtkMRMLScene, on: bool) -> None:
    """Whether dragging in a slice view changes the window of what lies under the mouse, as by Slicer's toolbar."""
    mode = vtkMRMLInteractionNode.AdjustWindowLevel if on else vtkMRMLInteractionNode.ViewTransform
    for node in nodes_of(scene, "vtkMRMLInteractionNode"):
        node.SetCurrentInteractionMode(mode)


def watch_slices(scene: vtkMRMLScene, moved: Callable[[vtkMRMLSliceNode], None]) -> Forget:
    """Call moved(slice node) when a view shows another slice; zoom and pan are none. Returns what ends it."""
    forgets = [_watch_slice(node, moved) for node in nodes_of(scene, "vtkMRMLSliceNode")]
    return lambda: [forget() for forget in forgets]


def watch_segmentation(node: vtkMRMLSegmentationNode, changed: Callable[[], None]) -> Forget:
    """Call changed() when a segment's voxels change, by a tool or by the program. Returns what ends it."""
    segmentation = node.GetSegmentation()
    tags = [segmentation.AddObserver(event, lambda *_: changed()) for event in EDITS]
    return lambda: [segmentation.RemoveObserver(tag) for tag in tags]


def watch_cursor(scene: vtkMRMLScene, moved: Callable[[tuple[float, float, float] | None], None]) -> Forget:
    """Call moved(RAS mm) when the mouse moves over a view, moved(None) when it left them. Returns what ends it."""
    crosshairs = nodes_of(scene, "vtkMRMLCrosshairNode")
    if not crosshairs:
        return lambda: None

    def at(node: vtkMRMLCrosshairNode, *_: Any) -> None:
        ras = [0.0, 0.0, 0.0]
        moved(triple(ras) if node.GetCursorPositionRAS(ras) else None)

    tag = crosshairs[0].AddObserver(vtkMRMLCrosshairNode.CursorPositionModifiedEvent, at)
    return lambda: crosshairs[0].RemoveObserver(tag)


def _watch_slice(node: vtkMRMLSliceNode, moved: Callable[[vtkMRMLSliceNode], None]) -> Forget:
    last = [_position(node)]

    def modified(*_: Any) -> None:
        now = _position(node)
        if now != last[0]:
            last[0] = now
            moved(node)

    tag = node.AddObserver(vtkCommand.ModifiedEvent, modified)
    return lambda: node.RemoveObserver(tag)


def _position(node: vtkMRMLSliceNode) -> tuple[float, ...]:
    """The plane that is shown: its normal, and how far along it; whether it is on screen at all."""
    matrix = to_numpy(node.GetSliceToRAS())
    normal = matrix[:3, 2]
    return (*normal.round(6).tolist(), round(float(normal @ matrix[:3, 3]), 4), float(node.IsMappedInLayout()))
