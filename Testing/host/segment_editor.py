"""qMRMLSegmentEditorWidget over Slicer's own vtkSlicerSegmentEditorLogic: selections, effects, undo and redo."""

# ruff: noqa: N801, N802, N815 (names that Qt and Slicer gave)

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from .ctk_widgets import kept
from .effects import DEFAULTS, STROKES, Effect, modify
from .mrml_widgets import Observed, checked, qMRMLNodeComboBox, qMRMLSegmentsTableView

ORDER = ["Threshold", "Paint", "Draw", "Erase", "Islands", "Smoothing", "Margin", "Scissors"]


class qMRMLSegmentEditorWidget(QWidget):
    """The embedded editor. Node first, then scene: a scene without a node has nowhere to keep the selections."""

    currentSegmentIDChanged = Signal(str)
    segmentationNodeChanged = Signal(object)
    sourceVolumeNodeChanged = Signal(object)
    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.logic = slicer.vtkSlicerSegmentEditorLogic()
        self._scene, self._node, self._active = None, None, None
        self._observed, self._seen = Observed(), (None, None, "")
        self._order, self._shortcuts, self._views = list(ORDER), False, False
        self._effects = {name: Effect(self, name) for name in DEFAULTS}
        self._build()

    def _build(self) -> None:
        column, self._row, self._hint = QVBoxLayout(self), QHBoxLayout(), QLabel(self)
        self._segmentations, self._sources = qMRMLNodeComboBox(self), qMRMLNodeComboBox(self)
        self._segmentations.setProperty("nodeTypes", ["vtkMRMLSegmentationNode"])
        self._sources.setProperty("nodeTypes", ["vtkMRMLScalarVolumeNode"])
        for box in (self._segmentations, self._sources):
            box.setProperty("noneEnabled", True)
        self._segmentations.currentNodeChanged.connect(self.setSegmentationNode)
        self._sources.currentNodeChanged.connect(self.setSourceVolumeNode)
        self._segments = qMRMLSegmentsTableView(self)
        for part in (self._segmentations, self._sources, self._segments):
            column.addWidget(part)
        column.addLayout(self._row)
        column.addWidget(self._hint)
        self.updateEffectList()

    # Node and scene
    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = checked(scene, "vtkMRMLScene")
        self.logic.SetMRMLScene(scene)
        for box in (self._segmentations, self._sources):
            box.setMRMLScene(scene)
        self.updateWidgetFromMRML()
        self.mrmlSceneChanged.emit(scene)

    def mrmlSegmentEditorNode(self) -> Any:
        return self._node

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        self._node = checked(node, "vtkMRMLSegmentEditorNode")
        self.logic.SetSegmentEditorNode(node)
        self._observed.watch(node, ("ModifiedEvent",), self.updateWidgetFromMRML)
        self.updateWidgetFromMRML()

    def updateWidgetFromMRML(self) -> None:
        """Show what the editor node holds, and tell what changed since."""
        node = self._node
        now = (self.segmentationNode(), self.sourceVolumeNode(), self.currentSegmentID())
        before, self._seen = self._seen, now
        if node is None:
            return
        self._segmentations.setCurrentNode(now[0])
        self._sources.setCurrentNode(now[1])
        if self._segments.segmentationNode() is not now[0]:
            self._segments.setSegmentationNode(now[0])
        for signal, old, new in zip(self._signals(), before, now, strict=True):
            if old != new:
                signal.emit(new)
        self._activate(node.GetActiveEffectName() or "")

    def _signals(self) -> tuple:
        return self.segmentationNodeChanged, self.sourceVolumeNodeChanged, self.currentSegmentIDChanged

    def _writable(self) -> Any:
        if self._node is None:
            raise RuntimeError("setMRMLSegmentEditorNode first: without an editor node selections are lost")
        return self._node

    # Selections
    def segmentationNode(self) -> Any:
        return self._node.GetSegmentationNode() if self._node else None

    def setSegmentationNode(self, node: Any) -> None:
        editor = self._writable()
        if checked(node, "vtkMRMLSegmentationNode") is editor.GetSegmentationNode():
            return
        editor.SetAndObserveSegmentationNode(node)
        ids = node.GetSegmentation().GetSegmentIDs() if node else ()
        editor.SetSelectedSegmentID(ids[0] if ids else "")
        self.updateWidgetFromMRML()

    def segmentationNodeID(self) -> str:
        return self.segmentationNode().GetID() if self.segmentationNode() else ""

    def setSegmentationNodeID(self, node_id: str) -> None:
        self.setSegmentationNode(self._scene.GetNodeByID(node_id))

    def sourceVolumeNode(self) -> Any:
        return self._node.GetSourceVolumeNode() if self._node else None

    def setSourceVolumeNode(self, node: Any) -> None:
        if checked(node, "vtkMRMLScalarVolumeNode") is not self._writable().GetSourceVolumeNode():
            self._node.SetAndObserveSourceVolumeNode(node)
            if node is not None and self.property("autoShowSourceVolumeNode"):
                slicer.util.setSliceViewerLayers(background=node)

    def sourceVolumeNodeID(self) -> str:
        return self.sourceVolumeNode().GetID() if self.sourceVolumeNode() else ""

    def setSourceVolumeNodeID(self, node_id: str) -> None:
        self.setSourceVolumeNode(self._scene.GetNodeByID(node_id))

    def currentSegmentID(self) -> str:
        return (self._node.GetSelectedSegmentID() or "") if self._node else ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._writable().SetSelectedSegmentID(str(segment_id))

    # Effects
    def availableEffectNames(self) -> list[str]:
        return sorted(self._effects)

    def effectCount(self) -> int:
        return len(self._effects)

    def effectNameOrder(self) -> list[str]:
        return self._order

    def setEffectNameOrder(self, names: list[str]) -> None:
        self._order = list(names)
        self.updateEffectList()

    def effectByName(self, name: str) -> Effect | None:
        return self._effects.get(name)

    def activeEffect(self) -> Effect | None:
        return self._active

    def setActiveEffect(self, effect: Effect | None) -> None:
        self.setActiveEffectByName(effect.name if effect else "")

    def setActiveEffectByName(self, name: str) -> None:
        if name and name not in self._effects:
            name = ""
        self._writable().SetActiveEffectName(name)
        self._activate(name)

    def _activate(self, name: str) -> None:
        self._active = self._effects.get(name)
        for button in self._buttons:
            button.setChecked(button.text() == name)

    def updateEffectList(self) -> None:
        while self._row.count():
            stale = self._row.takeAt(0).widget()
            stale.hide()
            stale.deleteLater()
        rest = sorted(set(self._effects) - set(self._order)) if self.property("unorderedEffectsVisible") else []
        self._buttons = [self._button(n) for n in [*self._order, *rest] if n in self._effects]

    def _button(self, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(name)
        button.setCheckable(True)
        button.clicked.connect(lambda on, n=name: self.setActiveEffectByName(n if on else ""))
        self._row.addWidget(button)
        return button

    def stroke(self, mask: np.ndarray) -> None:
        """What the hand does with the active effect: Paint, Draw, Erase or Scissors where mask [k, j, i] is True."""
        if self._active is None or self._active.name not in STROKES:
            raise RuntimeError("activate Paint, Draw, Erase or Scissors before a stroke")
        modify(self.logic, np.asarray(mask, bool), STROKES[self._active.name])

    # Undo
    def saveStateForUndo(self) -> None:
        if self.property("undoEnabled"):
            self.logic.SaveStateForUndo()

    def undo(self) -> None:
        self.logic.Undo()

    def redo(self) -> None:
        self.logic.Redo()

    def setMaximumNumberOfUndoStates(self, count: int) -> None:
        self.setProperty("maximumNumberOfUndoStates", int(count))

    def _undo_states(self) -> None:
        self.logic.SetMaximumNumberOfUndoStates(self.property("maximumNumberOfUndoStates"))

    # Entering and leaving a module
    def installKeyboardShortcuts(self) -> None:
        self._shortcuts = True

    def uninstallKeyboardShortcuts(self) -> None:
        self._shortcuts = False

    def setupViewObservations(self) -> None:
        self._views = True

    def removeViewObservations(self) -> None:
        self._views = False

    def rotateSliceViewsToSegmentation(self) -> None:
        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            node.RotateToVolumePlane(self.sourceVolumeNode())

    def _visible_parts(self) -> None:
        self._segmentations.setVisible(self.property("segmentationNodeSelectorVisible"))
        self._sources.setVisible(self.property("sourceVolumeNodeSelectorVisible"))

    segmentationNodeSelectorVisible = kept("segmentationNodeSelectorVisible", bool, True, "_visible_parts")
    sourceVolumeNodeSelectorVisible = kept("sourceVolumeNodeSelectorVisible", bool, True, "_visible_parts")
    unorderedEffectsVisible = kept("unorderedEffectsVisible", bool, True, "updateEffectList")
    maximumNumberOfUndoStates = kept("maximumNumberOfUndoStates", int, 10, "_undo_states")
    autoShowSourceVolumeNode = kept("autoShowSourceVolumeNode", bool, True)
    jumpToSelectedSegmentEnabled = kept("jumpToSelectedSegmentEnabled", bool, False)
    addRemoveSegmentButtonsVisible = kept("addRemoveSegmentButtonsVisible", bool, True)
    switchToSegmentationsButtonVisible = kept("switchToSegmentationsButtonVisible", bool, True)
    specifyGeometryButtonVisible = kept("specifyGeometryButtonVisible", bool, True)
    show3DButtonVisible = kept("show3DButtonVisible", bool, True)
    maskingSectionVisible = kept("maskingSectionVisible", bool, True)
    undoEnabled = kept("undoEnabled", bool, True)
    readOnly = kept("readOnly", bool, False)
    effectColumnCount = kept("effectColumnCount", int, 2)
    effectButtonStyle = kept("effectButtonStyle", int, Qt.ToolButtonStyle.ToolButtonIconOnly.value)


def _setter(name: str) -> Any:
    def set_property(self: Any, value: Any) -> None:
        self.setProperty(name, value)

    return set_property


for _name in (
    "segmentationNodeSelectorVisible", "sourceVolumeNodeSelectorVisible", "autoShowSourceVolumeNode", "undoEnabled",
    "jumpToSelectedSegmentEnabled", "addRemoveSegmentButtonsVisible", "switchToSegmentationsButtonVisible", "readOnly",
    "specifyGeometryButtonVisible", "show3DButtonVisible", "maskingSectionVisible", "effectColumnCount",
    "effectButtonStyle",
):  # fmt: skip
    setattr(qMRMLSegmentEditorWidget, "set" + _name[0].upper() + _name[1:], _setter(_name))
