"""Read a .ui file as Slicer does: its own widget classes, dynamic properties kept, connections made and checked."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from PySide6 import QtWidgets
from PySide6.QtCore import QBuffer, QFile, QObject
from PySide6.QtUiTools import QUiLoader as _QUiLoader
from PySide6.QtWidgets import QWidget

from .proxy import CLASSES, wrap
from .surface import NotCovered, listed_surface, property_names

CUSTOM: dict[str, type] = {}  # class name in a .ui file -> class


class _Widgets(_QUiLoader):
    """Makes the stand-in's classes; keeps what Python made until the tree holds it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[QWidget] = []

    def createWidget(self, class_name: str, parent: Any = None, name: str = "") -> QWidget:  # noqa: N802 (Qt's name)
        if class_name not in CUSTOM:
            return super().createWidget(class_name, parent, name)
        made = CUSTOM[class_name](parent)
        made.setObjectName(name)
        self.kept.append(made)
        return made


class QUiLoader(QObject):
    """`qt.QUiLoader().load(file)`."""

    def read(self, file: QFile, parent: Any = None) -> QWidget:
        tree = ElementTree.parse(file.fileName())
        root = tree.getroot()
        _check_classes(root)
        _check_properties(root)
        connections = root.find("connections")
        if connections is not None:
            root.remove(connections)
        widgets, source = _Widgets(), QBuffer()
        source.setData(ElementTree.tostring(root))
        source.open(QBuffer.OpenModeFlag.ReadOnly)
        widget = widgets.load(source, parent)
        widget.kept_by_stand_in = widgets.kept
        for connection in connections if connections is not None else ():
            _connect(widget, connection)
        return widget


def _check_classes(root: ElementTree.Element) -> None:
    """A class that the loader does not know would silently become its base class."""
    known = set(_QUiLoader().availableWidgets()) | set(CUSTOM)
    used = {w.get("class") for w in root.iter("widget")}
    if unknown := sorted(used - known):
        raise RuntimeError(f"the .ui file uses {', '.join(unknown)}, which the stand-in does not provide")


def _check_properties(root: ElementTree.Element) -> None:
    """A misspelled property would become a dynamic one without a word; real dynamic ones say stdset="0"."""
    for element in root.iter("widget"):
        for prop in element.findall("property"):
            if prop.get("stdset") != "0":
                _check_property(element.get("class"), prop.get("name"))


def _check_property(kind: str, name: str) -> None:
    made = CUSTOM.get(kind) or getattr(QtWidgets, kind, None)
    if made not in CLASSES or name in property_names(made):
        return
    if kind in CUSTOM and name in listed_surface(kind).properties:
        raise NotCovered(f"the property {name} of {kind}, which the .ui file sets")
    raise RuntimeError(f"{kind} in the .ui file has no property {name!r}")


def _connect(root: QWidget, connection: ElementTree.Element) -> None:
    """Signal to slot by name; an unknown one raises, where Qt prints a warning that nobody reads."""
    text = {e.tag: (e.text or "").strip() for e in connection if e.tag != "hints"}
    sender, receiver = (_named(root, text[end]) for end in ("sender", "receiver"))
    slot = text["slot"].split("(")[0]
    wrap(sender).connect(text["signal"], _slot(receiver, slot))


def _slot(receiver: QObject, slot: str) -> Any:
    getattr(wrap(receiver), slot)  # refuses what the receiver has not
    return lambda *values: getattr(wrap(receiver), slot)(*values[:1])


def _named(root: QWidget, name: str) -> QObject:
    found = root if root.objectName() == name else root.findChild(QObject, name)
    if found is None:
        raise RuntimeError(f"the .ui file connects {name!r}, which it does not hold")
    return found
