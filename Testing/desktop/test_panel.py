"""The panel in the stand-in: what a reader does to it, with an engine that answers at once."""

import json
import re
import zipfile

import numpy as np
import pytest
from DiffuFuseMedLib.session import history


def composites():
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")


def lesion_of(role):
    import slicer

    return slicer.util.arrayFromSegmentBinaryLabelmap(role("lesion"), "lesion", role("CT")) > 0


def test_roles_are_guessed_by_dicom_first_then_by_name(panel, slicer_host):
    import slicer

    for name in ("patient T1", "patient CT", "series 4", "patient T1 PET"):
        slicer.util.addVolumeFromArray(np.zeros((4, 4, 4), np.float32), name=name)
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    node = slicer.util.getNode("series 4")
    item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "PT")
    panel.ui.guessButton.click()
    chosen = {key: getattr(panel.ui, f"{key}Selector").currentNode() for key in ("CT", "PET", "MR_T1")}
    names = {key: node and node.GetName() for key, node in chosen.items()}
    assert names == {"CT": "patient CT", "PET": "series 4", "MR_T1": "patient T1"}


def test_a_volume_has_one_role(panel, small_volumes):
    panel.ui.CTSelector.setCurrentNode(small_volumes["CT"])
    panel.ui.PETSelector.setCurrentNode(small_volumes["CT"])
    assert panel.ui.CTSelector.currentNode() is None
    assert panel.ui.PETSelector.currentNode() is small_volumes["CT"]


def test_nothing_chosen_is_one_sentence(panel, until):
    panel.ui.openButton.click()
    until(lambda: "No image was chosen" in panel.ui.messageLabel.text)


def test_a_case_is_aligned_fused_and_shown(opened, role):
    assert "on the grid of CT" in opened.ui.alignmentLabel.text
    assert "run the segmentation" in opened.ui.gammaHintLabel.text
    fused = role("fused").GetID()
    assert {node.GetBackgroundVolumeID() for node in composites()} == {fused}
    assert {node.GetForegroundVolumeID() for node in composites()} == {role("PET").GetID()}


def test_dragging_a_slider_changes_the_picture_and_undo_brings_it_back(opened, role, until, slicer_host, monkeypatch):
    import slicer

    before = slicer.util.arrayFromVolume(role("fused")).copy()
    start = opened.ui.alphaSlider.value
    monkeypatch.setattr(history, "TOGETHER_S", 0)  # however slow the hand is
    slicer_host.drag(opened.ui.alphaSlider, *np.linspace(start, 0.1, 10))
    until(lambda: not np.array_equal(before, slicer.util.arrayFromVolume(role("fused"))), "another picture")
    until(lambda: opened.ui.fusionStateLabel.text.startswith("fused"))
    assert opened.ui.presetCombo.currentText == "custom"
    opened.ui.undoButton.click()
    until(lambda: opened.ui.alphaSlider.value == start, "one step back for one drag")
    until(lambda: np.array_equal(before, slicer.util.arrayFromVolume(role("fused"))), "the picture before")


def test_an_image_is_moved_by_its_numbers_and_put_back_by_reset_or_undo(opened, role, until):
    ui = opened.ui
    ui.moveCombo.setCurrentIndex(ui.moveCombo.findText("PET"))
    ui.moveLeftSpin.value = 6.0
    until(lambda: "PET moved" in ui.alignmentLabel.text, "the case with the PET moved")
    assert role("PET").GetParentTransformNode() is not None and ui.resetImageButton.enabled
    assert "PET: moved by the reader by hand: 6.0 mm to the left." in ui.qualityLabel.text
    ui.resetImageButton.click()
    until(lambda: "PET as placed" in ui.alignmentLabel.text, "the case as it was opened")
    assert role("PET").GetParentTransformNode() is None and ui.moveLeftSpin.value == 0
    opened.ui.undoButton.click()
    until(lambda: ui.moveLeftSpin.value == 6.0, "one step back")
    assert not ui.stopRegisteringButton.enabled


def test_a_window_that_slicer_changed_is_a_choice_of_the_panel_and_is_left_alone(opened, role, until):
    """By its mouse mode in a view or in the Volumes module."""
    shown = role("CT").GetDisplayNode()
    shown.SetWindowLevelMinMax(-40.0, 250.0)
    combo = opened.ui.windowsFrame.findChild("QComboBox", "CTWindowCombo")
    until(lambda: combo.currentText == "-40 to 250", "the window by hand")
    opened.ui.lesionCheck.click()  # everything is shown anew
    assert shown.GetWindowLevelMax() == 250
    combo.setCurrentIndex(combo.findText("bone"))
    until(lambda: shown.GetWindowLevelMax() == 1050, "the bone window")


