"""The widget in which Slicer puts a scripted module's panel."""

# ruff: noqa: N801, N815 (names that Qt and Slicer gave)

from __future__ import annotations

from PySide6.QtCore import Property

from .mrml_widgets import qMRMLWidget
from .proxy import CLASSES, proxy_class
from .surface import API


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    entered = False
    isEntered = Property(bool, lambda self: self.entered)


# Not among the classes measured: a qMRMLWidget that says besides whether the module is on screen.
API["qSlicerScriptedLoadableModuleWidget"] = {
    **API["qMRMLWidget"], "properties": {**API["qMRMLWidget"]["properties"], "isEntered": "bool"},
}  # fmt: skip
if qSlicerScriptedLoadableModuleWidget not in CLASSES:
    proxy_class(qSlicerScriptedLoadableModuleWidget, listed=True)
