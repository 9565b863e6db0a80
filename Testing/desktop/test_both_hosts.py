"""A scene saved in desktop Slicer is opened, read on and saved in the browser host, and opened in Slicer again."""

import json
import subprocess
import sys
from pathlib import Path

from .browser_process import facts
from .conftest import make_small_volumes

BROWSER = Path(__file__).with_name("browser_process.py")


def browse(given, saved):
    """The facts of the scene as the browser host opened it, and as it saved it."""
    done = subprocess.run(
        [sys.executable, BROWSER, given, saved], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def plain(found):
    """As JSON has it: tuples are lists."""
    return json.loads(json.dumps(found))


def records():
    """How often each record of a case is in the scene, and the parameter node."""
    import slicer

    texts = [node.GetAttribute("DiffuFuseMed.text") for node in slicer.util.getNodesByClass("vtkMRMLTextNode")]
    nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
    ours = [node for node in nodes if node.GetAttribute("DiffuFuseMed.parameters")]
    return {**{text: texts.count(text) for text in texts if text}, "parameters": len(ours)}


def test_a_scene_goes_from_slicer_to_the_browser_and_back(segmented, until, tmp_path, slicer_host, role):
    import slicer

    session, ui = segmented.workspace.session, segmented.ui
    ui.alphaSlider.value = 0.15
    ui.foregroundOpacitySlider.value = 0.3
    ui.uncertaintyOpacitySlider.value = 0.8
    ui.nextButton.click()
    until(lambda: ui.acceptButton.enabled)
    editor = segmented.workspace.editor.widget
    editor.setActiveEffectByName("Margin")
    editor.activeEffect().setParameter("MarginSizeMm", "6")
    editor.activeEffect().self().onApply()
    editor.setActiveEffect(None)
    ui.acceptButton.click()
    until(lambda: ui.editedLabel.text != "")
    until(lambda: ui.fusionStateLabel.text.startswith("fused"))
    slicer_host.process_events(0.8)  # the record of the case is written soon after the last change
    here = plain(facts(session))
    assert here["edited"] and here["lesion voxels"] != here["predicted voxels"]
    assert slicer.util.saveScene(str(tmp_path / "slicer.mrb"))  # as File > Save does

    there, read_on = browse(tmp_path / "slicer.mrb", tmp_path / "browser.mrb")
    assert there == here
    assert read_on["parameters"]["beta"] == 0.35 and read_on["lesion"] != here["lesion"]
    assert len(read_on["decisions"]) == len(here["decisions"]) + 1

    slicer.mrmlScene.Clear(False)
    until(lambda: ui.alignmentLabel.text == "No case is open.")
    slicer.util.loadScene(str(tmp_path / "browser.mrb"))
    until(lambda: ui.numbersTable.rowCount > 0)
    assert plain(facts(session)) == read_on
    assert ui.betaSlider.value == 0.35 and ui.foregroundOpacitySlider.value == 0.65
    assert {ui.worklistTable.item(row, 3).text().split()[0] for row in range(2)} == {"corrected"}
    ui.runButton.click()  # and it goes on
    until(lambda: ui.runStateLabel.text.startswith("done"))


def test_a_scene_imported_beside_an_open_case_is_not_mixed_with_it(segmented, until, tmp_path, slicer_host, role):
    """File > Add Data of a scene with another case: that one comes as plain volumes, the open one is read on."""
    import slicer

    session, ui = segmented.workspace.session, segmented.ui
    slicer_host.process_events(0.8)
    assert slicer.util.saveScene(str(tmp_path / "first.mrb"))
    ui.alphaSlider.value = 0.15
    ui.nextButton.click()
    until(lambda: ui.fusionStateLabel.text.startswith("fused"))
    slicer_host.process_events(0.8)
    here, volumes_before = plain(facts(session)), slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    limit = role("lesion").GetSegmentation().GetSegmentIDs()
    slicer.util.loadNodeFromFile(str(tmp_path / "first.mrb"), "SceneFile", {"clear": False})
    until(lambda: "another case" in ui.messageLabel.text)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") > volumes_before
    assert plain(facts(session)) == here
    assert role("lesion").GetSegmentation().GetSegmentIDs() == limit
    assert records() == {
        "DiffuFuseMed case": 1,
        "DiffuFuseMed prediction": 1,
        "DiffuFuseMed review": 1,
        "DiffuFuseMed outlines": 1,
        "parameters": 1,
    }
    slicer_host.process_events(0.8)
    assert slicer.util.saveScene(str(tmp_path / "second.mrb"))
    slicer.mrmlScene.Clear(False)
    until(lambda: ui.alignmentLabel.text == "No case is open.")
    slicer.util.loadScene(str(tmp_path / "second.mrb"))
    until(lambda: ui.numbersTable.rowCount > 0)
    assert plain(facts(session)) == here


def test_a_case_without_a_result_takes_none_from_an_imported_scene(segmented, until, tmp_path, slicer_host, role):
    import slicer

    session, ui = segmented.workspace.session, segmented.ui
    slicer_host.process_events(0.8)
    assert slicer.util.saveScene(str(tmp_path / "with.mrb"))
    slicer.mrmlScene.Clear(False)
    make_small_volumes()
    ui.guessButton.click()
    ui.openButton.click()
    until(lambda: ui.fusionStateLabel.text.startswith("fused"))
    slicer.util.loadNodeFromFile(str(tmp_path / "with.mrb"), "SceneFile", {"clear": False})
    until(lambda: "another case" in ui.messageLabel.text)
    slicer_host.process_events(0.8)
    assert slicer.util.saveScene(str(tmp_path / "without.mrb"))
    slicer.mrmlScene.Clear(False)
    until(lambda: ui.alignmentLabel.text == "No case is open.")
    slicer.util.loadScene(str(tmp_path / "without.mrb"))
    until(lambda: "overlap" in ui.alignmentLabel.text)
    assert session.prediction is None
    assert role("lesion") is None and ui.numbersTable.rowCount == 0
