"""What may go wrong in a reader's hands: one sentence, nothing on screen is lost, and it goes on."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest


def lesion_of(role):
    import slicer

    return slicer.util.arrayFromSegmentBinaryLabelmap(role("lesion"), "lesion", role("CT")) > 0


def one_sentence(text):
    return text.endswith(".") and "\n" not in text and "Traceback" not in text


def test_a_killed_engine_is_started_again_and_nothing_is_lost(segmented, role, until):
    lesion, session = lesion_of(role), segmented.workspace.session
    before = session.engine.pid
    os.kill(before, signal.SIGKILL)
    until(lambda: "started again" in segmented.ui.messageLabel.text)
    assert one_sentence(segmented.ui.messageLabel.text)
    assert (lesion_of(role) == lesion).all()
    segmented.ui.runButton.click()
    until(lambda: segmented.ui.runButton.enabled, "the end of the run", 120)
    assert segmented.ui.runStateLabel.text.startswith("done")
    assert session.engine.pid not in (None, before)


def test_an_engine_that_dies_in_a_run_leaves_the_last_result(segmented, role, until):
    lesion = lesion_of(role)
    segmented.workspace.session.set(model="crash")
    segmented.ui.runButton.click()
    until(lambda: segmented.ui.runStateLabel.text == "failed")
    assert (lesion_of(role) == lesion).all()
    assert not segmented.ui.numbersTable.enabled  # dimmed: of another run


def test_an_engine_that_cannot_live_is_not_started_without_end(segmented, until, monkeypatch, slicer_host):
    workspace = segmented.workspace
    starts = []
    real = workspace.session.engine._spawn

    def spawn(command, *rest):
        starts.append(command)
        return real([sys.executable, "-c", "import sys; sys.exit('no torch')"], *rest)

    workspace.session.engine._spawn = spawn
    os.kill(workspace.session.engine.pid, signal.SIGKILL)
    until(lambda: "times in a row" in segmented.ui.messageLabel.text)
    assert one_sentence(segmented.ui.messageLabel.text)
    slicer_host.process_events(5.0)  # what was asked for meanwhile may each have tried once
    count = len(starts)
    slicer_host.process_events(3.0)
    assert len(starts) == count <= 12


def test_a_damaged_model_is_one_sentence_with_its_remedy(segmented, role, until):
    lesion = lesion_of(role)
    segmented.workspace.session.set(model="damaged")
    segmented.ui.runButton.click()
    until(lambda: "install them again" in segmented.ui.messageLabel.text)
    assert one_sentence(segmented.ui.messageLabel.text)
    assert (lesion_of(role) == lesion).all()


def test_a_run_without_enough_memory_says_what_to_do_and_leaves_the_last_result(segmented, role, until):
    lesion, pid = lesion_of(role), segmented.workspace.session.engine.pid
    segmented.workspace.session.set(model="large")
    segmented.ui.runButton.click()
    until(lambda: "memory" in segmented.ui.messageLabel.text)
    assert one_sentence(segmented.ui.messageLabel.text)
    assert "7.38 GiB" in segmented.workspace.session.view_state.message.detail
    assert (lesion_of(role) == lesion).all()
    assert segmented.workspace.session.engine.pid == pid
    segmented.workspace.session.set(model="sts-diffufusemed")
    segmented.ui.runButton.click()
    until(lambda: segmented.ui.runStateLabel.text.startswith("done"))


def test_a_cancelled_run_says_so_and_the_next_one_works(opened, role, until):
    opened.workspace.session.set(model="slow")
    opened.ui.runButton.click()
    until(lambda: "s left" in opened.ui.runStateLabel.text)
    assert opened.ui.cancelButton.enabled
    opened.ui.cancelButton.click()
    until(lambda: opened.ui.runStateLabel.text == "cancelled")
    assert role("lesion") is None
    opened.workspace.session.set(model="sts-diffufusemed")
    opened.ui.runButton.click()
    until(lambda: opened.ui.runStateLabel.text.startswith("done"))


def test_a_volume_deleted_in_the_middle_closes_the_case_and_says_so(opened, role, until):
    import slicer

    opened.workspace.session.set(model="slow")
    opened.ui.runButton.click()
    until(lambda: opened.ui.runProgress.visible)
    slicer.mrmlScene.RemoveNode(role("PET"))
    until(lambda: "deleted" in opened.ui.messageLabel.text)
    assert one_sentence(opened.ui.messageLabel.text)
    until(lambda: opened.ui.alignmentLabel.text == "No case is open.")
    assert role("fused") is None
    opened.ui.openButton.click()  # the reader's own volumes are still there
    until(lambda: opened.ui.fusionStateLabel.text.startswith("fused"))


def test_a_result_deleted_by_the_reader_is_made_again_by_the_next_run(segmented, role, until):
    import slicer

    slicer.mrmlScene.RemoveNode(role("lesion"))
    until(lambda: segmented.ui.numbersTable.rowCount == 0)
    segmented.ui.runButton.click()
    until(lambda: segmented.ui.numbersTable.rowCount > 0)
    assert lesion_of(role).any()


def test_a_volume_under_a_non_linear_transform_is_taken_where_it_is_shown(panel, small_volumes, until, role):
    """Shifted by a whole voxel (4 mm along k), as a displacement field, the PET lands one slice higher."""
    import slicer
    import vtk

    grid = vtk.vtkImageData()
    grid.SetDimensions(4, 4, 4)
    grid.SetOrigin(-200, -200, -200)
    grid.SetSpacing(200, 200, 200)
    grid.AllocateScalars(vtk.VTK_FLOAT, 3)
    vtk.util.numpy_support.vtk_to_numpy(grid.GetPointData().GetScalars())[:] = (0, 0, 4)
    warp = slicer.vtkOrientedGridTransform()
    warp.SetDisplacementGridData(grid)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode")
    node.SetAndObserveTransformToParent(warp)
    before = slicer.util.arrayFromVolume(small_volumes["PET"]).copy()
    small_volumes["PET"].SetAndObserveTransformNodeID(node.GetID())
    panel.ui.guessButton.click()
    panel.ui.registerCombo.setCurrentIndex(2)
    panel.ui.openButton.click()
    until(lambda: role("PET") is not None, "the case")
    aligned = slicer.util.arrayFromVolume(role("PET"))
    assert np.allclose(aligned[3:-2], before[2:-3], atol=0.1)
    assert np.array_equal(slicer.util.arrayFromVolume(small_volumes["PET"]), before)


@pytest.mark.parametrize(("unit", "peak", "said"), [(None, 12_000.0, "does not say its unit"), ("Bq/ml", 8.0, "Bq/ml")])
def test_a_pet_without_suv_is_refused_with_what_to_do(panel, small_volumes, until, role, unit, peak, said):
    import slicer

    slicer.util.arrayFromVolume(small_volumes["PET"])[12, 20, 20] = peak
    if unit:
        entry = slicer.vtkCodedEntry()
        entry.SetValueSchemeMeaning(unit, "UCUM", "activity")
        small_volumes["PET"].SetVoxelValueUnits(entry)
    panel.ui.guessButton.click()
    panel.ui.openButton.click()
    until(lambda: said in panel.ui.messageLabel.text)
    assert one_sentence(panel.ui.messageLabel.text)
    assert role("CT") is None
    panel.ui.PETSelector.setCurrentNode(None)
    panel.ui.openButton.click()
    until(lambda: role("CT") is not None, "the case without it")


@pytest.mark.parametrize(("button", "answer"), [("Dicom", ""), ("Rtstruct", "lesion.dcm")])
def test_a_segmentation_without_dicom_says_why_it_is_no_dicom(segmented, until, tmp_path, slicer_host, button, answer):
    slicer_host.file_answers.append(str(tmp_path / answer))
    getattr(segmented.ui, f"export{button}Button").click()
    until(lambda: "DICOM database" in segmented.ui.messageLabel.text)
    assert one_sentence(segmented.ui.messageLabel.text)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def bare_python(monkeypatch, slicer_host):
    """The panel's Python is the one below the virtual environment, which has no torch."""
    from DiffuFuseMedLib.desktop import environment

    python = getattr(sys, "_base_executable", sys.executable)
    monkeypatch.setattr(environment, "own_python", lambda: python)
    return python


