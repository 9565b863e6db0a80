"""Tools: Slicer's segment editor effects for the page's buttons; what they did is undone by the session."""

from __future__ import annotations

from typing import Any

from trame_slicer.core import SlicerApp
from trame_slicer.segmentation import (
    BrushDiameterMode,
    SegmentationEffectDraw,
    SegmentationEffectErase,
    SegmentationEffectIslands,
    SegmentationEffectNoTool,
    SegmentationEffectPaint,
    SegmentationEffectScissors,
    SegmentationEffectSmoothing,
)

from ..mrml import editing
from ..mrml.nodes import tag
from ..mrml.views import Forget, watch_segmentation
from ..mrml.volumes import array_of, grid_of
from ..session import DisplayFacade, Edit, adding, keeping_largest, odd_voxels, otsu, smoothing
from .still_threshold import StillThreshold

SMOOTHING_MM = 3.0
TOOLS: dict[str, tuple[str, str, Any]] = {
    "look": (
        "mdi-cursor-default-outline",
        "No tool: the wheel scrolls, the right button zooms, the middle one moves the picture",
        SegmentationEffectNoTool,
    ),
    "paint": ("mdi-brush", "Paint", SegmentationEffectPaint),
    "erase": ("mdi-eraser", "Erase", SegmentationEffectErase),
    "draw": ("mdi-draw", "Draw an outline and fill it", SegmentationEffectDraw),
    "scissors": (
        "mdi-content-cut",
        "Cut away what is inside an outline, through all slices",
        SegmentationEffectScissors,
    ),
    "threshold": (
        "mdi-tune-vertical",
        "Everything within a range of values of the reference image, which is shown meanwhile",
        StillThreshold,
    ),
    "islands": ("mdi-island", "Keep the largest piece", SegmentationEffectIslands),
    "smooth": ("mdi-blur", "Smooth the border", SegmentationEffectSmoothing),
}


class Tools:
    """app: the Slicer core; state: trame's, which gets tool and the threshold's ends; display: knows the unit that
    values are shown in."""

    def __init__(self, app: SlicerApp, state: Any, display: DisplayFacade) -> None:
        self._editor, self._state, self._display = app.segmentation_editor, state, display
        self._per_shown = 1.0  # of the volume that the threshold is taken from
        self._unwatch: Forget = lambda: None
        self._threshold_effect = self._editor.get_effect(StillThreshold)
        self._threshold_effect.outside = self._outside
        self._editor.set_surface_representation_enabled(True)  # the editor would remove what the 3D view shows
        state.update({"tool": "look", "brush_mm": 12.0, "brush_ball": False, "threshold": [0.0, 1.0]})
        state.update(
            {"threshold_ends": [0.0, 1.0], "threshold_step": 0.01, "threshold_unit": "", "asked_to_apply": False}
        )
        state.change("brush_mm", "brush_ball")(lambda **_: self._brush())
        state.change("threshold")(lambda threshold, **_: self._threshold(threshold))

    @property
    def editor_node(self) -> Any:
        return self._editor.editor_node

    def edits(self, segmentation_node: Any) -> bool:
        """Whether the tools act on this segmentation already."""
        return self._editor.active_segmentation_node is segmentation_node

    def edit(self, segmentation_node: Any, volume_node: Any, segment_id: str) -> None:
        """Point the tools at a segment; volume_node: its reference geometry and what the threshold is taken from."""
        if not self.edits(segmentation_node):
            self._editor.set_active_segmentation(segmentation_node, volume_node)
            self.choose("look")
            self._unwatch()
            self._unwatch = watch_segmentation(
                segmentation_node, self._threshold_effect.trigger_pipeline_parameter_change
            )
        self._editor.set_active_segment_id(segment_id)
        self.editor_node.SetSelectedSegmentID(segment_id)  # or the mask of a region would protect the segment as well

    def choose(self, name: str) -> None:
        """Take up a tool; a second click lays it down."""
        name = "look" if name == self._state.tool else name
        if not self._editor.active_segment_id:
            name = "look"
        self._editor.set_active_effect_type(TOOLS[name][2])
        self._state.tool = name
        if name in ("paint", "erase"):
            self._brush()
        if name == "threshold":
            self._offer_threshold()

    def lay_down(self) -> None:
        if self._state.tool != "look":
            self.choose("look")

    def edit_of_all(self) -> tuple[str, Edit] | None:
        """What the chosen tool does to all that may be edited: its name in a sentence, and the rule. None for a tool
        that is led by the hand."""
        if self._state.tool == "threshold":
            low, high = self._own(self._state.threshold)
            return "the threshold", adding(array_of(self._editor.active_volume_node), low, high)
        if self._state.tool == "islands":
            return "the largest piece", keeping_largest
        if self._state.tool == "smooth":
            spacing_mm = grid_of(self._editor.active_volume_node).spacing_kji_mm
            return "the smoothing", smoothing(odd_voxels(SMOOTHING_MM, spacing_mm))
        return None

    def _brush(self) -> None:
        effect = self._editor.active_effect
        if self._state.tool in ("paint", "erase"):
            effect.set_brush_diameter(float(self._state.brush_mm), BrushDiameterMode.Absolute)
            effect.set_use_sphere_brush(bool(self._state.brush_ball))

    def _offer_threshold(self) -> None:
        """Start with what is brighter than the rest: looked for in some of the voxels, for all take seconds."""
        values, role = array_of(self._editor.active_volume_node), tag(self._editor.active_volume_node, "role") or ""
        self._per_shown = self._display.per_shown(role)
        low, start, high = (self._per_shown * end for end in (float(values.min()), otsu(values), float(values.max())))
        self._state.threshold_ends, self._state.threshold_step = [low, high], max((high - low) / 500, 1e-3)
        self._state.threshold_unit = self._display.unit_of(role)
        self._state.threshold = [start, high]
        self._threshold(self._state.threshold)

    def _threshold(self, ends: list[float]) -> None:
        if self._state.tool == "threshold":
            self._threshold_effect.show(*self._own(ends))

    def _own(self, ends: list[float]) -> tuple[float, float]:
        """Ends as they are shown, in the volume's own unit."""
        low, high = (end / self._per_shown for end in ends)
        return low, high

    def _outside(self) -> editing.Outside | None:
        return editing.outside_of(self.editor_node, self._editor.active_segmentation_node)
