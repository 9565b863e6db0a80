"""Run, switch, review and edit, with an engine that answers when told."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import slicer
from DiffuFuseMedLib.mrml import editing, segmentations, volumes
from DiffuFuseMedLib.mrml.nodes import provenance
from DiffuFuseMedLib.mrml.views import shown_slices
from DiffuFuseMedLib.session import review as review_logic
from scipy.ndimage import distance_transform_edt
from slicer import vtkSlicerSegmentEditorLogic as EditorLogic
from vtkmodules.util.numpy_support import vtk_to_numpy

CORE = np.s_[4:12, 15:35, 15:40]
FIRST, SECOND = np.s_[5:9, 36:44, 20:30], np.s_[5:9, 8:14, 20:30]  # doubtful places beside it, the first larger


@pytest.fixture
def run(told, answers, sarcoma):
    """A function (boxes, doubtful): run and answer; returns the session with its result."""

    def go(boxes=(CORE,), doubtful=((FIRST, 0.6), (SECOND, 0.4)), ask=True):
        if ask:
            told.run()
        asked = [a for a in told.engine.waiting("segment") if a.progress]
        asked[-1].give(answers["prediction"](asked[-1], sarcoma, boxes, doubtful))
        settled(told)
        return told

    return go


def settled(session):
    view_state = session.view_state
    session.pump_until(lambda: view_state.run != "working" and not view_state.counting and not view_state.listing)


@pytest.fixture
def done(run):
    return run()


def paint(session, box, value=True):
    mask = session.lesion.mask()
    mask[box] = value
    reference = session.nodes["CT"]
    segmentations.set_mask(session.nodes["lesion"], "lesion", mask, reference)
    return mask


def test_a_run_tells_progress_and_time_left_then_what_it_found(told, answers, sarcoma):
    told.run()
    asked = told.engine.last("segment")
    assert asked.values["modalities"] == ["CT", "PET", "MR_T1"]
    asked.progress(0.25, "sample 2 of 8", 6.0)
    told.pump()
    view_state = told.view_state
    assert (view_state.run, view_state.run_words, view_state.run_share, view_state.run_seconds_left) == (
        "working",
        "sample 2 of 8",
        0.25,
        6.0,
    )
    prediction = answers["prediction"](asked, sarcoma, (CORE,), ((FIRST, 0.6),))
    asked.give(prediction)
    told.pump_until(lambda: view_state.run == "ready" and view_state.numbers)
    assert view_state.run_words == "done in 1.0 s"
    assert view_state.gates == dict.fromkeys(("CT", "PET", "MR_T1"), 1 / 3)
    np.testing.assert_array_equal(told.lesion.mask(), prediction.labels == 1)
    np.testing.assert_array_equal(volumes.array_of(told.nodes["probability"]), prediction.probability)
    assert provenance(told.nodes["lesion"])["sha256"] == "ab" * 32


def test_numbers_are_those_of_the_lesion_with_the_ranges_of_the_contours(done, sarcoma):
    mask = done.lesion.mask()
    ml = mask.sum() * sarcoma.grid.voxel_mm3 / 1000
    suv = sarcoma.volumes["PET"].array[mask & sarcoma.valid["PET"]]
    rows = {row["label"]: row for row in done.view_state.numbers}
    assert rows["Volume"]["value"] == f"{ml:.1f} mL"
    assert rows["Volume"]["range"] == "1.0 to 900.0"
    assert rows["SUVmax"]["value"] == f"{suv.max():.1f} g/mL"
    # both contours hold the brightest voxel: the range would end at its own value
    assert rows["SUVmax"]["range"] == ""


def test_without_a_case_or_with_all_switched_off_a_run_is_told_why_not(told):
    told.set(modalities=dict.fromkeys(("CT", "PET", "MR_T1"), False))
    told.run()
    assert "All modalities" in told.view_state.message.sentence
    assert told.engine.of("segment") == []
    told.forget()
    told.run()
    assert "open one first" in told.view_state.message.sentence


def test_a_cancelled_run_leaves_the_last_result_as_current_as_it_was(done):
    before = done.lesion.mask()
    done.run()
    done.cancel()
    asked = [a for a in done.engine.of("segment") if a.progress][-1]
    assert asked.cancelling
    asked.fail("cancelled")
    done.pump()
    assert (done.view_state.run, done.view_state.run_words) == ("ready", "cancelled")
    np.testing.assert_array_equal(done.lesion.mask(), before)
    assert done.messages == []


def test_a_run_that_gave_way_says_nothing_any_more(told, answers, sarcoma):
    told.run()
    first = told.engine.last("segment")
    told.run()
    first.progress(0.9, "sample 9 of 9", 0.1)
    first.give(answers["prediction"](first, sarcoma, (FIRST,)))
    told.pump()
    assert told.view_state.run_words == "starting"
    assert "lesion" not in told.nodes


def test_a_switch_runs_again_once_and_shows_the_ghost_and_what_it_changed(done, run, sarcoma):
    before = done.lesion.mask()
    count = len([a for a in done.engine.of("segment") if a.progress])
    done.switch("PET", False)
    done.switch("MR_T1", False)
    assert done.view_state.run == "stale"
    done.pump_until(lambda: done.view_state.run == "working")
    asked = [a for a in done.engine.of("segment") if a.progress]
    assert [a.values["modalities"] for a in asked[count:]] == [["CT"]]
    smaller = np.s_[4:12, 15:35, 15:30]
    run((smaller,), (), ask=False)
    ghost = segmentations.mask_of(done.nodes["previous"], "previous", done.nodes["CT"])
    np.testing.assert_array_equal(ghost, before)
    less = (before.sum() - 8 * 20 * 15) * sarcoma.grid.voxel_mm3 / 1000
    expected = f"without PET, MR_T1: -{less:.1f} mL against the previous contour, {less:.1f} mL differ"
    assert done.view_state.change == expected


def test_a_switch_and_back_needs_no_run(done):
    count = len([a for a in done.engine.of("segment") if a.progress])
    done.switch("PET", False)
    done.switch("PET", True)
    done.pump(0.6)
    assert len([a for a in done.engine.of("segment") if a.progress]) == count
    assert done.view_state.run == "ready"


def test_a_run_by_hand_takes_the_place_of_the_one_that_a_switch_would_start(done):
    done.switch("PET", False)
    done.run()
    count = len(done.engine.of("segment"))
    done.pump(0.6)
    assert len(done.engine.of("segment")) == count


def test_a_result_of_another_model_or_seed_is_stale_until_its_values_are_back(done):
    for change in ({"model": "other"}, {"seed": 3}, {"samples": 2}):
        done.set(**change)
        assert (done.view_state.run, done.view_state.run_words) == ("stale", "of other settings")
        done.undo()
        assert done.view_state.run == "ready"


def test_a_switch_is_not_run_in_the_next_case(done, sarcoma):
    done.switch("PET", False)
    done.open_case(sarcoma)
    count = len(done.engine.of("segment"))
    done.pump(0.6)
    assert len(done.engine.of("segment")) == count
    assert (done.view_state.run, done.view_state.numbers, done.view_state.regions) == ("none", (), ())
    assert not done.view_state.can_undo


def test_reasons_come_one_modality_at_a_time_and_name_the_one_that_disagrees(done, answers, sarcoma):
    assert done.view_state.explaining
    without = []
    while asked := [a for a in done.engine.waiting("segment") if a.progress is None]:
        assert len(asked) == 1
        left_out = ({"CT", "PET", "MR_T1"} - set(asked[0].values["modalities"])).pop()
        without.append(left_out)
        doubtful = ((FIRST, 0.99 if left_out == "PET" else 0.6), (SECOND, 0.4))
        asked[0].give(answers["prediction"](asked[0], sarcoma, (CORE,), doubtful))
        done.pump()
    assert sorted(without) == ["CT", "MR_T1", "PET"]
    assert not done.view_state.explaining
    assert "PET" in done.view_state.regions[0]["why"]


def test_a_model_without_gates_shows_none_and_is_explained_by_what_it_saw(told, answers, sarcoma):
    told.run()
    asked = told.engine.last("segment")
    asked.give(replace(answers["prediction"](asked, sarcoma, (CORE,), ((FIRST, 0.6),)), gates={}))
    told.pump_until(lambda: told.view_state.run == "ready" and told.view_state.explaining)
    assert told.view_state.gates == {}
    (search,) = [a for a in told.engine.waiting("segment") if a.progress is None]
    assert search.values["modalities"] == ["PET", "MR_T1"]


@pytest.mark.parametrize("end", ["cancelled", "out_of_memory"])
def test_a_run_lets_the_search_for_reasons_stand_and_not_stop(done, answers, sarcoma, end):
    search = done.engine.waiting("segment")[0]
    assert search.values["behind"]
    done.set(model="other", samples=1)
    done.run()
    run = done.engine.last("segment")
    assert not run.values["behind"]
    assert not search.cancelling
    run.fail(end)
    done.pump()
    assert done.view_state.explaining
    search.give(answers["prediction"](search, sarcoma, (CORE,)))
    done.pump()
    following = done.engine.waiting("segment")
    assert [a.values["behind"] for a in following] == [True]  # the next one, once
    assert following[0].values["model"] == search.values["model"]  # of the result that they explain
    assert following[0].values["samples"] == search.values["samples"]


def test_a_new_result_ends_the_search_for_the_old_ones_reasons(done, run):
    search = done.engine.waiting("segment")[0]
    done.set(seed=5)
    run()
    assert search.cancelling
    assert [a.values["seed"] for a in done.engine.waiting("segment")] == [5]


def test_reasons_survive_an_engine_that_died_once(done):
    done.engine.last("segment").fail("died")
    done.pump()
    assert not done.view_state.explaining
    count = len(done.engine.of("segment"))
    done.pump_until(lambda: len(done.engine.of("segment")) == count + 1)
    done.engine.last("segment").fail("died")
    done.pump(1.3)
    assert len(done.engine.of("segment")) == count + 1


# Review


def test_the_worklist_is_ranked_and_choosing_jumps_there(done, sarcoma):
    assert [row["state"] for row in done.view_state.regions] == ["open", "open"]
    done.review.next()
    assert done.view_state.region == 1
    center = done.review.current.worklist.region(1).center_lps
    index = np.rint(sarcoma.grid.to_index(np.array(center)))[::-1]
    where = {done.fusion._where(node) for node in shown_slices(done.scene)}
    assert where == set(zip(("axial", "coronal", "sagittal"), index.astype(int).tolist(), strict=True))


@pytest.fixture
def held(monkeypatch):
    """A function(): let the worklists be made that were asked for; until then none is there."""
    let, make = threading.Event(), review_logic.worklist

    def later(prediction):
        assert let.wait(60)
        return make(prediction)

    monkeypatch.setattr(review_logic, "worklist", later)
    yield let.set
    let.set()


def a_result(told, answers, sarcoma, doubtful=((FIRST, 0.6), (SECOND, 0.4))):
    asked = [a for a in told.engine.waiting("segment") if a.progress][-1]
    asked.give(answers["prediction"](asked, sarcoma, (CORE,), doubtful))
    told.pump_until(lambda: told.view_state.run == "ready")


def test_the_page_goes_on_while_the_worklist_is_made_and_says_so(told, answers, sarcoma, held):
    told.run()
    a_result(told, answers, sarcoma)
    view_state = told.view_state
    assert view_state.listing and view_state.regions == ()
    told.review.next()
    assert "still being made" in view_state.message.sentence
    held()
    settled(told)
    assert not view_state.listing and len(view_state.regions) == 2
    told.review.next()
    assert view_state.region == 1


def test_what_was_decided_is_carried_over_once_the_new_list_is_there(done, answers, sarcoma, held):
    done.review.choose(1)
    done.review.decide()
    done.run()
    a_result(done, answers, sarcoma)
    assert done.view_state.listing and done.view_state.region is None
    done.review.choose(1)  # a click on a row of the old list that was on its way
    assert done.view_state.region is None
    held()
    settled(done)
    assert [row["state"] for row in done.view_state.regions] == ["accepted", "open"]


def test_only_the_list_of_the_last_of_two_results_is_taken(told, answers, sarcoma, held):
    told.run()
    a_result(told, answers, sarcoma)
    told.run()
    a_result(told, answers, sarcoma, ((SECOND, 0.4),))
    held()
    settled(told)
    told.pump()
    assert len(told.view_state.regions) == 1


def test_a_save_waits_for_the_list_and_holds_it(told, answers, sarcoma, held, tmp_path):
    told.run()
    a_result(told, answers, sarcoma)
    threading.Timer(0.2, held).start()
    assert told.persistence.save_scene(tmp_path / "a.mrb")
    assert told.open_scene(tmp_path / "a.mrb")
    assert len(told.view_state.regions) == 2


def test_a_list_that_cannot_be_made_says_why_and_leaves_the_result(told, answers, sarcoma, monkeypatch):
    def fails(prediction):
        raise MemoryError

    monkeypatch.setattr(review_logic, "worklist", fails)
    told.run()
    a_result(told, answers, sarcoma)
    settled(told)
    assert "memory" in told.view_state.message.sentence
    assert told.lesion.mask().any() and told.view_state.regions == ()


def test_next_and_previous_go_round_and_accept_and_skip_go_on(done):
    review = done.review
    for step, region in ((review.next, 1), (review.next, 2), (review.next, 1), (review.previous, 2)):
        step()
        assert done.view_state.region == region
    review.decide(skip=True)
    assert (done.view_state.region, done.view_state.progress[:11]) == (1, "0 of 2 done")
    review.decide()
    assert done.view_state.region is None
    assert [row["state"] for row in done.view_state.regions] == ["accepted", "skipped"]
    assert "Every region" in done.view_state.message.sentence


def test_without_a_list_or_a_region_the_keys_say_what_to_do(told, run):
    told.review.next()
    assert "run the segmentation first" in told.view_state.message.sentence
    run()
    told.review.decide()
    assert "Choose a region" in told.view_state.message.sentence


def test_the_editor_is_held_to_the_region_and_its_border_and_released(done, sarcoma):
    editor, seg = done.review.editor_node, done.nodes["lesion"]
    done.review.choose(1)
    assert editing.is_restricted(editor, seg)
    outside = segmentations.mask_of(seg, editing.OUTSIDE, done.nodes["CT"])
    region = done.review.current.worklist.labels == 1
    assert not (outside & region).any()
    away_mm = distance_transform_edt(~region, sarcoma.grid.spacing_kji_mm)
    assert 3.0 < away_mm[~outside].max() < 4.5
    done.set(inside_region_only=False)
    assert not editing.is_restricted(editor, seg)
    done.set(inside_region_only=True)
    assert editing.is_restricted(editor, seg)
    done.review.leave()
    assert segmentations.mask_of(seg, editing.OUTSIDE, done.nodes["CT"]).all()


def brush_everywhere(session, mode):
    """What a tool does that would paint or erase the whole image, under the editor's own masks."""
    logic, node = slicer.vtkSlicerSegmentEditorLogic(), session.review.editor_node
    logic.SetMRMLScene(session.scene)
    node.SetAndObserveSegmentationNode(session.nodes["lesion"])
    node.SetAndObserveSourceVolumeNode(session.nodes["CT"])
    node.SetSelectedSegmentID("lesion")
    logic.SetSegmentEditorNode(node)
    logic.UpdateReferenceGeometryImage()
    logic.ResetModifierLabelmapToDefault()
    brush = logic.GetModifierLabelmap()
    vtk_to_numpy(brush.GetPointData().GetScalars())[:] = 1
    logic.ModifySegmentByLabelmap(session.nodes["lesion"], "lesion", brush, mode, True, False)
    logic.SetMRMLScene(None)


