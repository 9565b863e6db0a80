"""What the stand-in adds to `slicer`: app, layout, modules, util, parameter nodes, and a module's whole life."""

import enum
import logging
from typing import Annotated, Optional

import numpy as np
import pytest

import host

pytestmark = pytest.mark.usefixtures("a_scene")
DEMO_UI = "Testing/host/demo/Resources/UI/HostDemo.ui"


def test_a_module_lives_from_load_to_unload(a_module, a_volume):
    import slicer

    ui = a_module.ui
    assert ui.volumeSelector.currentNode() is None  # the .ui says noneEnabled
    ui.countButton.click()
    assert [str(e.error) for e in host.slot_errors] == ["no volume is chosen: choose one"]
    host.clear_records()
    ui.volumeSelector.setCurrentNode(a_volume)
    ui.countButton.click()
    assert ui.countLabel.text == "30 voxels"
    assert slicer.util.modulePath("HostDemo").endswith("HostDemo.py")
    assert slicer.modules.hostdemo.widgetRepresentation().self() is a_module
    host.unload_module(a_module)
    assert a_module.cleaned
    assert not hasattr(slicer.modules, "hostdemo")
    assert not host.slot_errors


def test_a_module_survives_the_closing_of_its_scene(a_module, a_volume):
    import slicer

    a_module.ui.volumeSelector.setCurrentNode(a_volume)
    a_module.ui.shareSlider.value = 0.9
    slicer.mrmlScene.Clear(False)
    assert a_module.ui.volumeSelector.currentNode() is None
    assert a_module.ui.shareSlider.value == 0.5
    host.exit_module(a_module)
    slicer.mrmlScene.Clear(False)
    assert a_module._parameters is None
    assert not host.slot_errors


def test_metadata_and_sample_data_are_registered(a_module):
    import slicer

    assert slicer.modules.hostdemo.title == "Host demo"
    assert slicer.modules.hostdemo.categories == ["Testing"]
    assert [s["sampleName"] for s in host.samples] == ["HostDemo1"]
    slicer.selfTests["HostDemo"]()


def test_parameters_and_widgets_follow_each_other(a_module, a_volume):
    node, ui = a_module.logic.getParameterNode(), a_module.ui
    ui.shareSlider.value = 0.25
    ui.ruleBox.currentIndex = 1
    ui.invertBox.checked = True
    ui.volumeSelector.setCurrentNode(a_volume)
    assert [node.GetParameter(p) for p in ("share", "rule", "invert")] == ["0.25", "BELOW", "True"]
    assert node.GetNodeReference("volume") is a_volume
    node.SetParameter("share", "0.75")
    assert ui.shareSlider.value == 0.75
    node.SetParameter("share", "0.333")
    assert ui.shareSlider.value == 0.33  # shown rounded, and not written back
    assert node.GetParameter("share") == "0.333"
    host.exit_module(a_module)
    ui.shareSlider.value = 0.1
    assert node.GetParameter("share") == "0.333"


def test_typed_parameters_keep_their_types_and_validate(a_volume):
    import slicer
    from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

    class Color(enum.Enum):
        RED = 1
        BLUE = 2

    @parameterNodeWrapper
    class Typed:
        count: Annotated[int, WithinRange(0, 9)] = 3
        names: list[str]
        pair: tuple[int, float] = (1, 0.5)
        color: Color = Color.BLUE
        system: Annotated[str, Choice(["a", "b"])] = "a"
        volume: Optional[slicer.vtkMRMLScalarVolumeNode]  # noqa: UP045 (as Slicer's examples write it)

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    typed = Typed(node)
    assert (typed.count, typed.names, typed.pair, typed.color, typed.volume) == (3, [], (1, 0.5), Color.BLUE, None)
    typed.names, typed.color, typed.volume = ["x"], Color.RED, a_volume
    again = Typed(node)
    assert (again.names, again.color, again.volume) == (["x"], Color.RED, a_volume)
    for name, wrong in (("count", 10), ("count", "3"), ("system", "c"), ("volume", node), ("count", True)):
        with pytest.raises(ValueError, match=r"Value|takes"):
            setattr(typed, name, wrong)


