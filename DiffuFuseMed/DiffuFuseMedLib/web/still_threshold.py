"""StillThreshold: the segment editor's threshold with a preview that stands still, inside what may be edited.

trame-slicer's own pulses: all slice views are drawn again five times a second for as long as the tool is in hand, on
the only thread that hears the reader. It also shows what lies outside the region, which Apply leaves as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer import vtkMRMLSliceNode
from trame_slicer.segmentation import SegmentationEffectThreshold
from trame_slicer.segmentation.segmentation_effect import SegmentationEffect
from trame_slicer.segmentation.segmentation_threshold_pipeline import SegmentationThresholdPipeline2D
from vtkmodules.vtkImagingCore import vtkImageMask, vtkImageReslice, vtkImageThreshold

from ..mrml.editing import Outside
from ..mrml.nodes import one_modified


class StillThreshold(SegmentationEffectThreshold):
    """outside(): what may not be edited, None where all may; set by whoever limits the editor."""

    outside: Callable[[], Outside | None] = staticmethod(lambda: None)

    def _create_pipeline(self, view_node: Any, _parameter: Any) -> StillPreview | None:
        return StillPreview() if isinstance(view_node, vtkMRMLSliceNode) else None

    def set_active(self, is_active: bool) -> None:
        SegmentationEffect.set_active(self, is_active)  # not the parent's, which starts the pulse
        self.get_param_proxy().is_visible = is_active

    def trigger_pipeline_parameter_change(self, *_: Any) -> None:
        if self.is_active:  # each stroke of another tool would draw a preview that nobody sees
            super().trigger_pipeline_parameter_change()

    def show(self, low: float, high: float) -> None:
        """Preview these ends, drawn once for both."""
        with one_modified(self.get_parameter_node()):
            self.set_threshold_min_max_values((low, high))


class StillPreview(SegmentationThresholdPipeline2D):
    """One slice view's preview, without the voxels outside."""

    def __init__(self) -> None:
        super().__init__()
        self._cut = vtkImageReslice()
        self._cut.SetInterpolationModeToNearestNeighbor()
        self._outside = vtkImageThreshold()
        self._outside.SetInputConnection(self._cut.GetOutputPort())
        self._outside.SetInValue(1)
        self._outside.SetOutValue(0)
        self._outside.SetOutputScalarTypeToUnsignedChar()
        self._inside = vtkImageMask()
        self._inside.SetInputConnection(self.volume_bounds_mask.GetOutputPort())
        self._inside.SetInputConnection(1, self._outside.GetOutputPort())
        self._inside.NotMaskOn()

    def OnViewModified(self, *told: Any) -> None:  # noqa: N802 (the name that trame-slicer gave)
        super().OnViewModified(*told)
        if not self._view or not self.GetModifier():
            return
        outside = self._effect.outside()
        shown = self.volume_bounds_mask if outside is None else self._inside
        self.color_mapper.SetInputConnection(shown.GetOutputPort())
        if outside is not None:
            self._cut_like(self._view.get_volume_layer_logic(self._ActiveVolumeNode).GetReslice(), outside)

    def _cut_like(self, reslice: vtkImageReslice, outside: Outside) -> None:
        """The mask in the same slice as the image: both have the reference's voxels."""
        self._cut.SetInputData(outside.labels)
        self._cut.SetResliceTransform(reslice.GetResliceTransform())
        self._cut.SetOutputExtent(reslice.GetOutputExtent())
        self._cut.SetOutputSpacing(reslice.GetOutputSpacing())
        self._cut.SetOutputOrigin(reslice.GetOutputOrigin())
        self._outside.ThresholdBetween(outside.label, outside.label)
