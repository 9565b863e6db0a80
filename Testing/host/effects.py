"""The Segment Editor's effects over Slicer's own editor logic: parameters, onApply, and strokes in place of a mouse.

The scripted effects (Threshold, Islands, Smoothing, Margin) have self().onApply() as in Slicer; Paint, Erase and
Scissors are C++ there and Draw takes points of a mouse, so a test paints with `host.stroke`.
"""

# ruff: noqa: N802 (names that Qt and Slicer gave)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer
from scipy import ndimage
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from .surface import NotCovered

ADD = slicer.vtkSlicerSegmentEditorLogic.ModificationModeAdd
REMOVE = slicer.vtkSlicerSegmentEditorLogic.ModificationModeRemove
SET = slicer.vtkSlicerSegmentEditorLogic.ModificationModeSet
PER_SEGMENT = BYPASS_MASKING = True
STROKES = {"Paint": ADD, "Draw": ADD, "Scissors": REMOVE, "Erase": REMOVE}
LARGEST, SMALL, ALL = "KEEP_LARGEST_ISLAND", "REMOVE_SMALL_ISLANDS", "SPLIT_ISLANDS_TO_SEGMENTS"
DEFAULTS = {
    "Threshold": {"MinimumThreshold": "0", "MaximumThreshold": "0"},
    "Islands": {"Operation": LARGEST, "MinimumSize": "1000"},
    "Smoothing": {"SmoothingMethod": "MEDIAN", "KernelSizeMm": "3"},
    "Margin": {"MarginSizeMm": "3"},
    "Paint": {"BrushAbsoluteDiameter": "20", "BrushSphere": "0"},
    "Erase": {"BrushAbsoluteDiameter": "20", "BrushSphere": "0", "EraseAllSegments": "0"},
    "Scissors": {"Operation": "EraseInside"},
    "Draw": {},
}


def array_of(image: Any) -> np.ndarray:
    """A view [k, j, i] of an oriented image's voxels."""
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def on_reference(logic: Any, mask: np.ndarray) -> Any:
    """mask [k, j, i], bool, as a labelmap on the editor's reference grid."""
    made = slicer.vtkOrientedImageData()
    made.DeepCopy(logic.GetReferenceGeometryImage())
    if mask.shape != tuple(made.GetDimensions()[::-1]):
        raise ValueError(f"a stroke of shape {mask.shape} does not fit the editor's grid {made.GetDimensions()[::-1]}")
    made.GetPointData().SetScalars(numpy_to_vtk(mask.astype(np.uint8).ravel(), deep=True))
    return made


def selected(logic: Any) -> np.ndarray:
    """The selected segment [k, j, i], bool, on the editor's reference grid."""
    logic.UpdateReferenceGeometryImage()
    logic.UpdateSelectedSegmentLabelmap()
    image = slicer.vtkOrientedImageData()
    reference, labelmap = logic.GetReferenceGeometryImage(), logic.GetSelectedSegmentLabelmap()
    resample = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage
    resample(labelmap, reference, image, False, True)
    return array_of(image) > 0


def modify(logic: Any, mask: np.ndarray, mode: int) -> None:
    """One user action: an undo state, then the change under the editor's own masks."""
    node = logic.GetSegmentEditorNode()
    if not node.GetSegmentationNode() or not node.GetSelectedSegmentID():
        raise RuntimeError("an effect needs a segmentation and a selected segment")
    logic.UpdateReferenceGeometryImage()
    logic.SaveStateForUndo()
    image = on_reference(logic, mask)
    segmentation, segment_id = node.GetSegmentationNode(), node.GetSelectedSegmentID()
    logic.ModifySegmentByLabelmap(segmentation, segment_id, image, mode, PER_SEGMENT, not BYPASS_MASKING)


