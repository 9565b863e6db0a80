"""VTK's messages in Python's log: a reader's terminal shows an address, not the inner life of a library."""

from __future__ import annotations

import logging
from collections.abc import Callable

from vtkmodules.util.misc import calldata_type
from vtkmodules.vtkCommonCore import vtkCommand, vtkLogger, vtkOutputWindow

log = logging.getLogger("vtk")


def log_vtk() -> None:
    """Errors as warnings, warnings as debug lines; to be called after the Slicer core, which sets its own window."""
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    window = vtkOutputWindow()
    window.SetDisplayModeToNever()
    for event, level in ((vtkCommand.ErrorEvent, logging.WARNING), (vtkCommand.WarningEvent, logging.DEBUG)):
        window.AddObserver(event, _logger(level))
    vtkOutputWindow.SetInstance(window)


def _logger(level: int) -> Callable[..., None]:
    @calldata_type("string0")
    def write(_window: vtkOutputWindow, _event: str, text: str = "") -> None:
        log.log(level, "%s", " ".join(text.split()))

    return write