def test_the_layers_on_screen_have_legends_in_their_own_colors_that_follow_the_window(opened, until):
    session, legends = opened.workspace.session, opened.ui.legendsLabel
    session.set(background="CT", foreground="PET", windows={"CT": "soft tissue"})
    until(lambda: "240 HU" in legends.text, "the window of the CT")
    assert legends.visible and "bgcolor='#ffff00'" in legends.text  # PET heat ends in yellow
    session.set(windows={"CT": "bone"}, pet_colors="PET inverse gray")
    until(lambda: "1050 HU" in legends.text and "#ffff00" not in legends.text, "the other window and colors")
    session.set(foreground="")
    until(lambda: "PET" not in legends.text, "the CT alone")


def test_the_outlines_on_screen_have_a_legend_in_their_own_colors(segmented, until):
    session, legends = segmented.workspace.session, segmented.ui.legendsLabel
    session.set(show_lesion=True, show_band=True)
    until(lambda: "outer 95 % contour" in legends.text, "the contours")
    assert "<td>lesion&nbsp;&nbsp;</td><td align='right'><font color='#21c45e'>" in legends.text
    session.set(show_band=False)
    until(lambda: "outer 95 % contour" not in legends.text, "no contours")


def test_parameters_are_kept_on_the_parameter_node(opened, until):
    import slicer

    opened.ui.gammaSlider.value = 0.25
    nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
    [node] = [n for n in nodes if n.GetModuleName() == "DiffuFuseMed"]
    until(lambda: json.loads(node.GetParameter("gamma")) == 0.25)
    assert node.GetNodeReference("input.CT").GetName() == "patient CT"


def test_a_run_gives_numbers_worklist_overlay_and_legend(segmented, role):
    ui = segmented.ui
    assert "accept the lesion" in ui.gammaHintLabel.text
    assert not ui.gammaSlider.enabled and ui.acceptLesionButton.visible
    assert ui.numbersTable.item(0, 0).text() == "Volume"
    ml = lesion_of(role).sum() * 2 * 2 * 4 / 1000
    assert ui.numbersTable.item(0, 1).text() == f"{ml:.1f} mL"
    assert {node.GetNthLayerVolumeID(3) for node in composites()} == {role("predictive_entropy").GetID()}
    assert ui.legendHighLabel.text.endswith("nat")
    assert ui.runButton.enabled and not ui.cancelButton.enabled


def test_an_accepted_lesion_lets_gamma_draw_its_border_until_it_is_taken_out(segmented, until):
    ui = segmented.ui
    ui.acceptLesionButton.click()
    until(lambda: ui.gammaSlider.enabled and ui.gammaHintLabel.text == "")
    assert not ui.acceptLesionButton.visible
    ui.protectCheck.click()
    until(lambda: "switch it on below" in ui.gammaHintLabel.text)
    assert not ui.gammaSlider.enabled


def test_bars_of_gates_are_shown_where_the_model_has_gates(segmented):
    from DiffuFuseMedLib.session import Topic

    rows, session = segmented.workspace.sections["modalities"].rows, segmented.workspace.session
    shown = lambda: {(bar.visible, value.visible) for _, bar, value in rows.values()}  # noqa: E731
    assert shown() == {(True, True)}
    session.view_state.gates = {}
    segmented.workspace.sections["modalities"].draw(Topic.RUN)
    assert shown() == {(False, False)}


def test_a_switched_off_modality_runs_again_without_it(segmented, role, until):
    before = lesion_of(role).sum()
    check, bar, value = segmented.workspace.sections["modalities"].rows["PET"]
    assert bar.value == 33 and value.text == "0.33"
    check.click()
    until(lambda: "without PET" in segmented.ui.changeLabel.text)
    assert lesion_of(role).sum() < before