def test_an_unbounded_number_cannot_be_bound_to_a_slider():
    import ctk
    import slicer
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    @parameterNodeWrapper
    class Unbounded:
        share: float = 0.5

    typed = Unbounded(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))
    with pytest.raises(RuntimeError, match="bounded"):
        typed.connectParametersToGui({"share": ctk.ctkSliderWidget()})
    with pytest.raises(ValueError, match="Cannot find a param"):
        typed.connectParametersToGui({"shares": ctk.ctkSliderWidget()})


def write_ui(tmp_path, body, connections=""):
    path = tmp_path / "x.ui"
    path.write_text(f'<ui version="4.0"><class>X</class><widget class="qMRMLWidget" name="X">{body}</widget>'
                    f"<connections>{connections}</connections></ui>")  # fmt: skip
    return str(path)


def connection(signal, slot):
    ends = f"<sender>X</sender><signal>{signal}</signal><receiver>X</receiver><slot>{slot}</slot>"
    return f"<connection>{ends}</connection>"


def test_a_ui_file_with_what_slicer_has_not_is_refused(tmp_path):
    import slicer

    slider = '<widget class="ctkSliderWidget" name="s"><property name="{}"><double>1</double></property></widget>'
    assert slicer.util.loadUI(write_ui(tmp_path, slider.format("maximum"))).s.maximum == 1
    for body, made, reason in (
        (slider.format("maximal"), "", "no property 'maximal'"),
        (slider.format("popupslider").replace("ctkSliderWidget", "QLabel"), "", "QLabel in the .ui file has no"),
        ('<widget class="ctkKnob" name="k"/>', "", "does not provide"),
        ("", connection("sceneChanged(vtkMRMLScene*)", "setMRMLScene(vtkMRMLScene*)"), "has no signal"),
        ("", connection("mrmlSceneChanged(vtkMRMLScene*)", "setScene(vtkMRMLScene*)"), "has no attribute"),
    ):
        with pytest.raises((RuntimeError, AttributeError), match=reason):
            slicer.util.loadUI(write_ui(tmp_path, body, made))


def test_layouts_bring_slice_widgets_with_real_nodes(a_volume):
    import slicer

    manager, heard = slicer.app.layoutManager(), []
    manager.connect("layoutChanged(int)", heard.append)
    assert manager.sliceViewNames() == ("Red", "Green", "Yellow")
    slicer.util.setSliceViewerLayers(background=a_volume, fit=True)
    composite = manager.sliceWidget("Green").mrmlSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == a_volume.GetID()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert manager.sliceViewNames() == ("Red",)
    assert heard == [slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView] == [manager.layout]
    logic = manager.sliceWidget("Red").sliceLogic()
    logic.SetSliceOffset(1.0)
    assert logic.GetSliceOffset() == 1.0
    assert manager.threeDWidget(0) is None


def test_scene_and_volume_survive_a_bundle(a_volume, tmp_path):
    import slicer

    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(False)
    slicer.util.loadScene(path)
    assert slicer.util.arrayFromVolume(slicer.util.getNode("CT")).sum() == 1770
    assert slicer.app.layoutManager().sliceViewNames() == ("Red", "Green", "Yellow")


def test_volumes_are_saved_exported_and_loaded(a_volume, tmp_path):
    import slicer

    a_volume.SetSpacing(1, 2, 3)
    assert slicer.util.exportNode(a_volume, str(tmp_path / "a.nii.gz"))
    assert slicer.util.saveNode(a_volume, str(tmp_path / "b.nrrd"))
    before = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    for name in ("a.nii.gz", "b.nrrd"):
        loaded = slicer.util.loadVolume(str(tmp_path / name), {"name": name})
        assert loaded.GetName() == name
        assert np.array_equal(slicer.util.arrayFromVolume(loaded), slicer.util.arrayFromVolume(a_volume))
        assert loaded.GetSpacing() == pytest.approx((1, 2, 3))
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == before + 2
    with pytest.raises(RuntimeError, match="Failed to load"):
        slicer.util.loadVolume(str(tmp_path / "absent.nrrd"))