@pytest.mark.parametrize("mode", [EditorLogic.ModificationModeAdd, EditorLogic.ModificationModeRemove])
def test_inside_this_region_only_without_a_region_edits_nowhere_and_says_why(done, mode):
    before = done.lesion.mask()
    assert "No region is chosen" in done.view_state.no_edit
    brush_everywhere(done, mode)
    np.testing.assert_array_equal(done.lesion.mask(), before)
    done.review.choose(1)
    assert done.view_state.no_edit == ""
    done.review.leave()
    brush_everywhere(done, mode)
    np.testing.assert_array_equal(done.lesion.mask(), before)
    done.set(inside_region_only=False)
    assert done.view_state.no_edit == ""
    brush_everywhere(done, mode)
    assert (done.lesion.mask() == (mode == EditorLogic.ModificationModeAdd)).all()


def test_nothing_is_edited_either_once_every_region_is_decided_or_where_none_was_found(done, run):
    done.review.choose(2)
    done.review.decide()
    done.review.decide()
    assert done.view_state.region is None and "No region is chosen" in done.view_state.no_edit
    run((CORE,), ())
    assert "has no region" in done.view_state.no_edit
    before = done.lesion.mask()
    brush_everywhere(done, EditorLogic.ModificationModeAdd)
    np.testing.assert_array_equal(done.lesion.mask(), before)


