"""DiffuFuseMed, scripted module of 3D Slicer: metadata and what Slicer calls; the panel itself is in
DiffuFuseMedLib/desktop."""
# ruff: noqa: N802

import importlib.util
from pathlib import Path

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

HERE = Path(__file__).resolve().parent


def resource(path: str) -> str:
    """A file of Resources: beside the module where it is installed, beside its folder in a source tree."""
    for folder in (HERE / "Resources", HERE.parent / "Resources"):
        if (folder / path).exists():
            return str(folder / path)
    return str(HERE / "Resources" / path)


class DiffuFuseMed(ScriptedLoadableModule):
    """Metadata."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("DiffuFuseMed")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["The DiffuFuseMed contributors"]
        parent.helpText = _(
            "Bring PET, CT and MRI of one patient onto one grid, fuse them, segment the lesion, see where the result "
            "may be wrong, and correct just that. For research; not a medical device."
        )
        parent.acknowledgementText = _(
            "Sample case STS_010: Vallières et al., The Cancer Imaging Archive, CC BY 3.0, "
            "doi:10.7937/K9/TCIA.2015.7GO2GSKS."
        )
        icon = resource("Icons/DiffuFuseMed.svg")
        if Path(icon).is_file():
            parent.icon = qt.QIcon(icon)
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """The shipped case in the Sample Data module."""
    from DiffuFuseMedLib.desktop import sample_data

    sample_data.register(resource)


class DiffuFuseMedWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """What Slicer calls; everything that is shown is in the workspace."""

    def __init__(self, parent=None):
        VTKObservationMixin.__init__(self)
        self.workspace = None  # first: without a parent the base class calls setup()
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def resourcePath(self, filename):
        return resource(filename)

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        self.logic = DiffuFuseMedLogic()
        from DiffuFuseMedLib.desktop import workspace

        if workspace.is_open():
            words = _("DiffuFuseMed is open in another panel of this Slicer: go on there, a scene has one.")
            self.layout.addWidget(qt.QLabel(words))
            return
        panel = slicer.util.loadUI(self.resourcePath("UI/DiffuFuseMed.ui"))
        panel.setMRMLScene(slicer.mrmlScene)
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        self.workspace = workspace.Workspace(self.ui, self.resourcePath)
        self.logic.session = self.workspace.session
        self._observe()

    def enter(self):
        if self.workspace is not None:
            self.workspace.enter()

    def exit(self):
        if self.workspace is not None:
            self.workspace.exit()

    def cleanup(self):
        self.removeObservers()
        if self.workspace is not None:
            self.workspace.close()
        self.workspace = None

    def _observe(self):
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.StartImportEvent, self.onSceneStartImport)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self.addObserver(scene, scene.StartSaveEvent, self.onSceneStartSave)
        self.addObserver(scene, scene.EndSaveEvent, self.onSceneEndSave)
        self.addObserver(scene, scene.NodeAboutToBeRemovedEvent, self.onNodeAboutToBeRemoved)

    def onSceneStartClose(self, caller, event):
        self.workspace.scene_closing()

    def onSceneEndClose(self, caller, event):
        self.workspace.scene_closed()

    def onSceneStartImport(self, caller, event):
        self.workspace.scene_loading()

    def onSceneEndImport(self, caller, event):
        self.workspace.scene_loaded()

    def onSceneStartSave(self, caller, event):
        self.workspace.scene_saving()

    def onSceneEndSave(self, caller, event):
        self.workspace.scene_saved()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAboutToBeRemoved(self, caller, event, node):
        self.workspace.node_removed(node)


class DiffuFuseMedLogic(ScriptedLoadableModuleLogic):
    """For scripts without a widget: the session that a widget has, or one of its own on this scene."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self.session = None

    def guessedInputs(self):
        """Modality key to volume node, by DICOM or name."""
        from DiffuFuseMedLib.desktop import roles

        return roles.guess(slicer.mrmlScene)


class DiffuFuseMedTest(ScriptedLoadableModuleTest):
    """Runs the reading story, the script Testing/desktop/ui_story.py. case_folder: None for the shipped case."""

    case_folder = None

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Skipped, with the words of the panel, where the engine's Python lacks what it needs."""
        self.setUp()
        reading = story()
        lacks = reading.what_is_missing()
        if lacks:
            self.skipTest(lacks)
        self.seconds = reading.run(self.case_folder)  # by step


def story():
    """The module of the reading story."""
    for path in (HERE / "Resources" / "Testing" / "ui_story.py", HERE.parent / "Testing" / "desktop" / "ui_story.py"):
        if path.is_file():
            spec = importlib.util.spec_from_file_location("diffufusemed_ui_story", path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise FileNotFoundError("ui_story.py is neither in Resources/Testing nor in Testing/desktop")