class Effect:
    """One effect; parameters are kept in the editor node, named after the effect, as in Slicer."""

    def __init__(self, editor: Any, name: str) -> None:
        self._editor, self.name = editor, name

    def setParameter(self, name: str, value: Any) -> None:
        self._known(name)
        self._node().SetAttribute(f"{self.name}.{name}", str(value))

    def parameter(self, name: str) -> str:
        self._known(name)
        kept = self._node().GetAttribute(f"{self.name}.{name}")
        return DEFAULTS[self.name][name] if kept is None else kept

    def integerParameter(self, name: str) -> int:
        return int(float(self.parameter(name)))

    def doubleParameter(self, name: str) -> float:
        return float(self.parameter(name))

    def scriptedEffect(self) -> Any:
        raise NotCovered(f"{self.name}.scriptedEffect()")

    def self(self) -> Scripted:
        if self.name not in APPLY:
            raise AttributeError(f"the {self.name} effect is written in C++ or waits for a mouse: use host.stroke")
        return Scripted(self._editor, self)

    def _known(self, name: str) -> None:
        if name not in DEFAULTS[self.name]:
            raise NotCovered(f"the parameter {name!r} of the {self.name} effect; known: {sorted(DEFAULTS[self.name])}")

    def _node(self) -> Any:
        node = self._editor.mrmlSegmentEditorNode()
        if node is None:
            raise RuntimeError("the segment editor widget has no editor node yet")
        return node


class Scripted:
    """What effect.self() gives: the Python side of a scripted effect."""

    def __init__(self, editor: Any, effect: Effect) -> None:
        self._editor, self._effect = editor, effect

    def onApply(self) -> None:
        if self._editor.activeEffect() is not self._effect:
            raise RuntimeError(f"{self._effect.name} is not the active effect: setActiveEffectByName first")
        logic = self._editor.logic
        logic.UpdateReferenceGeometryImage()
        modify(logic, APPLY[self._effect.name](logic, self._effect), SET)


def threshold(logic: Any, effect: Effect) -> np.ndarray:
    logic.UpdateAlignedSourceVolume()
    source = array_of(logic.GetAlignedSourceVolume())
    return (source >= effect.doubleParameter("MinimumThreshold")) & (
        source <= effect.doubleParameter("MaximumThreshold")
    )


def islands(logic: Any, effect: Effect) -> np.ndarray:
    labels, count = ndimage.label(selected(logic))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    operation = effect.parameter("Operation")
    if operation == LARGEST:
        return labels == sizes.argmax() if count else labels > 0
    if operation == SMALL:
        return (sizes >= effect.integerParameter("MinimumSize"))[labels] & (labels > 0)
    raise NotCovered(f"the operation {operation} of Islands")


def smoothing(logic: Any, effect: Effect) -> np.ndarray:
    method = effect.parameter("SmoothingMethod")
    if method not in SMOOTH:
        raise NotCovered(f"the smoothing method {method}")
    size = [max(1, round(effect.doubleParameter("KernelSizeMm") / s) // 2 * 2 + 1) for s in spacing(logic)]
    return SMOOTH[method](selected(logic), size)


def margin(logic: Any, effect: Effect) -> np.ndarray:
    size_mm, mask = effect.doubleParameter("MarginSizeMm"), selected(logic)
    if size_mm >= 0:
        return ndimage.distance_transform_edt(~mask, sampling=spacing(logic)) <= size_mm
    return ndimage.distance_transform_edt(mask, sampling=spacing(logic)) > -size_mm


def spacing(logic: Any) -> tuple[float, ...]:
    """Of the editor's grid, in mm, in the order k, j, i."""
    return logic.GetReferenceGeometryImage().GetSpacing()[::-1]


SMOOTH: dict[str, Callable] = {
    "MEDIAN": lambda mask, size: ndimage.median_filter(mask, size),
    "MORPHOLOGICAL_OPENING": lambda mask, size: ndimage.binary_opening(mask, np.ones(size)),
    "MORPHOLOGICAL_CLOSING": lambda mask, size: ndimage.binary_closing(mask, np.ones(size)),
}
APPLY: dict[str, Callable] = {"Threshold": threshold, "Islands": islands, "Smoothing": smoothing, "Margin": margin}
