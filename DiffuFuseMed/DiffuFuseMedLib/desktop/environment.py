"""What runs the engine: Slicer's own Python unless another, or an engine that runs already, was chosen; what it lacks,
and how that is installed."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..session import environment_for, input_error
from .qt_process import QtProcess

SETTING = "DiffuFuseMed/EnginePython"
RUNNING = "running engine"  # in place of a Python: the engine that `diffufusemed engine` keeps on this computer
ATTACH = "DiffuFuseMedLib.engine.wire.attach"
# What the engine imports beside torch. Slicer brings the first four.
NEEDED = {
    "numpy": "numpy>=1.26",
    "scipy": "scipy>=1.10",
    "SimpleITK": "SimpleITK>=2.4",
    "pydicom": "pydicom>=3.0",
    "torch": "torch>=2.6",
    "monai": "monai>=1.5",
    "safetensors": "safetensors>=0.5",
    "skimage": "scikit-image>=0.24",
    "psutil": "psutil>=6",
    "pydantic": "pydantic>=2.12",
}
_CHECK = """
import importlib, json, sys
missing, faults, versions = [], {}, {}
for name in sys.argv[1].split(","):
    try:
        versions[name] = str(getattr(importlib.import_module(name), "__version__", ""))
    except ImportError as error:
        missing.append(name)
        faults[name] = str(error)
devices = []
if "torch" not in missing and "psutil" not in missing:
    import psutil, torch
    devices.append(["cpu", "CPU", psutil.virtual_memory().available])
    for n in range(torch.cuda.device_count()):
        devices.append(["cuda", torch.cuda.get_device_name(n), torch.cuda.mem_get_info(n)[0]])
print(json.dumps({"missing": missing, "faults": faults, "versions": versions, "devices": devices}))
"""


@dataclass(frozen=True)
class Found:
    """What a Python has. missing: module names; faults: why, by module; devices: key, name, free bytes; broken: why it
    could not be asked at all, empty when it could."""

    missing: tuple[str, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    devices: tuple[tuple[str, str, int], ...] = ()
    broken: str = ""

    @property
    def ready(self) -> bool:
        return not self.missing and not self.broken


def own_python() -> str:
    """Slicer's own, with the launcher that sets its paths."""
    return shutil.which("PythonSlicer") or sys.executable


def chosen_python() -> str:
    """The one that was chosen before, or RUNNING; Slicer's own where it is no longer there."""
    told = slicer.util.settingsValue(SETTING, "")
    return told if told and (told == RUNNING or Path(told).is_file()) else own_python()


def choose_python(python: str) -> None:
    """Keep the choice for this user; empty for Slicer's own, RUNNING for a running engine."""
    qt.QSettings().setValue(SETTING, python)


class Check:
    """Asks a Python, in a process of its own, what it has; done(found) is called once."""

    def __init__(self, python: str, done: Callable[[Found], None]) -> None:
        self._done = done
        self._lines: list[bytes] = []
        self._running = python == RUNNING
        command = [python, "-c", _CHECK, ",".join(NEEDED)]
        if self._running:
            python = own_python()
            command = [python, "-m", ATTACH, "--ask"]
        self._process: Any = None
        try:
            self._process = QtProcess(command, environment_for(python), self._line, self._ended)
        except OSError as error:
            done(Found(broken=str(error)))

    def stop(self) -> None:
        """Nobody waits for it any more."""
        self._done = lambda _found: None
        if self._process is not None and self._process.usable:
            self._process.kill()

    def _line(self, _process: QtProcess, line: bytes) -> None:
        self._lines.append(line)

    def _ended(self, _process: QtProcess, status: int, last_words: str) -> None:
        if self._running and status == 0:
            self._done(Found())
            return
        try:
            told = json.loads(self._lines[-1])
            found = Found(
                tuple(told["missing"]), told["faults"], told["versions"], tuple(tuple(d) for d in told["devices"])
            )
        except (IndexError, ValueError, KeyError, TypeError):
            found = Found(broken=last_words or _("it ended with status {status}").format(status=status))
        self._done(found)


def can_install(python: str) -> bool:
    """Only into Slicer's own Python: another one belongs to somebody."""
    return python == own_python()


def install(missing: tuple[str, ...], wheels: str = "") -> None:
    """Install what is missing into Slicer's own Python, after the reader agreed. wheels: a folder to take it from,
    without a network. Whatever pip or the PyTorch extension raise goes through; InputError without PyTorch."""
    wanted = [NEEDED[name] for name in missing]
    if wheels:
        slicer.util.pip_install(["--no-index", "--find-links", wheels, *wanted])
        return
    if "torch" in missing:
        _install_torch()
        wanted = [NEEDED[name] for name in missing if name != "torch"]
    if wanted:
        slicer.util.pip_install(wanted)


def _install_torch() -> None:
    """By the PyTorch extension, which chooses the build for this computer's GPU."""
    if not hasattr(slicer.modules, "pytorchutils"):
        raise input_error(
            "a Slicer without the PyTorch extension",
            "that extension, which installs the PyTorch that fits this computer",
            "install it in the Extensions Manager, or choose another Python",
        )
    import PyTorchUtils

    torch = PyTorchUtils.PyTorchUtilsLogic().installTorch(torchVersionRequirement=NEEDED["torch"].removeprefix("torch"))
    if torch is None:  # else the next package would bring a PyTorch that does not fit
        raise input_error("an installation of PyTorch that was declined or failed", "PyTorch", "install it again")