def test_nothing_is_edited_while_the_worklist_is_made(told, answers, sarcoma, held):
    assert told.view_state.no_edit == ""  # there is no lesion yet
    told.run()
    a_result(told, answers, sarcoma)
    assert "still being made" in told.view_state.no_edit
    held()
    settled(told)
    assert "No region is chosen" in told.view_state.no_edit


def test_choosing_a_region_does_not_fuse_anything_again(done):
    done.pump(0.5)
    before = len(done.engine.of("rois")), len(done.engine.of("volume"))
    done.review.choose(1)
    done.pump(0.8)
    assert (len(done.engine.of("rois")), len(done.engine.of("volume"))) == before


def test_an_edit_renews_the_numbers_and_is_what_gamma_protects_from_then_on(done, sarcoma):
    done.accept_lesion()
    done.pump(0.5)
    was, before = len(done.engine.of("rois")), done.view_state.numbers
    mask = paint(done, np.s_[12:14, 20:30, 20:30])
    done.pump_until(lambda: len(done.engine.of("rois")) > was)
    np.testing.assert_array_equal(done.engine.last("rois").values["lesion"], mask)
    assert done.view_state.edited
    assert done.view_state.numbers[0]["value"] == f"{mask.sum() * sarcoma.grid.voxel_mm3 / 1000:.1f} mL" != before[0]
    assert done.view_state.fusion == "working"