def test_editing_is_held_to_the_chosen_region_and_undone_in_one_step(segmented, role, until, slicer_host):
    import slicer

    segmented.ui.nextButton.click()
    until(lambda: segmented.ui.acceptButton.enabled)
    before = lesion_of(role)
    editor = segmented.workspace.editor.widget
    editor.setActiveEffectByName("Margin")
    editor.activeEffect().setParameter("MarginSizeMm", "6")
    editor.activeEffect().self().onApply()
    after = lesion_of(role)
    outside = slicer.util.arrayFromSegmentBinaryLabelmap(role("lesion"), "DiffuFuseMed.outside", role("CT")) > 0
    assert (after != before).any()
    assert not ((after != before) & outside).any()
    slicer_host.press(segmented, "Ctrl+Z")
    assert (lesion_of(role) == before).all()
    slicer_host.press(segmented, "Ctrl+Y")
    assert (lesion_of(role) == after).all()
    until(lambda: segmented.ui.editedLabel.text != "")
    segmented.ui.acceptButton.click()
    until(lambda: segmented.ui.worklistTable.item(0, 3).text().startswith("corrected"))


def opened_region(widget):
    return widget.workspace.session.view_state.region


def test_an_undo_across_regions_goes_back_to_the_region_of_the_edit_and_its_limits(segmented, role, until):
    import slicer

    assert segmented.ui.worklistTable.rowCount == 2
    segmented.ui.nextButton.click()
    editor = segmented.workspace.editor.widget
    editor.setActiveEffectByName("Margin")
    editor.activeEffect().self().onApply()
    region = segmented.workspace.session.review
    until(lambda: "an edit" in segmented.ui.undoButton.toolTip)  # a busy machine is waited for
    segmented.ui.nextButton.click()
    assert opened_region(segmented) == 2
    segmented.ui.undoButton.click()
    assert opened_region(segmented) == 1
    outside = slicer.util.arrayFromSegmentBinaryLabelmap(role("lesion"), "DiffuFuseMed.outside", role("CT")) > 0
    assert (outside == ~region._reach(opened_region(segmented))).all()


def test_undo_after_accept_opens_the_region_again(segmented, role, until):
    segmented.ui.nextButton.click()
    editor = segmented.workspace.editor.widget
    editor.setActiveEffectByName("Margin")
    editor.activeEffect().self().onApply()
    until(lambda: segmented.ui.acceptButton.enabled)
    segmented.ui.acceptButton.click()
    until(lambda: segmented.ui.worklistTable.item(0, 3).text().startswith("corrected"))
    until(lambda: "a decision" in segmented.ui.undoButton.toolTip)
    segmented.ui.undoButton.click()
    until(lambda: segmented.ui.worklistTable.item(0, 3).text() == "open")
    assert opened_region(segmented) == 1
    assert not editor.undoEnabled  # Slicer's own would bring back voxels without their decision


@pytest.fixture
def corrected(segmented, until):
    """With an edit that is not saved."""
    segmented.ui.nextButton.click()
    editor = segmented.workspace.editor.widget
    editor.setActiveEffectByName("Margin")
    editor.activeEffect().self().onApply()
    until(lambda: segmented.workspace.session.view_state.unsaved)
    return segmented


def test_unsaved_corrections_are_asked_about_before_another_case_is_opened(corrected, slicer_host, until, tmp_path):
    import qt

    session = corrected.workspace.session
    before = session.case_id

    def answered(button):
        slicer_host.message_answers.append(button)
        corrected.ui.openButton.click()
        until(lambda: not slicer_host.message_answers and not session.view_state.question)

    answered(qt.QMessageBox.Cancel)
    assert "not saved" in slicer_host.messages[-1].text
    assert (session.case_id, session.view_state.unsaved, session.view_state.loading) == (before, True, "")
    slicer_host.file_answers.append("")  # no place was chosen
    answered(qt.QMessageBox.Save)
    assert (session.case_id, session.view_state.unsaved, session.view_state.loading) == (before, True, "")
    slicer_host.file_answers.append(str(tmp_path / "a.mrb"))
    answered(qt.QMessageBox.Save)
    assert (tmp_path / "a.mrb").is_file()
    until(lambda: session.case_id != before)
    assert not session.view_state.unsaved


def test_corrections_of_a_scene_that_was_closed_are_offered_where_the_case_is_opened_again(corrected, role, until):
    import slicer

    ui, edited = corrected.ui, lesion_of(role)
    session = corrected.workspace.session
    case = session.case
    assert not ui.recoveredFrame.visible
    slicer.mrmlScene.Clear(False)
    assert session.case is None
    session.open_case(case)
    until(lambda: ui.recoveredFrame.visible)
    assert "never saved" in ui.recoveredLabel.text
    ui.bringBackButton.click()
    until(lambda: not ui.recoveredFrame.visible)
    assert (lesion_of(role) == edited).all()
    assert session.view_state.unsaved


