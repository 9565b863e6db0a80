"""slicer.app.layoutManager(): real layout, slice and composite nodes and slice logics, without a picture in them."""

# ruff: noqa: N801, N802, N815 (names that Qt and Slicer gave)

from __future__ import annotations

from typing import Any

import slicer
from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtWidgets import QWidget
from vtkmodules.vtkCommonCore import vtkCollection

from .mrml_widgets import Observed

VIEW_SIZE = (400, 300)
FOUR_UP = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView


class qMRMLSliceView(QWidget):
    def __init__(self, node: Any) -> None:
        super().__init__()
        self._node = node

    def mrmlSliceNode(self) -> Any:
        return self._node

    def scheduleRender(self) -> None:
        """Nothing is drawn here."""

    forceRender = scheduleRender


class qMRMLSliceControllerWidget(QWidget):
    def __init__(self, logic: Any) -> None:
        super().__init__()
        self._logic = logic

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def setSliceOffsetValue(self, offset_mm: float) -> None:
        self._logic.SetSliceOffset(offset_mm)

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground(*VIEW_SIZE)


class qMRMLSliceWidget(QWidget):
    def __init__(self, node: Any, logic: Any) -> None:
        super().__init__()
        self._node, self._logic = node, logic
        self._view, self._controller = qMRMLSliceView(node), qMRMLSliceControllerWidget(logic)

    def mrmlSliceNode(self) -> Any:
        return self._node

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def sliceLogic(self) -> Any:
        return self._logic

    def sliceView(self) -> qMRMLSliceView:
        return self._view

    def sliceController(self) -> qMRMLSliceControllerWidget:
        return self._controller

    def fitSliceToBackground(self) -> None:
        self._controller.fitSliceToBackground()


class qMRMLThreeDView(QWidget):
    def __init__(self, node: Any) -> None:
        super().__init__()
        self._node = node

    def mrmlViewNode(self) -> Any:
        return self._node

    def resetFocalPoint(self) -> None:
        """Nothing is drawn here."""

    resetCamera = scheduleRender = forceRender = resetFocalPoint


class qMRMLThreeDWidget(QWidget):
    def __init__(self, node: Any) -> None:
        super().__init__()
        self._view = qMRMLThreeDView(node)

    def threeDView(self) -> qMRMLThreeDView:
        return self._view

    def mrmlViewNode(self) -> Any:
        return self._view.mrmlViewNode()


class qSlicerLayoutManager(QObject):
    """The widgets follow the view nodes that Slicer's own layout logic makes."""

    layoutChanged = Signal(int)

    def __init__(self, scene: Any, application_logic: Any) -> None:
        super().__init__()
        self._scene, self._application_logic = scene, application_logic
        self._logics, self._widgets, self._views = vtkCollection(), {}, {}
        application_logic.SetSliceLogics(self._logics)
        self._layout_logic = slicer.vtkMRMLLayoutLogic()
        self._layout_logic.SetMRMLScene(scene)
        self._observed = Observed()
        node = self._layout_logic.GetLayoutNode()
        node.SetViewArrangement(FOUR_UP)
        self._arrangement = FOUR_UP
        self._observed.watch(node, ("ModifiedEvent",), self._changed)
        self._changed()

    def mrmlScene(self) -> Any:
        return self._scene

    def layoutLogic(self) -> Any:
        return self._layout_logic

    def setLayout(self, arrangement: int) -> None:
        self._layout_logic.GetLayoutNode().SetViewArrangement(int(arrangement))

    def _changed(self) -> None:
        self._map()
        for name in self.sliceViewNames():
            self.sliceWidget(name)
        now = self._arrangement_now()
        if now != self._arrangement:
            self._arrangement = now
            self.layoutChanged.emit(now)

    def _map(self) -> None:
        """A view node knows whether the layout shows it, as Slicer's qMRMLLayoutViewFactory tells it."""
        for kind in ("vtkMRMLSliceNode", "vtkMRMLViewNode"):
            shown = [node.GetID() for node in self._view_nodes(kind)]
            for node in slicer.util.getNodesByClass(kind):
                node.SetMappedInLayout(int(node.GetID() in shown))

    def _arrangement_now(self) -> int:
        return self._layout_logic.GetLayoutNode().GetViewArrangement()

    def _view_nodes(self, kind: str) -> list:
        nodes = self._layout_logic.GetViewNodes()
        every = [nodes.GetItemAsObject(i) for i in range(nodes.GetNumberOfItems())]
        return [n for n in every if n.IsA(kind)]

    def sliceViewNames(self) -> list[str]:
        return [n.GetLayoutName() for n in self._view_nodes("vtkMRMLSliceNode")]

    def sliceWidget(self, name: str) -> qMRMLSliceWidget | None:
        if name not in self._widgets:
            node = next((n for n in self._view_nodes("vtkMRMLSliceNode") if n.GetLayoutName() == name), None)
            if node is None:
                return None
            self._widgets[name] = self._slice_widget(node)
        return self._widgets[name]

    def _slice_widget(self, node: Any) -> qMRMLSliceWidget:
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(self._application_logic)
        logic.SetMRMLScene(self._scene)
        logic.SetSliceNode(node)
        node.SetDimensions(*VIEW_SIZE, 1)
        self._logics.AddItem(logic)
        return qMRMLSliceWidget(node, logic)

    def mrmlSliceLogics(self) -> Any:
        return self._logics

    def resetSliceViews(self) -> None:
        for widget in self._widgets.values():
            widget.fitSliceToBackground()

    def threeDWidget(self, index: int) -> qMRMLThreeDWidget | None:
        nodes = self._view_nodes("vtkMRMLViewNode")
        if not 0 <= index < len(nodes):
            return None
        return self._views.setdefault(nodes[index].GetID(), qMRMLThreeDWidget(nodes[index]))

    def resetThreeDViews(self) -> None:
        """Nothing is drawn here."""

    def setRenderPaused(self, paused: bool) -> None:
        """Nothing is drawn here."""

    def pauseRender(self) -> None:
        """Nothing is drawn here."""

    resumeRender = pauseRender

    def close(self) -> None:
        """Let go of the scene."""
        self._observed.stop()
        for i in range(self._logics.GetNumberOfItems()):
            self._logics.GetItemAsObject(i).SetMRMLScene(None)
        self._layout_logic.SetMRMLScene(None)

    layout = Property(int, lambda self: self._arrangement_now(), setLayout)
    threeDViewCount = Property(int, lambda self: len(self._view_nodes("vtkMRMLViewNode")))


LAYOUT = [
    qMRMLSliceView, qMRMLSliceControllerWidget, qMRMLSliceWidget, qMRMLThreeDView, qMRMLThreeDWidget,
    qSlicerLayoutManager,
]  # fmt: skip
