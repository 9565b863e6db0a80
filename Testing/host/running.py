"""Start the stand-in, load a module as Slicer does, let events run, look at a widget, and close."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from . import optional, records, signals
from .application import _application
from .application import process_events as process_events
from .dicom import load_series
from .proxy import unwrap, wrap

METADATA = {"title": "", "hidden": False, "index": -1, "widgetRepresentationCreationEnabled": True, "icon": None,
            "associatedNodeTypes": ()}  # fmt: skip
_loaded: list[Any] = []
_qt: list[Any] = []


def start(testing: bool = True) -> Any:
    """Have qt, ctk and slicer in sys.modules and an empty scene; returns the scene. Again: closes, then opens anew."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from . import slicer_module

    if not _qt:
        _qt.append(QApplication.instance() or QApplication(["Slicer"]))
        slicer_module.install()
    if slicer_module.slicer.__dict__.get("mrmlScene") is not None:
        close()
    records.clear_records()
    optional.samples.clear()
    optional.provide()
    optional.installs.asked.clear()
    optional.installs.agree = True
    _application().set_testing(testing)
    slicer.mrmlScene = slicer.vtkMRMLScene()
    _application().open_scene(slicer.mrmlScene)  # first: the other logics want its selection node
    slicer_module.open_logics(slicer.mrmlScene, _application().applicationLogic())
    return slicer.mrmlScene


def set_testing(testing: bool) -> None:
    """What slicer.app.testingEnabled() says."""
    _application().set_testing(testing)


def load_module(path: str | Path, enter: bool = True) -> Any:
    """Load one .py as Slicer does: module class, then its widget in a parent with a layout; returns the widget."""
    import qt

    path = Path(path).resolve()
    name, metadata = path.stem, _module_object(path)
    python = _import(path)
    instance = getattr(python, name)(metadata)
    setattr(slicer.modules, name.lower(), metadata)
    setattr(slicer.modules, name + "Instance", instance)
    slicer.app.moduleManager().loaded[name] = metadata
    slicer.app.moduleManager().tell("moduleLoaded(QString)", name)
    _application().startupCompleted.emit()
    parent = _panel(qt)
    widget = getattr(python, name + "Widget")(parent)
    setattr(slicer.modules, name + "Widget", widget)
    metadata.representation = _representation(widget)
    _loaded.append((name, widget))
    widget.setup()
    if enter:
        enter_module(widget)
    return widget


def _module_object(path: Path) -> Any:
    return slicer.qSlicerScriptedLoadableModule(name=path.stem, path=str(path), **METADATA)


def _representation(widget: Any) -> Any:
    from .slicer_module import Representation

    return Representation(widget)


def _import(path: Path) -> Any:
    """Under its own name, with its folder in sys.path, as Slicer's module paths are."""
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _panel(qt: Any) -> Any:
    """qSlicerScriptedLoadableModuleWidget: a MRML widget with a vertical layout that knows whether it is entered."""
    from .module_panel import qSlicerScriptedLoadableModuleWidget

    parent = wrap(qSlicerScriptedLoadableModuleWidget())
    parent.setLayout(qt.QVBoxLayout())
    parent.setMRMLScene(slicer.mrmlScene)
    return parent


def enter_module(widget: Any) -> None:
    """The user switches to the module."""
    unwrap(widget.parent).entered = True
    unwrap(widget.parent).show()
    if hasattr(widget, "enter"):
        widget.enter()


def exit_module(widget: Any) -> None:
    """The user switches to another module."""
    unwrap(widget.parent).entered = False
    unwrap(widget.parent).hide()
    if hasattr(widget, "exit"):
        widget.exit()


def unload_module(widget: Any) -> None:
    """The module is about to be unloaded: its cleanup runs, its panel goes."""
    name = next(n for n, w in _loaded if w is widget)
    _loaded.remove((name, widget))
    manager = slicer.app.moduleManager()
    manager.tell("moduleAboutToBeUnloaded(QString)", name)
    manager.loaded.pop(name, None)
    for attribute in (name.lower(), name + "Instance", name + "Widget"):
        if hasattr(slicer.modules, attribute):
            delattr(slicer.modules, attribute)
    unwrap(widget.parent).deleteLater()
    process_events()
    sys.modules.pop(name, None)


def close() -> None:
    """Unload the modules and take the scene away; `start` may follow."""
    from . import qt_module, slicer_module
    from .mrml_widgets import Observed

    for _, widget in list(_loaded):
        unload_module(widget)
    if slicer.__dict__.get("mrmlScene") is not None:
        process_events()
        for observed in list(Observed.every):
            observed.stop()
        signals.drop(_application())
        slicer_module.close_logics()
        _application().close_scene()
        slicer.mrmlScene.Clear(True)
        slicer.mrmlScene = slicer.dicomDatabase = None
    qt_module.clear_settings()


def screenshot(widget: Any, path: str | Path, size: tuple[int, int] | None = None) -> Path:
    """Save what the widget looks like (a module's widget: its panel) as .png; size in pixels."""
    shown = unwrap(getattr(widget, "parent", widget) if not hasattr(widget, "grab") else widget)
    if size:
        shown.resize(*size)
    shown.show()
    process_events(0.05)
    if not shown.grab().save(str(path)):
        raise OSError(f"no screenshot could be written to {path}: give a .png in a folder that exists")
    return Path(path)


def add_dicom(folder: str | Path) -> int:
    """Have every DICOM file under the folder in slicer.dicomDatabase; returns how many instances it holds."""
    return slicer.dicomDatabase._add_folder(folder)


def load_dicom(series: str) -> Any:
    """Load a series of slicer.dicomDatabase as the DICOM module does; returns its volume node."""
    return load_series(series)


# What a hand does
def drag(slider: Any, *values: float) -> None:
    """Drag a ctkSliderWidget over these values and let go."""
    for value in values:
        unwrap(slider).drag(value)
    unwrap(slider).released()


def stroke(editor: Any, mask: np.ndarray) -> None:
    """Paint, draw, erase or cut with a qMRMLSegmentEditorWidget's active effect where mask [k, j, i] is True."""
    unwrap(editor).stroke(mask)


def choose(selector: Any, index: int) -> None:
    """Pick the entry of a qMRMLNodeComboBox as a user does ("Create new" entries come last)."""
    unwrap(selector)._chosen(index)


def press(widget: Any, key: str) -> None:
    """Trigger the shortcut of this key, such as "N" or "Ctrl+Z", that lies on the widget or above or below it."""
    from PySide6.QtGui import QKeySequence, QShortcut

    top = unwrap(getattr(widget, "parent", widget) if not hasattr(widget, "grab") else widget).window()
    found = [s for s in top.findChildren(QShortcut) if s.key() == QKeySequence(key) and s.isEnabled()]
    if len(found) != 1:
        raise LookupError(f"{len(found)} enabled shortcuts answer to {key!r}; Qt fires only when there is one")
    found[0].activated.emit()
