"""The live fusion, with an engine that answers when told: what is on screen is never called newer than it is."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.mrml import volumes
from DiffuFuseMedLib.mrml.nodes import provenance
from DiffuFuseMedLib.mrml.views import shown_slices
from DiffuFuseMedLib.preprocessing.gray import ct_gray
from DiffuFuseMedLib.session import Topic
from DiffuFuseMedLib.session.fusion import EARLIER, UNFUSED


def shown(session, role="fused"):
    return volumes.array_of(session.nodes[role])


def answer_slices(session, answers, case, value):
    """All slices on their way; returns what they were asked."""
    waiting = session.engine.waiting("slice")
    for asked in waiting:
        asked.give(answers["picture"](asked, case, value))
    session.pump()
    return waiting


def answer_volume(session, answers, case, value):
    session.pump_until(lambda: session.engine.waiting("volume"))
    session.engine.last("volume").give(answers["volume"](case, value))
    session.pump()


@pytest.fixture
def settled(told, answers, sarcoma):
    """Slices and volume are there, all of 0.5."""
    answer_slices(told, answers, sarcoma, 0.5)
    answer_volume(told, answers, sarcoma, 0.5)
    assert told.view_state.fusion == "ready"
    return told


def test_the_three_slices_on_screen_are_asked_for_before_the_volume(told, answers, sarcoma):
    k, j, i = (n // 2 for n in sarcoma.grid.shape)
    asked = told.engine.waiting("slice")
    assert {a.values["where"] for a in asked} == {("axial", k), ("coronal", j), ("sagittal", i)}
    assert {a.values["uncertainty"] for a in asked} == {False}
    assert told.engine.of("volume") == []
    assert list(told.fusion.stale_views().values()) == [UNFUSED] * 3
    answer_slices(told, answers, sarcoma, 0.25)
    assert told.fusion.stale_views() == {}
    assert told.view_state.fusion == "working"
    assert (shown(told)[k] == 0.25).all()
    gray = ct_gray(sarcoma.volumes["CT"], sarcoma.valid["CT"], told.parameters.ct_window_hu)
    np.testing.assert_array_equal(shown(told)[k - 1, :j, :i], gray[k - 1, :j, :i])  # until it is fused


def test_rough_slices_are_drawn_again_once_the_engine_knows_better(told, answers, sarcoma):
    first = told.engine.waiting("slice")
    for asked in first:
        asked.give(replace(answers["picture"](asked, sarcoma, 0.25), rough=asked.values["where"][0] != "axial"))
    told.pump_until(lambda: told.engine.waiting("volume"))
    progress = told.engine.last("volume").progress
    progress(0.0, "finding soft tissue and bone", None)
    told.pump()
    assert told.engine.waiting("slice") == []
    progress(0.01, "axial slices", None)
    told.pump()
    again = answer_slices(told, answers, sarcoma, 0.75)
    assert {asked.values["where"][0] for asked in again} == {"coronal", "sagittal"}
    progress(0.02, "axial slices", None)
    told.pump()
    assert told.engine.waiting("slice") == []
    assert np.isclose(shown(told)[:, sarcoma.grid.shape[1] // 2], 0.75).mean() > 0.9


def test_the_volume_comes_once_the_hand_is_quiet_and_replaces_the_slices(told, answers, sarcoma):
    answer_slices(told, answers, sarcoma, 0.25)
    told.pump(0.2)
    told.set(alpha=0.3)
    told.pump(0.25)
    assert told.engine.of("volume") == []
    answer_volume(told, answers, sarcoma, 0.75)
    assert told.engine.last("volume").values["settings"]["alpha"] == 0.3
    assert (shown(told) == 0.75).all()
    assert (shown(told, "fusion_uncertainty") == 0.375).all()
    assert (told.view_state.fusion, told.fusion.stale_views()) == ("ready", {})
    assert provenance(told.nodes["fused"])["student"] == {"id": "told"}


def test_only_the_newest_values_of_a_drag_follow(settled):
    for alpha in (0.1, 0.2, 0.3, 0.4):
        settled.set(alpha=alpha)
    asked = settled.engine.waiting("slice")
    assert [a.values["settings"]["alpha"] for a in asked] == [0.1] * 3


def test_what_an_older_setting_drew_is_shown_but_named_stale_until_the_newest_is_there(settled, answers, sarcoma):
    settled.set(alpha=0.1)
    settled.set(alpha=0.2)
    answer_slices(settled, answers, sarcoma, 0.1)
    assert shown(settled)[8, 0, 0] == np.float32(0.1)
    assert list(settled.fusion.stale_views().values()) == [EARLIER] * 3
    asked = answer_slices(settled, answers, sarcoma, 0.2)
    assert [a.values["settings"]["alpha"] for a in asked] == [0.2] * 3
    assert settled.fusion.stale_views() == {}


def test_a_volume_of_older_settings_is_never_shown(settled, answers, sarcoma):
    settled.set(alpha=0.1)
    answer_slices(settled, answers, sarcoma, 0.1)
    settled.pump_until(lambda: settled.engine.waiting("volume"))
    old = settled.engine.last("volume")
    settled.set(alpha=0.2)
    answer_slices(settled, answers, sarcoma, 0.2)
    old.give(answers["volume"](sarcoma, 0.1))
    settled.pump()
    assert settled.view_state.fusion == "working"
    assert shown(settled)[0, 0, 0] == 0.5
    assert shown(settled)[8, 0, 0] == np.float32(0.2)


def test_while_the_volume_is_a_mixture_it_has_neither_provenance_nor_doubt(settled, tmp_path):
    settled.set(alpha=0.1)
    assert "student" not in provenance(settled.nodes["fused"])
    assert not shown(settled, "fusion_uncertainty").any()
    assert not settled.persistence.export_behind("fused.nrrd", tmp_path / "a.fused.nrrd", lambda: None)
    assert "not finished" in settled.view_state.message.sentence


def test_scrolling_draws_the_slice_scrolled_to_unless_the_volume_has_it(settled, answers, sarcoma, jump):
    before = len(settled.engine.of("slice"))
    jump(settled, sarcoma, (2, 20, 20))
    assert len(settled.engine.of("slice")) == before
    settled.set(alpha=0.1)
    first = {a.values["view"]: a for a in settled.engine.waiting("slice")}
    jump(settled, sarcoma, (4, 20, 20))
    assert len(settled.engine.waiting("slice")) == 3  # one a view at a time
    answer_slices(settled, answers, sarcoma, 0.1)
    assert [a.values["where"] for a in settled.engine.waiting("slice")] == [("axial", 4)]
    assert {a.values["where"] for a in first.values()} == {("axial", 2), ("coronal", 20), ("sagittal", 20)}


def test_an_oblique_view_is_stale_until_the_volume_is_there(settled, answers, sarcoma):
    view = shown_slices(settled.scene)[0]
    view.GetSliceToRAS().SetElement(0, 2, 0.5)
    view.UpdateMatrices()
    assert settled.fusion.stale_views() == {}
    settled.set(alpha=0.1)
    answer_slices(settled, answers, sarcoma, 0.1)
    assert settled.fusion.stale_views() == {view.GetID(): EARLIER}


def test_a_slice_of_the_case_before_is_not_drawn_into_the_next(settled, answers, sarcoma):
    settled.set(alpha=0.1)
    late = settled.engine.waiting("slice")
    small = sarcoma.cropped((0, 0, 0), (8, 40, 40))
    settled.open_case(small)
    assert all(asked.cancelling for asked in late)
    for asked in late:
        asked.give(answers["picture"](asked, sarcoma, 0.9))
    settled.pump()
    assert not (shown(settled) == np.float32(0.9)).all(axis=(1, 2)).any()
    assert settled.messages == []


def test_a_case_without_mr_asks_for_nothing_however_it_is_scrolled(told, sarcoma, jump):
    case = sarcoma.only(("CT", "PET"))
    told.open_case(case)
    before = len(told.engine.asked)
    jump(told, case, (3, 5, 6))
    told.set(alpha=0.2)
    told.pump(0.5)
    assert told.engine.asked[before:] == []
    assert (told.view_state.fusion, told.view_state.fusion_words) == ("none", "not fused: the case has no MR")
    assert told.parameters.background == "CT"
    assert told.messages == []


def test_an_engine_that_died_of_a_slice_is_asked_again_twice_at_most(told):
    for times in (3, 6, 9):
        told.pump_until(lambda times=times: len(told.engine.of("slice")) == times)
        for asked in told.engine.waiting("slice"):
            asked.fail("died")
        told.pump()
        assert told.view_state.fusion == "stale"
    told.pump(0.8)
    assert len(told.engine.of("slice")) == 9


def test_a_picture_in_between_lets_it_be_asked_again(told, answers, sarcoma):
    for _ in range(4):
        told.pump_until(lambda: told.engine.waiting("slice"))
        told.engine.waiting("slice")[0].fail("died")
        answer_slices(told, answers, sarcoma, 0.3)
    told.pump_until(lambda: told.engine.waiting("slice"))


def test_a_lesion_that_a_dying_engine_did_not_take_is_sent_again(told, lesion):
    told.fusion.protect(lesion)
    told.engine.last("rois").fail("died")
    told.pump_until(lambda: len(told.engine.of("rois")) == 2)
    assert told.engine.last("rois").values["lesion"] is lesion
    told.engine.last("rois").give()
    told.pump(0.8)
    assert len(told.engine.of("rois")) == 2


def test_a_case_that_a_dying_engine_did_not_take_is_sent_once_more(told, sarcoma):
    told.open_case(sarcoma)
    first = told.case_id
    told.engine.last("open").fail("died")
    told.pump()
    assert told.case_id != first
    assert told.engine.last("open").values["case"] is sarcoma
    count = len(told.engine.of("open"))
    told.engine.last("open").fail("died")
    told.pump(0.1)
    assert len(told.engine.of("open")) == count


def test_an_error_says_that_the_picture_is_of_earlier_settings(settled):
    settled.set(guided=True)
    for asked in settled.engine.waiting("slice"):
        asked.fail("input")
    settled.pump()
    assert (settled.view_state.fusion, settled.view_state.message.level) == ("stale", "error")


def test_progress_of_the_volume_is_shown_and_that_of_an_older_one_is_not(settled, answers, sarcoma):
    settled.set(alpha=0.1)
    answer_slices(settled, answers, sarcoma, 0.1)
    settled.pump_until(lambda: settled.engine.waiting("volume"))
    volume = settled.engine.last("volume")
    volume.progress(0.4, "coronal slices", 3.0)
    settled.pump()
    assert (settled.view_state.fusion_share, settled.view_state.fusion_words) == (
        0.4,
        "refining the volume: coronal slices",
    )
    settled.set(alpha=0.2)
    assert settled.view_state.fusion_share == 0  # the next one has not begun
    volume.progress(0.5, "sagittal slices", 3.0)
    settled.pump()
    assert "sagittal" not in settled.view_state.fusion_words


def test_the_view_that_the_reader_works_in_is_asked_for_and_shown_first(settled, answers, sarcoma):
    views = [node.GetID() for node in shown_slices(settled.scene)]
    settled.fusion.go_first(views[2])
    settled.set(alpha=0.1)
    asked = settled.engine.waiting("slice")
    assert [a.values["view"] for a in asked] == [views[2], views[0], views[1]]
    told = []
    settled.listen(lambda _: told.append(set(settled.fusion.stale_views())), Topic.FUSION)
    asked[0].give(answers["picture"](asked[0], sarcoma, 0.1))
    settled.pump_until(lambda: told)
    assert told == [set(views[:2])]  # it waits for none of the others
    for one in asked[1:]:
        one.give(answers["picture"](one, sarcoma, 0.1))
    settled.pump_until(lambda: len(told) > 1)
    assert told[1:] == [set()]  # which come together


def test_three_pictures_that_come_at_once_are_one_change_of_the_scene(settled, answers, sarcoma):
    changes = []
    node = settled.nodes["fused"]
    tag = node.AddObserver("ModifiedEvent", lambda *_: changes.append(1))
    settled.set(alpha=0.1)
    changes.clear()  # its provenance has changed
    answer_slices(settled, answers, sarcoma, 0.1)
    node.RemoveObserver(tag)
    assert len(changes) == 1
    assert settled.fusion.stale_views() == {}


def test_what_the_fused_picture_cannot_show_is_said_beside_it(settled):
    assert any("marrow" in words for words in settled.view_state.fusion_limits)


def test_nothing_is_drawn_after_the_end(settled, answers, sarcoma):
    settled.set(alpha=0.1)
    waiting, before = settled.engine.waiting("slice"), shown(settled).copy()
    settled.close()
    for asked in waiting:
        asked.give(answers["picture"](asked, sarcoma, 0.9))
    settled.pump(0.6)
    np.testing.assert_array_equal(shown(settled), before)
    assert len(settled.engine.of("volume")) == 1
    assert settled.engine.closed