def test_without_torch_the_panel_explains_offers_and_installs_after_consent(slicer_host, bare_python, monkeypatch):
    import slicer

    from .conftest import MODULE

    installed = []
    monkeypatch.setattr(slicer.util, "pip_install", installed.append, raising=False)
    widget = slicer_host.load_module(MODULE)
    ui = widget.ui
    assert slicer_host.process_events(until=lambda: ui.bannerFrame.visible, limit_s=120)
    assert one_sentence(ui.bannerLabel.text)
    assert "torch" in ui.bannerLabel.text and "monai" in ui.bannerLabel.text
    assert ui.installButton.visible
    ui.openButton.click()
    slicer_host.process_events(0.2)
    assert ui.messageLabel.text == ui.bannerLabel.text  # nothing is started that cannot run
    missing = widget.workspace.panel.found.missing
    slicer_host.provide("PyTorchUtils")
    slicer.modules.pytorchutils = object()
    ui.installButton.click()
    del slicer.modules.pytorchutils
    assert slicer_host.installs.asked == ["torch"]  # by the PyTorch extension
    from DiffuFuseMedLib.desktop.environment import NEEDED

    assert installed[0] == [NEEDED[name] for name in missing if name != "torch"]
    assert widget.workspace.panel.found is None  # it is asked again