def test_the_lesion_says_where_it_comes_from_and_which_voxels_a_reader_changed(told, run):
    assert (told.lesion.origin, told.lesion.mask(), told.lesion.node) == ("none", None, None)
    run()
    assert told.lesion.origin == "model"
    assert not told.lesion.corrected().any()
    paint(told, SECOND)
    told.pump_until(lambda: told.lesion.origin == "corrected")
    assert told.lesion.corrected().sum() == told.lesion.mask()[SECOND].size
    assert told.lesion.corrected(SECOND).all()
    assert told.lesion.provenance()["corrected_by_reader"]
    paint(told, SECOND, value=False)
    told.pump_until(lambda: told.lesion.origin == "model")
    assert not told.lesion.provenance()["corrected_by_reader"]


def test_the_lesion_protects_its_border_as_the_reader_says(done):
    assert done.lesion.protected() is None
    done.accept_lesion()
    np.testing.assert_array_equal(done.lesion.protected(), done.lesion.mask())
    done.set(protect_border=False)
    assert done.lesion.protected() is None


def test_the_border_is_free_when_the_reader_says_so(done):
    done.accept_lesion()
    done.set(protect_border=False)
    assert done.engine.last("rois").values["lesion"] is None
    count = len(done.engine.of("rois"))
    paint(done, np.s_[12:14, 20:30, 20:30])
    done.pump(0.5)
    assert len(done.engine.of("rois")) == count


