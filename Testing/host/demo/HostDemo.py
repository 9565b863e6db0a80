"""A small scripted module that uses what the stand-in offers, as Slicer's template does."""

# ruff: noqa: N802 (names that Qt and Slicer gave)

import enum
from typing import Annotated

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Decimals, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class HostDemo(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Host demo")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Testing")]
        slicer.app.connect("startupCompleted()", self.registerSamples)

    def registerSamples(self):
        import SampleData

        SampleData.SampleDataLogic.registerCustomSampleDataSource(category="Demo", sampleName="HostDemo1")


class Rule(enum.Enum):
    ABOVE = "above"
    BELOW = "below"


@parameterNodeWrapper
class HostDemoParameters:
    volume: slicer.vtkMRMLScalarVolumeNode
    share: Annotated[float, WithinRange(0, 1), Decimals(2)] = 0.5
    rule: Rule = Rule.ABOVE
    invert: bool = False


class HostDemoWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = self._parameters = self._tag = None
        self.cleaned = False

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/HostDemo.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = HostDemoLogic()
        self.ui.countButton.connect("clicked(bool)", self.onCount)
        self.ui.shareSlider.connect("valueChanged(double)", self.onShare)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onEndClose)
        self.shortcut = qt.QShortcut(self.parent)
        self.shortcut.setKey(qt.QKeySequence("N"))
        self.shortcut.connect("activated()", self.onCount)

    def cleanup(self):
        self.removeObservers()
        self.cleaned = True

    def enter(self):
        self._bind()

    def exit(self):
        self._unbind()

    def onStartClose(self, caller, event):
        self._unbind()

    def onEndClose(self, caller, event):
        if self.parent.isEntered:
            self._bind()

    def _bind(self):
        self._parameters = HostDemoParameters(self.logic.getParameterNode())
        self._tag = self._parameters.connectGui(self.ui)

    def _unbind(self):
        if self._parameters:
            self._parameters.disconnectGui(self._tag)
        self._parameters = None

    def onShare(self, value):
        self.ui.countLabel.text = _("share {share}").format(share=value)

    def onCount(self):
        with slicer.util.tryWithErrorDisplay(_("Counting failed."), waitCursor=True):
            parameters = self._parameters
            count = self.logic.count(parameters.volume, parameters.share, parameters.rule is Rule.ABOVE)
            self.ui.countLabel.text = _("{count} voxels").format(count=count)


class HostDemoLogic(ScriptedLoadableModuleLogic):
    def count(self, volume, share, above):
        if volume is None:
            raise ValueError("no volume is chosen: choose one")
        voxels = slicer.util.arrayFromVolume(volume)
        limit = voxels.min() + share * (float(voxels.max()) - voxels.min())
        return int((voxels > limit if above else voxels <= limit).sum())


class HostDemoTest(ScriptedLoadableModuleTest):
    def runTest(self):
        points = vtk.vtkPoints()
        self.assertEqual(points.GetNumberOfPoints(), 0)