def test_wheels_of_a_folder_need_no_network(slicer_host, monkeypatch, tmp_path):
    import slicer
    from DiffuFuseMedLib.desktop import environment

    installed = []
    monkeypatch.setattr(slicer.util, "pip_install", installed.append, raising=False)
    environment.install(("torch", "monai"), str(tmp_path))
    assert installed == [["--no-index", "--find-links", str(tmp_path), "torch>=2.6", "monai>=1.5"]]


def test_a_declined_torch_brings_no_other_package_and_a_failed_pip_is_one_sentence(
    slicer_host, bare_python, monkeypatch
):
    import slicer

    from .conftest import MODULE

    installed = []
    monkeypatch.setattr(slicer.util, "pip_install", installed.append, raising=False)
    widget = slicer_host.load_module(MODULE)
    assert slicer_host.process_events(until=lambda: widget.ui.bannerFrame.visible, limit_s=120)
    slicer_host.provide("PyTorchUtils")
    monkeypatch.setattr(slicer.modules, "pytorchutils", object(), raising=False)
    slicer_host.installs.agree = False
    widget.ui.installButton.click()
    assert installed == []
    assert slicer_host.process_events(until=lambda: "declined" in widget.ui.messageLabel.text, limit_s=120)
    assert one_sentence(widget.ui.messageLabel.text)
    assert slicer_host.process_events(until=lambda: widget.ui.bannerFrame.visible, limit_s=120)

    def fail(_requirements):
        raise RuntimeError("pip said a lot\non two lines")

    slicer_host.installs.agree = True
    monkeypatch.setattr(slicer.util, "pip_install", fail, raising=False)
    widget.ui.installButton.click()
    assert slicer_host.process_events(until=lambda: "see the details" in widget.ui.messageLabel.text, limit_s=120)
    assert "two lines" in widget.workspace.session.view_state.message.detail


def test_torch_is_never_installed_without_the_extension_that_chooses_its_build(slicer_host):
    from DiffuFuseMedLib.core.errors import InputError
    from DiffuFuseMedLib.desktop import environment

    with pytest.raises(InputError, match="PyTorch extension"):
        environment.install(("torch",))