def test_an_edit_inside_the_reach_makes_the_decision_a_correction_and_stays_one(done):
    done.review.choose(1)
    mask = paint(done, np.s_[9:10, 38:40, 22:24])  # a slice beyond the region
    done.review.decide()
    decision = done.review.current.decisions[1]
    assert (decision.status, decision.changed_voxels) == ("corrected", 4)
    assert "(+" in done.view_state.regions[0]["status"]
    done.review.choose(1)
    done.review.decide()
    assert done.review.current.status(1) == "corrected"
    np.testing.assert_array_equal(done.lesion.mask(), mask)


def test_what_was_decided_stays_at_a_rerun_also_when_its_region_is_gone_in_between(done, run):
    done.review.choose(1)
    edit = np.s_[9:10, 38:40, 22:24]
    paint(done, edit)
    paint(done, np.s_[5:7, 36:44, 20:30], False)
    done.review.decide()
    done.review.choose(2)
    done.review.decide()
    mask = done.lesion.mask()
    regions = done.review.current.worklist.labels > 0
    other = np.s_[4:12, 15:35, 10:30]
    run((other, FIRST, SECOND), ())  # sure of both places: they are in no list
    after = done.lesion.mask()
    np.testing.assert_array_equal(after[regions], mask[regions])
    assert after[edit].all()
    assert after[4, 15, 10]
    assert not after[4, 15, 39]
    assert done.view_state.edited
    assert done.view_state.regions == ()
    run()
    np.testing.assert_array_equal(done.lesion.mask()[regions], mask[regions])
    assert done.lesion.mask()[edit].all()


