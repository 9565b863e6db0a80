"""The MRML widgets over a real scene: what they list, what is current, and when they say so."""

# ruff: noqa: N801, N802, N815 (names that Qt and Slicer gave)

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, ClassVar

import slicer
from PySide6.QtCore import Property, QItemSelection, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from .ctk_widgets import ctkCollapsibleButton, ctkSliderWidget, kept

NEW = "Create new"


def checked(value: Any, kind: str) -> Any:
    """A VTK object of this class, or None; anything else is the TypeError that PythonQt gives."""
    if value is not None and not (hasattr(value, "IsA") and value.IsA(kind)):
        raise TypeError(f"a {kind} is wanted, not {type(value).__name__}")
    return value


class Observed:
    """Observers on one VTK object, which hold their widget weakly; taken off when another object comes."""

    every: ClassVar[weakref.WeakSet] = weakref.WeakSet()

    def __init__(self) -> None:
        self.target: Any = None
        self._tags: list[int] = []
        Observed.every.add(self)

    def watch(self, target: Any, events: tuple, method: Callable[[], None]) -> None:
        """Call the bound method at each of these events of the target."""
        self.stop()
        self.target = target
        if target is not None:
            self._tags = [target.AddObserver(event, _weakly(method)) for event in events]

    def stop(self) -> None:
        for tag in self._tags if self.target is not None else ():
            self.target.RemoveObserver(tag)
        self.target, self._tags = None, []


def _weakly(method: Callable[[], None]) -> Callable:
    kept = weakref.WeakMethod(method)

    def observe(caller: Any, event: str) -> None:
        call = kept()
        if call is not None and isValid(call.__self__):
            call()

    return observe


class _WithScene:
    """What every MRML widget does with its scene."""

    _scene: Any = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if checked(scene, "vtkMRMLScene") is not self._scene:
            self._scene = scene
            self._scene_set()
            if hasattr(self, "mrmlSceneChanged"):
                self.mrmlSceneChanged.emit(scene)

    def _scene_set(self) -> None:
        """For those that show what the scene holds."""