def test_without_a_region_the_tools_are_off_and_say_why(segmented, until):
    ui, editor = segmented.ui, segmented.workspace.editor.widget
    assert "No region is chosen" in ui.noEditLabel.text
    assert not ui.editorFrame.enabled
    ui.nextButton.click()
    until(lambda: ui.editorFrame.enabled)
    assert not ui.noEditLabel.visible
    editor.setActiveEffectByName("Paint")
    segmented.workspace.session.review.leave()
    segmented.workspace.session.review.show()
    until(lambda: not ui.editorFrame.enabled)
    assert editor.activeEffect() is None
    ui.insideCheck.click()
    until(lambda: ui.editorFrame.enabled)


def test_keys_take_up_the_editors_tools_and_lay_them_down(segmented, slicer_host):
    editor = segmented.workspace.editor.widget
    for key, active in (("Alt+1", "Paint"), ("Alt+3", "Erase"), ("Alt+3", None), ("Alt+1", "Paint"), ("Esc", None)):
        slicer_host.press(segmented, key)
        assert (editor.activeEffect().name if editor.activeEffect() else None) == active


def offered(panel):
    table = panel.ui.choicesTable
    return [[table.item(row, column).text() for column in range(4)] for row in range(table.rowCount)]


def ghost(role):
    """The outline that is shown over the lesion; None where there is none."""
    import slicer

    node = role("choice")
    if node is None or not node.GetDisplayNode().GetSegmentVisibility("choice"):
        return None
    return slicer.util.arrayFromSegmentBinaryLabelmap(node, "choice", role("CT")) > 0


def test_a_key_shows_an_outline_and_enter_takes_it_in_one_step(segmented, slicer_host, role, until):
    ui, before = segmented.ui, lesion_of(role)
    with pytest.raises(LookupError):  # in fields, Enter ends what is typed
        slicer_host.press(segmented, "Return")
    slicer_host.press(segmented, "N")
    until(lambda: ui.choicesTable.rowCount > 0, "outlines of the region")
    assert not ui.takeButton.enabled
    rows = offered(segmented)
    assert rows[0][:1] + rows[0][2:3] in (["1", "75 %"], ["1", "25 %"])
    region = segmented.workspace.session.view_state.region
    slicer_host.press(segmented, "1")
    until(lambda: ui.takeButton.enabled)
    shown = ghost(role)
    assert (shown != before).any()
    np.testing.assert_array_equal(lesion_of(role), before)
    slicer_host.press(segmented, "Esc")
    until(lambda: not ui.takeButton.enabled)
    assert ghost(role) is None
    slicer_host.press(segmented, "1")
    until(lambda: ui.takeButton.enabled)
    slicer_host.press(segmented, "Return")
    until(lambda: segmented.workspace.session.view_state.steps == 1)
    np.testing.assert_array_equal(lesion_of(role), shown)
    assert ghost(role) is None
    row = [r["id"] for r in segmented.workspace.session.view_state.regions].index(region)
    until(lambda: rows[0][1] in ui.worklistTable.item(row, 3).text())
    slicer_host.press(segmented, "Ctrl+Z")
    np.testing.assert_array_equal(lesion_of(role), before)
    until(lambda: ui.worklistTable.item(row, 3).text() == "open")


def test_none_of_them_goes_part_by_part_to_the_next_region_by_its_key_and_its_button(
    segmented, slicer_host, role, until
):
    ui, before, view_state = segmented.ui, lesion_of(role), segmented.workspace.session.view_state
    assert not ui.noneButton.enabled
    slicer_host.press(segmented, "N")
    until(lambda: ui.choicesTable.rowCount > 0)
    region, parts = view_state.region, segmented.workspace.session.review.parts(view_state.region).count
    assert ui.choosingLabel.visible == (parts > 1)
    for part in range(1, parts) if parts > 1 else ():
        slicer_host.press(segmented, "0")
        until(lambda part=part: view_state.part == part and ui.choicesTable.rowCount > 0)
        assert ui.choosingLabel.text.startswith(f"Part {part} of {parts}")
    ui.noneButton.click()
    if parts > 1:
        until(lambda: view_state.part == parts and ui.choicesTable.rowCount > 0)
        ui.noneButton.click()
    until(lambda: view_state.region != region)
    row = [r["id"] for r in view_state.regions].index(region)
    assert view_state.regions[row]["status"] == "accepted"
    np.testing.assert_array_equal(lesion_of(role), before)


