"""What would drop corrections that are in no saved scene asks first."""

import numpy as np
import pytest
from DiffuFuseMedLib.mrml import segmentations

CORE, FIRST, IN_SECOND = np.s_[4:12, 15:35, 15:40], np.s_[5:9, 36:44, 20:30], np.s_[5:9, 8:14, 20:30]


def paint(session, box, value=True):
    mask = session.lesion.mask()
    mask[box] = value
    segmentations.set_mask(session.nodes["lesion"], "lesion", mask, session.nodes["CT"])
    session.pump()
    return mask


def run_again(session, answers, case):
    session.run()
    asked = [a for a in session.engine.waiting("segment") if a.progress][-1]
    asked.give(answers["prediction"](asked, case, (CORE,), ((FIRST, 0.6), (IN_SECOND, 0.4))))
    session.pump_until(lambda: session.view_state.run == "ready" and not session.view_state.listing)


WAYS = {
    "case": lambda session, case, folder: session.open_case(case),
    "folder": lambda session, case, folder: session.open(folder),
    "volumes": lambda session, case, folder: session.open_volumes(case.volumes, "again"),
    "scene": lambda session, case, folder: session.open_scene(folder / "x.mrb"),
    "earlier": lambda session, case, folder: session.bring_back(),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_would_drop_unsaved_corrections_asks_and_does_nothing_until_it_is_answered(done, sarcoma, tmp_path, way):
    before, mask = done.case_id, done.lesion.mask()
    assert done.view_state.unsaved
    WAYS[way](done, sarcoma, tmp_path)
    done.pump()
    assert "not saved" in done.view_state.question
    assert (done.case_id, done.view_state.loading) == (before, "")
    done.go_on()  # a host whose saving came to nothing
    assert (done.case_id, done.view_state.question != "") == (before, True)
    done.stay()
    assert done.view_state.question == ""
    done.go_on(discard=True)  # nothing is asked any more
    assert done.case_id == before
    np.testing.assert_array_equal(done.lesion.mask(), mask)


def test_discarded_corrections_go_and_the_other_case_is_opened(done, sarcoma):
    before = done.case_id
    done.open_case(sarcoma)
    done.go_on(discard=True)
    assert done.case_id != before and done.lesion.mask() is None
    assert (done.view_state.unsaved, done.view_state.question) == (False, "")


def test_once_saved_nothing_is_asked(done, sarcoma, tmp_path):
    done.open_case(sarcoma)
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    assert not done.view_state.unsaved
    before = done.case_id
    done.go_on()
    assert done.case_id != before


def test_what_is_saved_behind_is_saved_when_it_is_there_and_what_was_done_since_is_not(done, tmp_path):
    there = []
    assert done.persistence.save_scene_behind(tmp_path / "a.mrb", lambda: there.append(done.view_state.unsaved))
    assert done.view_state.unsaved
    done.pump_until(lambda: there)
    assert there == [False]
    assert done.persistence.save_scene_behind(tmp_path / "b.mrb", lambda: there.append(done.view_state.unsaved))
    paint(done, IN_SECOND)
    done.pump_until(lambda: len(there) == 2)
    assert there[1] and done.view_state.unsaved
    done.undo()
    assert not done.view_state.unsaved


def test_a_scene_that_could_not_be_saved_saved_nothing(done, tmp_path):
    assert not done.persistence.save_scene(tmp_path / "a.txt")
    assert done.view_state.unsaved


def test_a_result_alone_is_no_correction_but_an_edit_and_a_decision_are(told, answers, sarcoma):
    run_again(told, answers, sarcoma)
    assert not told.view_state.unsaved
    paint(told, IN_SECOND)
    assert told.view_state.unsaved
    told.undo()
    assert not told.view_state.unsaved
    told.review.choose(1)
    assert not told.view_state.unsaved
    told.review.decide()
    assert told.view_state.unsaved
    told.undo()
    assert not told.view_state.unsaved
    told.accept_lesion()
    assert told.view_state.unsaved


def test_decisions_that_a_new_result_keeps_stay_unsaved_and_saved_ones_saved(done, answers, sarcoma, tmp_path):
    run_again(done, answers, sarcoma)
    assert done.view_state.unsaved
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    run_again(done, answers, sarcoma)
    assert [row["state"] for row in done.view_state.regions] == ["corrected", "open"]
    assert not done.view_state.unsaved


def test_an_opened_scene_has_nothing_unsaved(done, tmp_path):
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    assert done.open_scene(tmp_path / "a.mrb")
    assert not done.view_state.unsaved
    paint(done, IN_SECOND)
    assert done.view_state.unsaved


def test_a_host_that_saves_the_scene_itself_has_saved_it(done):
    done.persistence.saved_by_host()
    assert not done.view_state.unsaved
    paint(done, IN_SECOND)
    assert done.view_state.unsaved