def test_what_was_skipped_is_the_networks_again_at_a_rerun(done, run):
    done.review.choose(1)
    paint(done, FIRST, False)
    done.review.decide(skip=True)
    run()
    assert done.lesion.mask()[FIRST].all()


def test_a_decision_is_still_listed_after_a_rerun_that_found_the_same_place(done, run):
    done.review.choose(1)
    done.review.decide()
    run()
    assert [row["state"] for row in done.view_state.regions] == ["accepted", "open"]
    assert done.view_state.region is None


def test_a_decision_that_a_later_edit_overtook_is_open_again_with_a_word(done, run):
    done.review.choose(1)
    done.review.decide()
    paint(done, FIRST, False)
    run()
    assert [row["state"] for row in done.view_state.regions] == ["open", "open"]
    assert done.view_state.message.sentence.startswith(
        "Region 1 is open again: after your decision the lesion was edited"
    )


def test_the_previous_contour_comes_back_on_demand(done, run):
    before = done.lesion.mask()
    run((np.s_[4:12, 15:35, 15:30],), ())
    done.restore_previous()
    done.pump_until(lambda: done.view_state.edited and not done.view_state.counting)
    np.testing.assert_array_equal(done.lesion.mask(), before)


def test_a_map_that_a_new_result_does_not_have_does_not_stay_from_the_last(done, answers, sarcoma):
    done.run()
    asked = [a for a in done.engine.waiting("segment") if a.progress][-1]
    prediction = answers["prediction"](asked, sarcoma, (CORE,))
    del prediction.uncertainty["mutual_information"]
    asked.give(prediction)
    done.pump()
    assert "mutual_information" not in done.nodes
    assert "predictive_entropy" in done.nodes


def test_an_engine_that_dies_again_and_again_is_left_alone(told):
    class DiedError(Exception):
        detail = "segmentation fault"

    for _ in range(5):
        told.engine_died(DiedError())
        told.pump()
    assert told.engine.starts == 3
    assert told.view_state.message.level == "error"
    assert [m.level for m in told.messages[:3]] == ["warning"] * 3