class qMRMLWidget(_WithScene, QWidget):
    """The root of a module's panel: hands the scene on."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        QWidget.__init__(self, parent)


class qMRMLCollapsibleButton(_WithScene, ctkCollapsibleButton):
    mrmlSceneChanged = Signal(object)


class qMRMLSliderWidget(_WithScene, ctkSliderWidget):
    """A slider that may take its unit from the scene; here the quantity is kept and has no unit."""

    quantity = kept("quantity", str, "")
    unitAwareProperties = kept("unitAwareProperties", int, 0)

    def setQuantity(self, quantity: str) -> None:
        self.setProperty("quantity", quantity)

    def setUnitAwareProperties(self, flags: int) -> None:
        self.setProperty("unitAwareProperties", int(flags))


class qMRMLNodeComboBox(_WithScene, QWidget):
    """A choice among nodes. Without noneEnabled the first node that fits is chosen by itself; with it, None is."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    currentNodeRenamed = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAboutToBeEdited = Signal(object)
    nodeAboutToBeRemoved = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        QWidget.__init__(self, parent)
        self._current, self._observed, self._attributes, self._listed = None, Observed(), {}, []
        self._box = QComboBox(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._box)
        self._box.activated.connect(self._chosen)
        self._rename = Observed()
        self._refresh()

    # What is listed
    def addAttribute(self, node_type: str, name: str, value: Any = None) -> None:
        self._attributes.setdefault(node_type, {})[name] = value
        self._refresh()

    def removeAttribute(self, node_type: str, name: str) -> None:
        self._attributes.get(node_type, {}).pop(name, None)
        self._refresh()

    def _fits(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self.property("showHidden"):
            return False
        if any(node.IsA(hidden) for hidden in self.property("hideChildNodeTypes")):
            return False
        children = self.property("showChildNodeTypes")
        kinds = [t for t in self.property("nodeTypes") if (node.IsA(t) if children else node.GetClassName() == t)]
        return any(self._has_attributes(node, t) for t in kinds)

    def _has_attributes(self, node: Any, kind: str) -> bool:
        wanted = self._attributes.get(kind, {})
        given = {n: node.GetAttribute(n) for n in wanted}
        return all(given[n] is not None and v in (None, "", given[n]) for n, v in wanted.items())

    def _nodes(self) -> list:
        scene = self._scene
        every = [scene.GetNthNode(i) for i in range(scene.GetNumberOfNodes())] if scene else []
        return [n for n in every if self._fits(n)]

    def nodeCount(self) -> int:
        return len(self._nodes())

    def nodeFromIndex(self, index: int) -> Any:
        nodes = self._nodes()
        return nodes[index] if 0 <= index < len(nodes) else None

    # What is current
    def currentNode(self) -> Any:
        return self._current

    def setCurrentNode(self, node: Any) -> None:
        checked(node, "vtkMRMLNode")
        nodes = self._nodes()
        self._select(node if node in nodes else None)

    def setCurrentNodeID(self, node_id: str) -> None:
        self.setCurrentNode(self._scene.GetNodeByID(str(node_id)) if self._scene and node_id else None)

    def setCurrentNodeIndex(self, index: int) -> None:
        self._select(self.nodeFromIndex(index))

    def _select(self, node: Any) -> None:
        changed, self._current = node is not self._current, node
        self._rename.watch(node, ("ModifiedEvent",), self._renamed)
        self._draw()
        if changed:
            self.currentNodeChanged.emit(node)
            self.currentNodeIDChanged.emit(node.GetID() if node else "")

    def _renamed(self) -> None:
        if self._box.currentText() != self._current.GetName():
            self._draw()
            self.currentNodeRenamed.emit(self._current.GetName())

    # The scene
    def _scene_set(self) -> None:
        scene = slicer.vtkMRMLScene
        events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndBatchProcessEvent, scene.EndCloseEvent)
        self._observed.watch(self._scene, events, self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        """Keep what is current while it is listed; else the first, or None where the user may have none."""
        if self._scene is not None and self._scene.IsBatchProcessing():
            return
        before, self._listed = self._listed, self._nodes()
        if self._current in self._listed:
            self._draw()
            return
        fallback = None if self.property("noneEnabled") or not self._listed else self._next_to(before)
        self._select(fallback)

    def _next_to(self, before: list) -> Any:
        index = before.index(self._current) - 1 if self._current in before else 0
        return self._listed[max(0, min(index, len(self._listed) - 1))]

    # The box on screen
    def _draw(self) -> None:
        self._box.clear()
        for node in self._offered():
            self._box.addItem(node.GetName() if node else self.property("noneDisplay"))
        if self.property("addEnabled"):
            for kind in self.property("nodeTypes"):
                self._box.addItem(f"{NEW} {self.nodeTypeLabel(kind)}", kind)
        offered = self._offered()
        self._box.setCurrentIndex(offered.index(self._current) if self._current in offered else -1)

    def _offered(self) -> list:
        return ([None] if self.property("noneEnabled") else []) + self._listed

    def _chosen(self, index: int) -> None:
        """The user picks an entry."""
        offered = self._offered()
        node = offered[index] if index < len(offered) else self.addNode(self._box.itemData(index))
        self._select(node)
        self.nodeActivated.emit(node)

    # Making and removing
    def nodeTypeLabel(self, kind: str) -> str:
        node = getattr(slicer, kind)() if hasattr(slicer, kind) else None
        return node.GetNodeTagName() if node else kind

    def addNode(self, kind: str = "") -> Any:
        kind = kind or (self.property("nodeTypes") or [""])[0]
        if self._scene is None or not kind:
            return None
        base = self.property("baseName") or self.nodeTypeLabel(kind)
        node = self._scene.AddNewNodeByClass(kind, self._scene.GenerateUniqueName(base))
        for name, value in self._attributes.get(kind, {}).items():
            node.SetAttribute(name, str(value or ""))
        self._refresh()
        if self.property("selectNodeUponCreation"):
            self._select(node)
        for signal in (self.nodeAdded, self.nodeAddedByUser):
            signal.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        if self._current is not None:
            self.nodeAboutToBeRemoved.emit(self._current)
            self._scene.RemoveNode(self._current)

    nodeTypes = kept("nodeTypes", "QStringList", [], "_refresh")
    hideChildNodeTypes = kept("hideChildNodeTypes", "QStringList", [], "_refresh")
    showChildNodeTypes = kept("showChildNodeTypes", bool, True, "_refresh")
    showHidden = kept("showHidden", bool, False, "_refresh")
    noneEnabled = kept("noneEnabled", bool, False, "_refresh")
    noneDisplay = kept("noneDisplay", str, "None", "_draw")
    addEnabled = kept("addEnabled", bool, True, "_draw")
    removeEnabled = kept("removeEnabled", bool, True)
    editEnabled = kept("editEnabled", bool, False)
    renameEnabled = kept("renameEnabled", bool, False)
    baseName = kept("baseName", str, "")
    selectNodeUponCreation = kept("selectNodeUponCreation", bool, True)
    interactionNodeSingletonTag = kept("interactionNodeSingletonTag", str, "")
    sizeAdjustPolicy = kept("sizeAdjustPolicy", int, 0)
    currentNodeID = Property(str, lambda self: self._current.GetID() if self._current else "", setCurrentNodeID)
    currentNodeId = currentNodeID


class qMRMLColorTableComboBox(qMRMLNodeComboBox):
    """A choice among color nodes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("nodeTypes", ["vtkMRMLColorNode"])
        self.setProperty("showHidden", True)  # Slicer's own color nodes are hidden from other editors
        for name in ("addEnabled", "removeEnabled"):
            self.setProperty(name, False)


class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):
    """Nodes with a check mark each."""

    checkedNodesChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        self._checked: set[str] = set()
        super().__init__(parent)

    def setCheckState(self, node: Any, state: Any) -> None:
        before = set(self._checked)
        node_id = checked(node, "vtkMRMLNode").GetID()
        self._checked.add(node_id) if int(getattr(state, "value", state)) == 2 else self._checked.discard(node_id)
        if before != self._checked:
            self.checkedNodesChanged.emit()

    def checkState(self, node: Any) -> Qt.CheckState:
        return Qt.CheckState.Checked if node.GetID() in self._checked else Qt.CheckState.Unchecked

    def check(self, node: Any) -> None:
        self.setCheckState(node, 2)

    def uncheck(self, node: Any) -> None:
        self.setCheckState(node, 0)

    def checkedNodes(self) -> list:
        return [n for n in self._nodes() if n.GetID() in self._checked]

    def uncheckedNodes(self) -> list:
        return [n for n in self._nodes() if n.GetID() not in self._checked]

    def noneChecked(self) -> bool:
        return not self.checkedNodes()

    def allChecked(self) -> bool:
        return not self.uncheckedNodes()


COLUMNS = ("Show", "Name", "Status")
STATUS = slicer.vtkSlicerSegmentationsModuleLogic


class qMRMLSegmentsTableView(_WithScene, QWidget):
    """The segments of a segmentation, with name, visibility and status."""

    selectionChanged = Signal(QItemSelection, QItemSelection)
    segmentAboutToBeModified = Signal(str)
    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        QWidget.__init__(self, parent)
        self._node, self._observed = None, Observed()
        self._hidden: list[str] = []
        self._table = QTableWidget(0, len(COLUMNS), self)
        self._table.setHorizontalHeaderLabels(COLUMNS)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        QVBoxLayout(self).addWidget(self._table)
        self._table.selectionModel().selectionChanged.connect(self.selectionChanged)

    def segmentationNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        self._node = checked(node, "vtkMRMLSegmentationNode")
        kinds = slicer.vtkSegmentation
        events = (kinds.SegmentAdded, kinds.SegmentRemoved, kinds.SegmentModified)
        self._observed.watch(node.GetSegmentation() if node else None, events, self._fill)
        self._fill()

    def displayedSegmentIDs(self) -> list[str]:
        ids = self._node.GetSegmentation().GetSegmentIDs() if self._node else ()
        return [i for i in ids if i not in self._hidden]

    def _fill(self) -> None:
        selected, ids = self.selectedSegmentIDs(), self.displayedSegmentIDs()
        self._table.setRowCount(len(ids))
        for row, segment_id in enumerate(ids):
            for column, text in enumerate(self._texts(segment_id)):
                self._table.setItem(row, column, QTableWidgetItem(text))
        self.setSelectedSegmentIDs([i for i in selected if i in ids])

    def _texts(self, segment_id: str) -> tuple[str, ...]:
        segment, display = self._node.GetSegmentation().GetSegment(segment_id), self._node.GetDisplayNode()
        shown = display is not None and display.GetSegmentVisibility(segment_id)
        status = STATUS.GetSegmentStatusAsHumanReadableString(STATUS.GetSegmentStatus(segment))
        return "shown" if shown else "hidden", segment.GetName(), status

    def selectedSegmentIDs(self) -> list[str]:
        rows = sorted({i.row() for i in self._table.selectionModel().selectedRows()})
        return [i for i in map(self.segmentIDForRow, rows) if i]

    def setSelectedSegmentIDs(self, ids: list[str]) -> None:
        self._table.clearSelection()
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        for segment_id in ids:
            self._table.selectRow(self.rowForSegmentID(segment_id))
        self._table.setSelectionMode(QAbstractItemView.SelectionMode(self.property("selectionMode")))

    def clearSelection(self) -> None:
        self._table.clearSelection()

    def rowForSegmentID(self, segment_id: str) -> int:
        ids = self.displayedSegmentIDs()
        return ids.index(segment_id) if segment_id in ids else -1

    def segmentIDForRow(self, row: int) -> str:
        ids = self.displayedSegmentIDs()
        return ids[row] if 0 <= row < len(ids) else ""

    def setHideSegments(self, ids: list[str]) -> None:
        self._hidden = list(ids)
        self._fill()

    def hideSegments(self) -> list[str]:
        return self._hidden

    def setSelectedSegmentsStatus(self, status: int) -> None:
        for segment_id in self.selectedSegmentIDs():
            STATUS.SetSegmentStatus(self._node.GetSegmentation().GetSegment(segment_id), int(status))

    def jumpSlices(self) -> None:
        for segment_id in self.selectedSegmentIDs()[:1]:
            center = self._node.GetSegmentCenterRAS(segment_id)
            slicer.vtkMRMLSliceNode.JumpAllSlices(self._node.GetScene(), *center, 0)

    def setHeaderVisible(self, visible: bool) -> None:
        self.setProperty("headerVisible", bool(visible))

    def setVisibilityColumnVisible(self, visible: bool) -> None:
        self.setProperty("visibilityColumnVisible", bool(visible))

    def setStatusColumnVisible(self, visible: bool) -> None:
        self.setProperty("statusColumnVisible", bool(visible))

    def setReadOnly(self, read_only: bool) -> None:
        self.setProperty("readOnly", bool(read_only))

    def setSelectionMode(self, mode: Any) -> None:
        self.setProperty("selectionMode", int(getattr(mode, "value", mode)))

    def _columns(self) -> None:
        self._table.horizontalHeader().setVisible(self.property("headerVisible"))
        self._table.setColumnHidden(0, not self.property("visibilityColumnVisible"))
        self._table.setColumnHidden(2, not self.property("statusColumnVisible"))

    headerVisible = kept("headerVisible", bool, True, "_columns")
    visibilityColumnVisible = kept("visibilityColumnVisible", bool, True, "_columns")
    statusColumnVisible = kept("statusColumnVisible", bool, True, "_columns")
    colorColumnVisible = kept("colorColumnVisible", bool, True)
    opacityColumnVisible = kept("opacityColumnVisible", bool, True)
    filterBarVisible = kept("filterBarVisible", bool, False)
    readOnly = kept("readOnly", bool, False)
    selectionMode = kept("selectionMode", int, QAbstractItemView.SelectionMode.ExtendedSelection.value)
    segmentCount = Property(int, lambda self: len(self.displayedSegmentIDs()))


class qMRMLSegmentationShow3DButton(QPushButton):
    """Makes the closed surface of a segmentation, or removes it."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__("Show 3D", parent)
        self._node = None
        self.setCheckable(True)
        self.toggled.connect(self._toggle)

    def segmentationNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        self._node = checked(node, "vtkMRMLSegmentationNode")

    def _toggle(self, on: bool) -> None:
        if self._node is not None:
            (self._node.CreateClosedSurfaceRepresentation if on else self._node.RemoveClosedSurfaceRepresentation)()


MRML = [
    qMRMLWidget, qMRMLCollapsibleButton, qMRMLSliderWidget, qMRMLNodeComboBox, qMRMLColorTableComboBox,
    qMRMLCheckableNodeComboBox, qMRMLSegmentsTableView, qMRMLSegmentationShow3DButton,
]  # fmt: skip