def test_a_python_that_does_not_run_is_told(slicer_host, quick_engine, monkeypatch, tmp_path):
    from DiffuFuseMedLib.desktop import environment

    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 5\n")
    broken.chmod(0o700)
    monkeypatch.undo()
    found = []
    environment.Check(str(broken), found.append)
    assert slicer_host.process_events(until=lambda: found, limit_s=120)
    assert found[0].broken and not found[0].ready


@pytest.fixture
def running_engine(tmp_path, monkeypatch, slicer_host):
    """The process of an engine that runs on this computer, with the handlers of quick_server.py."""
    from .conftest import HERE

    told = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *([told] if told else [])]))
    monkeypatch.setenv("DIFFUFUSEMED_ENGINE", str(tmp_path / "meeting"))
    code = (
        "import quick_server; from DiffuFuseMedLib.engine.server.listen import Listener\n"
        "with Listener(quick_server.HANDLERS) as listener: print('there', flush=True); listener.serve()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "there\n"
    yield process
    process.kill()
    process.wait(10)
    process.stdout.close()


def test_an_engine_that_runs_already_can_be_chosen_and_its_end_is_told(
    slicer_host, running_engine, bare_python, small_volumes
):
    """Slicer's own Python, without torch, only hands its lines to and fro."""
    from .conftest import MODULE, node_of

    def until(condition):
        assert slicer_host.process_events(until=condition, limit_s=120), ui.messageLabel.text

    widget = slicer_host.load_module(MODULE)
    ui = widget.ui
    until(lambda: ui.bannerFrame.visible)
    ui.runningEngineButton.click()
    until(lambda: widget.workspace.panel.found is not None)
    assert widget.workspace.panel.found.ready and not ui.bannerFrame.visible
    assert "running engine" in ui.pythonLabel.text and not ui.runningEngineButton.enabled
    ui.guessButton.click()
    ui.registerCombo.setCurrentIndex(2)
    ui.openButton.click()
    until(lambda: ui.fusionStateLabel.text.startswith("fused"))
    ui.runButton.click()
    until(lambda: ui.runStateLabel.text.startswith("done"))
    lesion = lesion_of(node_of)
    running_engine.kill()
    until(lambda: "running engine has ended" in ui.messageLabel.text)
    assert (lesion_of(node_of) == lesion).all()
    ui.runButton.click()
    until(lambda: "diffufusemed engine" in ui.messageLabel.text)
    assert one_sentence(ui.messageLabel.text)
    ui.ownPythonButton.click()
    until(lambda: "torch" in ui.bannerLabel.text)


def test_a_scene_saved_after_its_lesion_was_deleted_opens_without_one(segmented, role, until, tmp_path, slicer_host):
    import slicer

    slicer.mrmlScene.RemoveNode(role("lesion"))
    until(lambda: segmented.ui.numbersTable.rowCount == 0)
    slicer_host.process_events(0.8)
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    slicer.mrmlScene.Clear(False)
    until(lambda: segmented.ui.alignmentLabel.text == "No case is open.")
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    until(lambda: "overlap" in segmented.ui.alignmentLabel.text)
    assert segmented.workspace.session.prediction is None
    segmented.ui.runButton.click()
    until(lambda: segmented.ui.runStateLabel.text.startswith("done"))


def test_what_is_asked_for_while_the_engines_python_is_checked_says_that_it_waits_and_is_done_once(opened, until):
    workspace, done = opened.workspace, []
    workspace.check()
    assert workspace.panel.found is None

    def asked():
        done.append(1)

    workspace.when_ready(asked)
    workspace.when_ready(asked)
    said = workspace.session.view_state.message.sentence
    assert "begins when that is finished" in said and one_sentence(said) and done == []
    until(lambda: done, "the Python's answer", 60)
    until(lambda: "begins when" not in opened.ui.messageLabel.text, "no more of the waiting")
    assert done == [1]
