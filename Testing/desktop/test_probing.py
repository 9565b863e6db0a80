"""The panel in Slicer tests the model with a synthetic tumor: the banner, the tally, and the patient again."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def drawing(monkeypatch):
    """A synthesizer is said to be installed."""
    from DiffuFuseMedLib.session import healthy, probing

    record = SimpleNamespace(id="drawer", system="diff4mmlits-synthesizer")
    for module in (probing, healthy):
        monkeypatch.setattr(module, "models", lambda: [record])


@pytest.fixture
def ready(drawing, segmented):
    assert segmented.ui.placeButton.enabled
    return segmented


def background():
    import slicer

    [shown] = {n.GetBackgroundVolumeID() for n in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")}
    return slicer.mrmlScene.GetNodeByID(shown)


@pytest.fixture
def bare(monkeypatch):
    """Of the models none draws tumors."""
    from DiffuFuseMedLib.session import probing

    monkeypatch.setattr(probing, "models", list)


def test_without_a_synthesizer_the_section_says_how_to_get_one(bare, opened):
    ui = opened.ui
    assert "No model that draws tumors is installed" in ui.probingHintLabel.text
    assert "--recipe sts-tumor-synthesizer" in ui.probingHintLabel.text
    assert not (ui.placeButton.enabled or ui.anywhereButton.enabled or ui.diameterSlider.enabled)
    assert not ui.syntheticFrame.visible and not ui.patientButton.visible


def test_a_tumor_is_placed_at_the_crosshair_shown_as_such_and_gone_again(ready, role, until, slicer_host):
    import slicer

    ui, imaged = ready.ui, background()
    ui.diameterSlider.value = 24
    assert ready.workspace.session.parameters.probe_diameter_mm == 24
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCrosshairNode").SetCrosshairRAS(20.0, 24.0, 40.0)
    ui.placeButton.click()
    until(lambda: ui.syntheticFrame.visible, "the banner")
    assert "SYNTHETIC tumor of 24 mm, made up by drawer" in ui.syntheticLabel.text
    assert "Found: overlap 0.61" in ui.syntheticLabel.text and "Found" in ui.probingLabel.text
    assert "SYNTHETIC" in background().GetName()
    pet = slicer.util.arrayFromVolume(role("synthetic: PET"))
    assert pet[10, 12, 10] == 9 and slicer.util.arrayFromVolume(role("PET"))[10, 12, 10] == 1
    assert "SYNTHETIC" in ui.legendsLabel.text and "outer 95 % contour" not in ui.legendsLabel.text
    row = [ui.probesTable.item(0, column).text() for column in range(4)]
    assert row[:3] == ["24 mm", "1", "1 of 1"]
    assert not ui.editorFrame.enabled and not ui.exportSegButton.enabled and not ui.exportReportButton.enabled
    ui.syntheticButton.click()
    until(lambda: not ui.syntheticFrame.visible, "the patient")
    assert background() is imaged and role("synthetic: PET") is None
    assert ui.editorFrame.enabled == (not ui.noEditLabel.visible) and ui.exportSegButton.enabled
    assert ui.probesTable.visible


def test_other_modules_see_the_patient(ready, role, until):
    ready.ui.anywhereButton.click()
    until(lambda: ready.ui.syntheticFrame.visible, "the banner")
    ready.exit()
    assert role("synthetic: CT") is None and not ready.workspace.session.view_state.synthetic
    ready.enter()


def test_a_synthetic_image_is_never_opened_as_a_patients(ready, role, until):
    ready.ui.anywhereButton.click()
    until(lambda: ready.ui.syntheticFrame.visible, "the banner")
    ready.ui.CTSelector.setCurrentNode(role("synthetic: CT"))
    opened = ready.workspace.session.case
    ready.ui.openButton.click()
    until(lambda: "a made up image for the CT volume" in ready.ui.messageLabel.text, "the refusal")
    assert ready.workspace.session.case is opened


def test_slicers_own_save_saves_the_patient(ready, role, until):
    import slicer

    ready.ui.anywhereButton.click()
    until(lambda: ready.ui.syntheticFrame.visible, "the banner")
    slicer.mrmlScene.InvokeEvent(slicer.mrmlScene.StartSaveEvent)
    assert role("synthetic: CT") is None
    until(lambda: not ready.ui.syntheticFrame.visible, "the patient")


def test_what_takes_long_can_be_stopped(ready, until):
    ready.workspace.session.set(model="slow")
    ready.ui.anywhereButton.click()
    until(lambda: "drawing" in ready.ui.probingLabel.text or "sample" in ready.ui.probingLabel.text, "progress")
    assert ready.ui.patientButton.text == "Stop" and not ready.ui.placeButton.enabled
    ready.ui.patientButton.click()
    until(lambda: ready.ui.placeButton.enabled, "another try")
    assert not ready.ui.syntheticFrame.visible
