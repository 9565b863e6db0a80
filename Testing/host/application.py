"""slicer.app: the few dozen members a module uses, over PySide's application and real MRML logics."""

# ruff: noqa: N801, N802, N815 (names that Qt and Slicer gave)

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import slicer
from PySide6.QtCore import Property, QObject, QProcessEnvironment, Signal
from PySide6.QtWidgets import QApplication

from . import records
from .io_manager import IOManager
from .layout import qSlicerLayoutManager
from .proxy import wrap
from .qt_module import settings

VERSION = (5, 11, 0)


class ModuleManager:
    """Knows the modules loaded here; tells before one is unloaded."""

    def __init__(self) -> None:
        self.loaded: dict[str, Any] = {}
        self._callees: dict[str, list] = {"moduleAboutToBeUnloaded(QString)": [], "moduleLoaded(QString)": []}

    def module(self, name: str) -> Any:
        return self.loaded.get(name)

    def factoryManager(self) -> Any:
        return self

    def loadedModuleNames(self) -> tuple[str, ...]:
        return tuple(self.loaded)

    def isLoaded(self, name: str) -> bool:
        return name in self.loaded

    def connect(self, signature: str, callee: Any) -> bool:
        self._callees[signature].append(callee)
        return True

    def disconnect(self, signature: str, callee: Any) -> bool:
        self._callees[signature].remove(callee)
        return True

    def tell(self, signature: str, name: str) -> None:
        """The host's own: call who listens; what they raise is recorded."""
        for callee in list(self._callees[signature]):
            try:
                callee(name)
            except Exception as error:
                records.record_slot_error(error)


class qSlicerApplication(QObject):
    """One for the process; `start` gives it a scene, `close` takes it away."""

    startupCompleted = Signal()
    aboutToQuit = Signal()
    mrmlSceneChanged = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._testing, self._scene, self._layout = True, None, None
        self._folder = tempfile.TemporaryDirectory(prefix="slicer-app-")
        self._modules = ModuleManager()

    # The host's own
    def open_scene(self, scene: Any) -> None:
        self._scene = scene
        self._logic = slicer.vtkSlicerApplicationLogic()
        self._logic.SetMRMLScene(scene)
        self._layout = qSlicerLayoutManager(scene, self._logic)
        self._io = IOManager(scene)
        self.mrmlSceneChanged.emit(scene)

    def close_scene(self) -> None:
        self._layout.close()
        self._logic.SetMRMLScene(None)
        self._layout = self._logic = self._scene = None

    def set_testing(self, testing: bool) -> None:
        self._testing = testing

    # What modules ask
    def testingEnabled(self) -> bool:
        return self._testing

    def mrmlScene(self) -> Any:
        return self._scene

    def applicationLogic(self) -> Any:
        return self._logic

    def layoutManager(self) -> Any:
        return self._layout

    def coreIOManager(self) -> Any:
        return self._io

    ioManager = coreIOManager

    def moduleManager(self) -> ModuleManager:
        return self._modules

    def moduleLogic(self, name: str) -> Any:
        return getattr(slicer.modules, name.lower()).logic()

    def processEvents(self) -> None:
        QApplication.processEvents()

    def setOverrideCursor(self, cursor: Any) -> None:
        QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        QApplication.restoreOverrideCursor()

    def settings(self) -> Any:
        return settings()

    userSettings = revisionUserSettings = settings

    def translate(self, context: str, text: str, *rest: Any) -> str:
        return text

    def topLevelWidgets(self) -> list:
        """None: the stand-in has no main window, and Qt's own list may hold widgets that Python is about to delete."""
        return []

    def clipboard(self) -> Any:
        return QApplication.clipboard()

    def keyboardModifiers(self) -> int:
        return int(QApplication.keyboardModifiers().value)

    def palette(self) -> Any:
        return QApplication.palette()

    def style(self) -> Any:
        return QApplication.style()

    def startupEnvironment(self) -> QProcessEnvironment:
        """The environment that Slicer was started in, without its own paths."""
        environment = QProcessEnvironment.systemEnvironment()
        for name in ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH"):
            environment.remove(name)
        return environment

    def openUrl(self, url: str) -> None:
        records.urls.append(str(url))

    def moduleDocumentationUrl(self, name: str) -> str:
        return f"https://slicer.readthedocs.io/en/latest/user_guide/modules/{name.lower()}.html"

    def confirmRestart(self, reason: str = "") -> None:
        records.messages.append(records.Shown("restart", reason))

    def restart(self) -> None:
        records.messages.append(records.Shown("restart", ""))

    def pauseRender(self) -> None:
        """Nothing is drawn here."""

    resumeRender = pauseRender

    def setRenderPaused(self, paused: bool) -> None:
        """Nothing is drawn here."""

    applicationName = Property(str, lambda self: "Slicer")
    applicationVersion = Property(str, lambda self: ".".join(map(str, VERSION)))
    majorVersion = Property(int, lambda self: VERSION[0])
    minorVersion = Property(int, lambda self: VERSION[1])
    temporaryPath = Property(str, lambda self: self._sub("tmp"))
    cachePath = Property(str, lambda self: self._sub("cache"))
    slicerHome = Property(str, lambda self: sys.prefix)
    slicerSharePath = Property(str, lambda self: "share/Slicer-5.11")
    defaultScenePath = Property(str, lambda self: self._sub("scenes"))
    documentationBaseUrl = Property(str, lambda self: "https://slicer.readthedocs.io/en/latest/")
    os = Property(str, lambda self: {"win32": "win", "darwin": "macosx"}.get(sys.platform, "linux"))
    arch = Property(str, lambda self: "amd64")

    def _sub(self, name: str) -> str:
        folder = Path(self._folder.name) / name
        folder.mkdir(exist_ok=True)
        return str(folder)


def process_events(seconds: float = 0.0, until: Any = None, limit_s: float = 60.0) -> bool:
    """Run Qt's events for some seconds, or until the condition holds; returns whether it does (True without one)."""
    end = time.monotonic() + (limit_s if until and not seconds else seconds)
    while True:
        QApplication.processEvents()
        QApplication.sendPostedEvents()
        if until and until():
            return True
        if time.monotonic() >= end:
            return until is None
        time.sleep(0.005)


def proxy() -> Any:
    """slicer.app as modules see it."""
    return wrap(_application())


_made: list[qSlicerApplication] = []


def _application() -> qSlicerApplication:
    if not _made:
        _made.append(qSlicerApplication())
    return _made[0]