def test_a_click_shows_an_outline_and_a_button_takes_it(segmented, slicer_host, role, until):
    from host.proxy import unwrap

    ui, before = segmented.ui, lesion_of(role)
    ui.nextButton.click()
    until(lambda: ui.choicesTable.rowCount > 0)
    unwrap(ui.choicesTable).cellClicked.emit(0, 1)
    until(lambda: ui.takeButton.enabled)
    ui.takeButton.click()
    until(lambda: (lesion_of(role) != before).any())


def test_a_region_with_no_other_outline_says_so(segmented, until, role):
    """Nothing is offered where the lesion is what every sample and level says."""
    ui, session = segmented.ui, segmented.workspace.session
    ui.nextButton.click()
    until(lambda: ui.choicesTable.rowCount > 0 and ui.choicesTable.visible)
    assert not ui.noChoiceLabel.visible
    session.review.leave()
    session.review.show()
    until(lambda: ui.choicesTable.rowCount == 0)
    assert not ui.choicesTable.visible


def test_keys_work_while_the_module_is_shown_only(segmented, slicer_host, until):
    slicer_host.press(segmented, "N")
    until(lambda: segmented.ui.acceptButton.enabled)
    slicer_host.exit_module(segmented)
    with pytest.raises(LookupError):
        slicer_host.press(segmented, "N")
    with pytest.raises(LookupError):
        slicer_host.press(segmented, "1")


def test_leaving_brings_back_the_layers_and_entering_shows_the_case(panel, small_volumes, until, slicer_host, role):
    import slicer

    slicer_host.exit_module(panel)
    slicer.util.setSliceViewerLayers(background=small_volumes["T1"], foreground=None)
    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    slicer_host.enter_module(panel)
    panel.ui.guessButton.click()
    panel.ui.registerCombo.setCurrentIndex(2)
    panel.ui.openButton.click()
    until(lambda: panel.ui.fusionStateLabel.text.startswith("fused"))
    until(lambda: composites()[0].GetBackgroundVolumeID() == role("fused").GetID())
    slicer_host.exit_module(panel)
    assert composites()[0].GetBackgroundVolumeID() == small_volumes["T1"].GetID()
    assert composites()[0].GetForegroundVolumeID() is None
    assert slicer.app.layoutManager().layout == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    slicer_host.enter_module(panel)
    assert composites()[0].GetBackgroundVolumeID() == role("fused").GetID()


def test_a_scene_is_closed_loaded_and_goes_on(segmented, until, tmp_path, slicer_host, role):
    import slicer

    lesion, alpha = lesion_of(role), segmented.ui.alphaSlider.value
    segmented.ui.nextButton.click()
    until(lambda: segmented.ui.acceptButton.enabled)
    segmented.ui.acceptButton.click()
    slicer_host.process_events(0.8)  # the record of the case is written soon after the last change
    assert slicer.util.saveScene(str(tmp_path / "case.mrb"))
    slicer.mrmlScene.Clear(False)
    until(lambda: segmented.ui.alignmentLabel.text == "No case is open.")
    assert segmented.ui.numbersTable.rowCount == 0
    assert role("lesion") is None
    slicer.util.loadScene(str(tmp_path / "case.mrb"))
    until(lambda: segmented.ui.numbersTable.rowCount > 0)
    assert (lesion_of(role) == lesion).all()
    assert segmented.ui.alphaSlider.value == alpha
    assert "1 of" in segmented.ui.progressLabel.text
    segmented.ui.runButton.click()
    until(lambda: segmented.ui.runStateLabel.text.startswith("done"))


def test_a_scene_of_the_other_host_is_adopted(segmented, until, tmp_path, slicer_host, role):
    """Session.keeping.save_scene is what the browser host writes with."""
    import slicer

    lesion = lesion_of(role)
    assert segmented.workspace.session.persistence.save_scene(tmp_path / "browser.mrb")
    slicer.mrmlScene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "browser.mrb"))
    until(lambda: segmented.ui.numbersTable.rowCount > 0)
    assert (lesion_of(role) == lesion).all()


