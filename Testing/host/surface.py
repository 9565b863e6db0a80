"""What each class lets Python see: slicer_qt_api.json for ctk, qMRML and qSlicer, Qt's meta-object for the rest.

slicer_qt_api.json holds what was measured in Slicer's own Qt layer, of the classes provided here. Where the measurement
gives the name of a signal but no signature, SIGNATURES has it from the class's header.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PySide6.QtCore import QMetaMethod, QMetaObject, QObject
from PySide6.QtWidgets import QWidget

API = json.loads((Path(__file__).parent / "slicer_qt_api.json").read_text(encoding="utf-8"))
SIGNATURES = {
    "QWidget": ["destroyed()", "destroyed(QObject*)", "objectNameChanged(QString)", "windowTitleChanged(QString)",
                "customContextMenuRequested(QPoint)"],
    "qMRMLSliderWidget": ["valueChanged(double)", "valueIsChanging(double)", "decimalsChanged(int)"],
    "qMRMLSegmentEditorWidget": ["currentSegmentIDChanged(QString)", "sourceVolumeNodeChanged(vtkMRMLVolumeNode*)",
                                 "segmentationNodeChanged(vtkMRMLSegmentationNode*)",
                                 "mrmlSceneChanged(vtkMRMLScene*)"],
    "qMRMLSegmentsTableView": ["selectionChanged(QItemSelection,QItemSelection)", "segmentAboutToBeModified(QString)",
                               "mrmlSceneChanged(vtkMRMLScene*)"],
    "qMRMLCheckableNodeComboBox": ["checkedNodesChanged()"],
    "qSlicerApplication": ["startupCompleted()", "aboutToQuit()", "mrmlSceneChanged(vtkMRMLScene*)"],
    "qSlicerLayoutManager": ["layoutChanged(int)"],
    "qMRMLSliceWidget": ["renderPaused(bool)"],
}  # fmt: skip
# Qt 6 has them and Qt 5, on which Slicer 5.10 is built, has not.
ONLY_QT6 = {"checkStateChanged", "accessibleIdentifier", "setAccessibleIdentifier", "chop", "sliced", "first", "last"}
PYTHONQT = {"className", "connect", "delete", "disconnect", "findChild", "findChildren", "help", "inherits", "name"}


class NotCovered(NotImplementedError):  # noqa: N818 (reads as a sentence where it is raised)
    """Slicer has it, this stand-in has not (yet): add it here, or do without."""


@dataclass(frozen=True)
class Surface:
    """Names of methods and properties, and signatures of signals; listed: measured in Slicer, not read from Qt."""

    methods: frozenset
    properties: frozenset
    signals: tuple
    listed: bool

    def named(self, signal: str) -> list[str]:
        """All signatures of a signal."""
        return [s for s in self.signals if s.split("(")[0] == signal]


def normalized(signature: str) -> str:
    text = QMetaObject.normalizedSignature(signature)
    return bytes(text).decode() if not isinstance(text, str) else text


def meta_signals(meta: QMetaObject) -> list[str]:
    methods = [meta.method(i) for i in range(meta.methodCount())]
    return [bytes(m.methodSignature()).decode() for m in methods if m.methodType() == QMetaMethod.MethodType.Signal]


@cache
def property_names(pyside: type) -> frozenset:
    """Asked once, when the class is provided: shiboken may drop a class's meta-object later."""
    meta = pyside.staticMetaObject
    return frozenset(meta.property(i).name() for i in range(meta.propertyCount()))


@cache
def listed_surface(class_name: str) -> Surface:
    """Of a ctk, qMRML or qSlicer class; KeyError when Slicer has no such class."""
    entry, base = API[class_name], API["QWidget"]
    inherited = base if entry["is_widget"] else {"methods": [], "properties": {}}
    signals = entry["signal_signatures"] or SIGNATURES.get(class_name, [])
    common = SIGNATURES["QWidget"] if entry["is_widget"] else SIGNATURES["QWidget"][:3]
    return Surface(
        frozenset(entry["methods"]) | frozenset(inherited["methods"]) | PYTHONQT,
        frozenset(entry["properties"]) | frozenset(inherited["properties"]),
        tuple(dict.fromkeys([normalized(s) for s in [*signals, *common]])),
        True,
    )


@cache
def qt_surface(pyside: type) -> Surface:
    """Of one of Qt's own classes; what it has from QWidget is limited to what was measured."""
    public = {n for n in dir(pyside) if not n.startswith("_")} - ONLY_QT6
    if not issubclass(pyside, QObject):
        return Surface(frozenset(public), frozenset(), (), False)
    meta = pyside.staticMetaObject
    properties = property_names(pyside) - ONLY_QT6
    signals = [s for s in meta_signals(meta) if s.split("(")[0] not in ONLY_QT6]
    if issubclass(pyside, QWidget):
        of_qwidget = {n for n in dir(QWidget) if n in public} | property_names(QWidget)
        public -= of_qwidget - set(API["QWidget"]["methods"]) - own_members(pyside)
        properties -= of_qwidget - set(API["QWidget"]["properties"]) - own_members(pyside)
    return Surface(frozenset(public) | PYTHONQT, frozenset(properties), tuple(signals), False)


def own_members(pyside: type) -> set[str]:
    """What a widget class declares below QWidget."""
    return {n for c in pyside.__mro__ if issubclass(c, QWidget) and c is not QWidget for n in vars(c)}
