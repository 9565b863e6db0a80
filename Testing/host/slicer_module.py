"""What the slicer-core wheel lacks of the module `slicer`: app, modules, widgets, and Qt-bound helpers."""

# ruff: noqa: N802 (names that Qt and Slicer gave)

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import slicer
import slicer.util  # the wheel's own

from . import application, i18n, optional, parameter_node, qt_module, records, scripted
from .ctk_widgets import CTK
from .dicom import DicomDatabase
from .layout import LAYOUT
from .mrml_widgets import MRML
from .proxy import proxy_class
from .segment_editor import qMRMLSegmentEditorWidget
from .ui_loader import CUSTOM

LOGICS = {
    "volumes": "vtkSlicerVolumesLogic", "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "colors": "vtkSlicerColorLogic", "markups": "vtkSlicerMarkupsLogic",
}  # fmt: skip
LEVELS = {10: "debug", 20: "info", 30: "warning", 40: "error"}


def install() -> None:
    """Once per process: `qt`, `ctk`, `SampleData` and what `slicer` lacks."""
    sys.modules["qt"], sys.modules["ctk"] = qt_module.build(), _ctk()
    for widget in (*MRML, qMRMLSegmentEditorWidget):
        setattr(slicer, widget.__name__, proxy_class(widget, listed=True))
        CUSTOM[widget.__name__] = widget
    for widget in LAYOUT:
        proxy_class(widget, listed=True)
    proxy_class(application.qSlicerApplication, listed=True)
    for name, module in (
        ("i18n", i18n),
        ("ScriptedLoadableModule", scripted),
        ("parameterNodeWrapper", parameter_node),
    ):
        made = module.build()
        sys.modules[f"slicer.{name}"] = made
        setattr(slicer, name, made)
    sys.modules["SampleData"] = optional.sample_data()
    slicer.app = application.proxy()
    slicer.modules = SimpleNamespace()
    slicer.qSlicerScriptedLoadableModule = ScriptedModule
    _wrap_util()


def _ctk() -> ModuleType:
    module = ModuleType("ctk")
    for widget in CTK:
        setattr(module, widget.__name__, proxy_class(widget, listed=True))
        CUSTOM[widget.__name__] = widget
    return module


class ScriptedModule(SimpleNamespace):
    """The C++ side of a scripted module: its metadata and its panel."""

    def widgetRepresentation(self) -> Any:
        return self.representation

    def logic(self) -> Any:
        return getattr(self.representation.self(), "logic", None)


class Representation:
    """Slicer's widget around a module's panel; `self()` is the module's Python widget."""

    def __init__(self, widget: Any) -> None:
        self._widget = widget

    def self(self) -> Any:
        return self._widget


class Logic:
    """A core module, of which only its logic is here."""

    def __init__(self, logic: Any) -> None:
        self._logic = logic

    def logic(self) -> Any:
        return self._logic


def open_logics(scene: Any, application_logic: Any) -> None:
    """Give every core module's logic this scene; an empty DICOM database comes with it."""
    slicer.dicomDatabase = DicomDatabase()
    for name, class_name in LOGICS.items():
        logic = getattr(slicer, class_name)()
        setattr(slicer.modules, name, Logic(logic))
        logic.SetMRMLApplicationLogic(application_logic)
        if name != "colors":  # with a scene this logic deletes the color nodes that the next one makes
            logic.SetMRMLScene(scene)
    colors = slicer.vtkMRMLColorLogic()
    colors.SetMRMLScene(scene)
    colors.AddDefaultColorNodes()
    scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
    _kept.append(colors)


_kept: list[Any] = []


def close_logics() -> None:
    for logic in (*(getattr(slicer.modules, n).logic() for n in LOGICS), *_kept):
        logic.SetMRMLScene(None)
    _kept.clear()


# slicer.util
def _wrap_util() -> None:
    """slicer.util is real; every message that it would show is recorded besides."""
    real = slicer.util._messageDisplay

    def message(level: int, text: str, testing: Any, *rest: Any, **options: Any) -> Any:
        kind = "question" if testing in (True, False) and level == 20 else LEVELS.get(level, "info")
        detail = options.get("detailedText", "")
        records.messages.append(records.Shown(kind, text, options.get("windowTitle") or "", detail))
        if testing is True and slicer.app.testingEnabled():
            return qt_module.answer(options["standardButtons"])  # the real one compares True with the button: False
        return real(level, text, testing, *rest, **options)

    slicer.util._messageDisplay = message
    slicer.util.delayDisplay = lambda text, autoCloseMsec=1000, parent=None, **options: None
    slicer.util.showStatusMessage = lambda text, duration=0: records.messages.append(records.Shown("status", text))
    slicer.util.pip_install = lambda requirements: optional.installs.asked.append(requirements)
    slicer.util.selectModule = lambda module: records.messages.append(records.Shown("select module", str(module)))