def test_files_are_written_where_the_reader_says(segmented, until, tmp_path, slicer_host):
    ui, view_state = segmented.ui, segmented.workspace.session.view_state
    until(lambda: ui.exportFusedButton.enabled, "a finished fusion")
    kinds = {"exportSegButton": "seg.nrrd", "exportNiftiButton": "nii.gz", "exportFusedButton": "fused.nrrd"}
    kinds["exportReportButton"] = "report.html"
    for button, kind in {**kinds, "saveSceneButton": "mrb"}.items():
        slicer_host.file_answers.append(str(tmp_path / f"lesion.{kind}"))
        getattr(ui, button).click()
        until(lambda: not view_state.saving, f"the file lesion.{kind}")
        assert (tmp_path / f"lesion.{kind}").stat().st_size > 0
    assert "soft tissue like MRI" in (tmp_path / "lesion.report.html").read_text(encoding="utf-8")
    until(lambda: ui.messageLabel.text == "Saved as lesion.mrb.")


def test_nothing_is_left_of_a_module_that_goes(segmented, slicer_host):
    import psutil

    pid = segmented.workspace.session.engine.pid
    folder = segmented.workspace.session.engine.folder
    assert psutil.pid_exists(pid)
    slicer_host.unload_module(segmented)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert not folder.exists()
    assert segmented.workspace is None


def segments_in(path):
    """Names of the segments in the segmentation files of a scene file."""
    with zipfile.ZipFile(path) as archive:
        heads = [archive.read(name)[:20000] for name in archive.namelist() if name.endswith(".seg.nrrd")]
    return {name.decode() for head in heads for name in re.findall(rb"Segment\d+_ID:=(.*)", head)}


def test_the_helper_that_limits_editing_is_seen_by_nobody(segmented, role, until, tmp_path, slicer_host):
    """Neither in the editor's list, nor in a scene that is saved here, nor once the module is left."""
    helper, segmentation = "DiffuFuseMed.outside", role("lesion").GetSegmentation()
    listed = segmented.workspace.editor.widget.findChild("qMRMLSegmentsTableView")
    segmented.ui.nextButton.click()
    until(lambda: segmentation.GetSegment(helper) is not None, "the helper")
    assert listed.displayedSegmentIDs() == ("lesion",)
    assert not role("lesion").GetDisplayNode().GetSegmentVisibility(helper)
    slicer_host.file_answers.append(str(tmp_path / "case.mrb"))
    segmented.ui.saveSceneButton.click()
    assert "lesion" in segments_in(tmp_path / "case.mrb")
    assert helper not in segments_in(tmp_path / "case.mrb")
    assert segmentation.GetSegment(helper) is not None  # and the region is limited as before
    slicer_host.exit_module(segmented)
    assert segmentation.GetSegmentIDs() == ("lesion",)
    slicer_host.enter_module(segmented)
    assert segmentation.GetSegment(helper) is not None


def test_a_second_panel_on_the_scene_says_where_to_go_on(segmented, until, role):
    """slicer.util.getNewModuleGui makes one; its session would take up the first one's nodes."""
    import slicer

    lesion, nodes = lesion_of(role), slicer.mrmlScene.GetNumberOfNodes()
    second = type(segmented)()
    second.enter()
    [label] = second.parent.findChildren("QLabel")
    assert "another panel" in label.text
    second.exit()
    second.cleanup()
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes
    assert (lesion_of(role) == lesion).all()
    segmented.ui.runButton.click()
    until(lambda: segmented.ui.runStateLabel.text.startswith("done"))


def test_a_panel_without_a_parent_is_set_up_once_and_whole(slicer_host, quick_engine, panel):
    """As slicer.util.getNewModuleGui makes it, after the first one is gone."""
    kind = type(panel)
    slicer_host.unload_module(panel)
    alone = kind()
    try:
        assert alone.workspace is not None and alone.ui.runButton is not None
    finally:
        alone.cleanup()


def test_the_previous_contour_comes_back_in_one_step_and_goes_in_one(segmented, until, role):
    before = lesion_of(role)
    segmented.workspace.sections["modalities"].rows["PET"][0].click()
    until(lambda: "without PET" in segmented.ui.changeLabel.text)
    until(lambda: segmented.ui.restoreButton.enabled)
    without = lesion_of(role)
    assert (without != before).any()
    segmented.ui.restoreButton.click()
    assert (lesion_of(role) == before).all()
    segmented.ui.undoButton.click()
    assert (lesion_of(role) == without).all()
