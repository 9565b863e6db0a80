"""The reader's views: what they showed before the module was entered comes back when it is left."""

from __future__ import annotations

from typing import Any

import slicer

from ..mrml.layers import FIRST_EXTRA
from ..mrml.nodes import nodes_of, one_modified

LAYERS = ("BackgroundVolumeID", "ForegroundVolumeID", "LabelVolumeID")
NUMBERS = ("ForegroundOpacity", "LabelOpacity", "Compositing", "ClipToBackgroundVolume")


class QtViews:
    """Layout and slice layers: remembered, brought back."""

    def __init__(self) -> None:
        self._layout: int | None = None
        self._layers: dict[str, dict[str, Any]] = {}

    def remember(self) -> None:
        manager = slicer.app.layoutManager()
        self._layout = manager.layout if manager else None
        self._layers = {node.GetID(): _state(node) for node in nodes_of(slicer.mrmlScene, "vtkMRMLSliceCompositeNode")}

    def bring_back(self) -> None:
        """Views that showed nothing before keep what they show."""
        manager = slicer.app.layoutManager()
        if manager and self._layout is not None and manager.layout != self._layout:
            manager.setLayout(self._layout)
        for node_id, state in self._layers.items():
            node = slicer.mrmlScene.GetNodeByID(node_id)
            if node is not None and any(_there(state[name]) for name in LAYERS):
                _bring_back(node, state)
        self.forget()

    def forget(self) -> None:
        """What was shown belongs to a scene that is gone."""
        self._layout, self._layers = None, {}

    def show_case(self) -> None:
        """All three planes and the 3D view, filled by the case."""
        manager = slicer.app.layoutManager()
        if manager is None:
            return
        if manager.layout != slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView:
            manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        manager.resetSliceViews()


def _state(node: Any) -> dict[str, Any]:
    names = (*LAYERS, *(name for name in NUMBERS if hasattr(node, f"Get{name}")))
    state = {name: getattr(node, f"Get{name}")() for name in names}
    if hasattr(node, "GetNthLayerVolumeID"):
        extras = range(FIRST_EXTRA, FIRST_EXTRA + node.GetNumberOfAdditionalLayers())
        state["extras"] = [(node.GetNthLayerVolumeID(n), node.GetNthLayerOpacity(n)) for n in extras]
    return state


def _bring_back(node: Any, state: dict[str, Any]) -> None:
    with one_modified(node):
        for name in LAYERS:
            getattr(node, f"Set{name}")(state[name] if _there(state[name]) else None)
        for name in NUMBERS:
            if name in state:
                getattr(node, f"Set{name}")(state[name])
        if "extras" not in state:
            return
        extras = [(volume_id, opacity) for volume_id, opacity in state["extras"] if _there(volume_id)]
        for n in reversed(range(FIRST_EXTRA + len(extras), FIRST_EXTRA + node.GetNumberOfAdditionalLayers())):
            node.SetNthLayerVolumeID(n, None)
        for n, (volume_id, opacity) in enumerate(extras, FIRST_EXTRA):
            node.SetNthLayerVolumeID(n, volume_id)
            node.SetNthLayerOpacity(n, opacity)


def _there(volume_id: str | None) -> bool:
    return bool(volume_id) and slicer.mrmlScene.GetNodeByID(volume_id) is not None