def test_error_displays_are_recorded_and_confirmations_answered(caplog):
    import slicer

    caplog.set_level(logging.CRITICAL)
    slicer.util.errorDisplay("No model.", detailedText="where")
    assert slicer.util.confirmOkCancelDisplay("Install?")
    host.set_testing(False)
    import qt

    host.message_answers.append(qt.QMessageBox.Cancel)
    assert not slicer.util.confirmOkCancelDisplay("Delete?")
    with pytest.raises(ZeroDivisionError), slicer.util.tryWithErrorDisplay("Failed.", waitCursor=True):
        1 / 0  # noqa: B018
    shown = [(m.kind, m.text) for m in host.messages]
    assert shown[:3] == [("error", "No model."), ("question", "Install?"), ("question", "Delete?")]
    assert shown[3] == ("error", "Failed.\n\ndivision by zero")
    assert "ZeroDivisionError" in host.messages[3].detail


def test_texts_with_placeholders_that_cannot_be_translated_raise():
    from slicer.i18n import tr, translate

    assert tr("{count} of {total}") == "{count} of {total}"
    assert translate("Context", "Idle") == "Idle"
    for wrong in ("{} voxels", "{0} voxels", "{count voxels", "{1 + 1}"):
        with pytest.raises(ValueError, match="placeholders"):
            tr(wrong)


def test_a_translation_with_other_placeholders_raises(monkeypatch):
    from host import i18n

    monkeypatch.setitem(i18n.translations, "delete {count}", "supprimer {compter}")
    with pytest.raises(ValueError, match="other placeholders"):
        i18n.tr("delete {count}")


def test_optional_parts_are_there_when_asked_for():
    import slicer

    with pytest.raises(ImportError):
        import PyTorchUtils
    assert not hasattr(slicer, "packaging")
    host.provide("slicer.packaging", "PyTorchUtils")
    import PyTorchUtils
    import slicer.packaging

    assert PyTorchUtils.PyTorchUtilsLogic().torchInstalled() is False
    with pytest.raises(TypeError):
        PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirm=True)
    slicer.packaging.pip_ensure(["monai>=1.5"])
    assert host.installs.asked == [["monai>=1.5"]]
    host.installs.agree = False
    with pytest.raises(RuntimeError, match="declined"):
        slicer.packaging.pip_ensure("torch")
    host.provide()
    assert not hasattr(slicer, "packaging")


def test_the_dicom_database_answers_from_files(tmp_path):
    import pydicom
    import slicer
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    header = pydicom.Dataset()
    header.SOPClassUID, header.SOPInstanceUID, header.SeriesInstanceUID = CTImageStorage, "1.2.3", "1.2"
    header.Units, header.ImageType = "BQML", ["ORIGINAL", "PRIMARY"]
    header.file_meta = pydicom.dataset.FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    pydicom.dcmwrite(tmp_path / "a.dcm", header, enforce_file_format=True)
    (tmp_path / "note.txt").write_text("not DICOM")
    assert host.add_dicom(tmp_path) == 1
    assert slicer.dicomDatabase.instanceValue("1.2.3", "0054,1001") == "BQML"
    assert slicer.dicomDatabase.instanceValue("1.2.3", "0008,0008") == "ORIGINAL\\PRIMARY"
    assert slicer.dicomDatabase.instanceValue("9.9", "0054,1001") == ""
    assert slicer.dicomDatabase.instancesForSeries("1.2") == ("1.2.3",)


def test_a_panel_can_be_pictured(a_module, tmp_path):
    from PySide6.QtGui import QImage

    picture = QImage(str(host.screenshot(a_module, tmp_path / "panel.png", (400, 300))))
    assert (picture.width(), picture.height()) == (400, 300)
    colors = {picture.pixel(x, y) for x in range(0, 400, 3) for y in range(0, 300, 3)}
    assert len(colors) > 5


def test_startup_environment_holds_no_path_of_slicers_own(monkeypatch):
    import slicer

    monkeypatch.setenv("PYTHONHOME", "/slicer")
    assert "PYTHONHOME" not in slicer.util.startupEnvironment()


def test_the_stand_in_starts_again_with_an_empty_scene(a_volume):
    import slicer

    host.start()
    assert host.scene is slicer.mrmlScene
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0
