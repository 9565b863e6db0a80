"""One image of the case registered or moved by hand: in the views at once, in case and engine once the hand rests."""

from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.pose import Pose
from DiffuFuseMedLib.mrml import volumes
from DiffuFuseMedLib.preprocessing.misfit import with_misfits
from DiffuFuseMedLib.preprocessing.placement import Placement, placed
from DiffuFuseMedLib.session import placement
from vtkmodules.vtkCommonMath import vtkMatrix4x4

CORE = np.s_[4:12, 15:35, 15:40]
LEFT = 0


@pytest.fixture
def opened(told, sarcoma, a_host, jump):
    """A session at the sarcoma, whose engine answers when told."""
    told.open_case(sarcoma)
    jump(told, sarcoma)
    told.engine.last("open").give()
    a_host.pump()
    return told


@pytest.fixture
def done(opened, answers, sarcoma):
    """After a run."""
    finish_run(opened, answers, sarcoma)
    return opened


def finish_run(session, answers, case):
    session.run()
    asked = session.engine.last("segment")
    asked.give(answers["prediction"](asked, case, (CORE,)))
    session.pump()


def rest(session):
    """The hand rests, and the engine has taken the moved case."""
    count = len(session.engine.of("reopen"))
    session.pump_until(lambda: len(session.engine.of("reopen")) > count)
    session.engine.last("reopen").give()
    session.pump()


def shown_at(node):
    """The node's transform to the world, RAS."""
    matrix = vtkMatrix4x4()
    node.GetParentTransformNode().GetMatrixTransformToWorld(matrix)
    return np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])


def test_the_views_show_a_nudged_image_at_once_and_its_voxels_stay(opened, sarcoma):
    opened.placement.nudge("PET", LEFT, 6.0)
    node = opened.nodes["PET"]
    np.testing.assert_allclose(shown_at(node)[:3, 3], (-6, 0, 0))  # RAS, where the left is negative
    np.testing.assert_array_equal(volumes.array_of(node), sarcoma.volumes["PET"].array)
    assert opened.case is sarcoma  # until the hand rests


def test_case_and_engine_have_it_once_the_hand_rests_under_the_same_id(opened, sarcoma):
    before = opened.case_id
    for mm in (1.0, 2.0, 6.0):
        opened.placement.nudge("PET", LEFT, mm)
    rest(opened)
    expected = placed(sarcoma, Placement({}, {"PET": (6, 0, 0, 0, 0, 0)}))
    [sent] = opened.engine.of("reopen")
    for case in (opened.case, sent.values["case"]):
        np.testing.assert_array_equal(case.volumes["PET"].array, expected.volumes["PET"].array)
    assert opened.case_id == before == sent.values["case_id"]
    assert "moved, MI" in opened.view_state.alignment
    assert any("PET: moved by the reader by hand: 6.0 mm to the left." in line for line in opened.view_state.quality)


def test_a_nudge_is_one_step_of_the_history_and_reset_another(opened, sarcoma):
    opened.placement.nudge("PET", LEFT, 6.0)
    opened.placement.reset("PET")  # at once: a press of a button is no part of a drag
    rest(opened)
    assert opened.case.volumes["PET"] is sarcoma.volumes["PET"]
    assert opened.nodes["PET"].GetParentTransformNode() is None and "pose PET" not in opened.nodes
    opened.undo()
    assert opened.parameters.moved == {"PET": (6.0, 0, 0, 0, 0, 0)}
    opened.undo()
    rest(opened)
    assert opened.parameters.moved == {} and opened.case.volumes["PET"] is sarcoma.volumes["PET"]


def test_a_result_from_before_is_stale_until_the_image_is_back(done):
    assert done.view_state.run == "ready"
    done.placement.nudge("MR_T1", 3, 5.0)
    assert done.view_state.run == "stale"
    rest(done)
    assert done.view_state.run == "stale"
    done.undo()
    assert done.view_state.run == "ready"


def test_a_result_of_the_moved_image_says_where_it_lay(done, answers, sarcoma):
    done.placement.nudge("PET", LEFT, 6.0)
    rest(done)
    finish_run(done, answers, sarcoma)
    assert done.view_state.run == "ready"
    still, moved = [0.0] * 6, [6.0, 0, 0, 0, 0, 0]
    assert done.prediction.provenance["moved_images"] == {"PET": [still, moved]}


def test_a_run_waits_for_the_image_to_land(opened):
    opened.placement.nudge("PET", LEFT, 6.0)
    opened.run()
    assert not opened.engine.of("segment")
    rest(opened)
    assert opened.engine.last("segment")
    asked = [one.kind for one in opened.engine.asked]
    assert asked.index("reopen") < asked.index("segment")


def test_nothing_is_drawn_of_the_old_place_meanwhile_and_all_afterwards(opened):
    for asked in opened.engine.waiting("slice"):
        asked.fail("superseded")
    opened.pump()
    opened.placement.nudge("MR_T1", LEFT, 6.0)
    drawn = len(opened.engine.of("slice"))
    opened.fusion.draw_shown()
    assert len(opened.engine.of("slice")) == drawn and opened.view_state.fusion == "working"
    rest(opened)
    assert len(opened.engine.of("slice")) > drawn


@pytest.fixture
def registering(monkeypatch):
    """Registrations end at once: test_placement.py of the preprocessing has the real one."""
    found = SimpleNamespace(notes=("it was a close call",))
    monkeypatch.setattr(placement, "registration_pose", lambda case, key: (Pose(-5.0, 1.0, 0.0, 2.0), found))


def test_a_registration_takes_the_hand_s_place_and_can_be_undone(opened, registering):
    opened.placement.nudge("MR_T1", LEFT, 6.0)
    opened.placement.register("MR_T1")
    assert opened.view_state.placing == "registering MR_T1 to CT"
    rest(opened)
    assert opened.view_state.placing == "" and "MR_T1: registered, 5.0 mm to the right" in opened.messages[-1].sentence
    assert opened.messages[-1].sentence.endswith("it was a close call.")
    assert opened.view_state.undo_words == "a change of an image's place"
    assert opened.parameters.registered == {"MR_T1": (-5.0, 1, 0, 2, 0, 0)} and opened.parameters.moved == {}
    assert any("registered to CT by the reader's wish" in line for line in opened.view_state.quality)
    opened.undo()
    assert opened.parameters.registered == {} and opened.parameters.moved["MR_T1"][LEFT] == 6.0


def test_a_registration_that_was_stopped_changes_nothing(opened, registering):
    opened.placement.register("MR_T1")
    opened.placement.stop_registering()
    opened.pump()
    assert opened.parameters.registered == {} and opened.view_state.placing == ""


@pytest.mark.parametrize(("key", "number", "value"), [("CT", 0, 1.0), ("US", 0, 1.0), ("PET", 6, 1.0), ("PET", 0, 1e9)])
def test_what_cannot_be_moved_is_refused(opened, key, number, value):
    with pytest.raises(InputError):
        opened.placement.nudge(key, number, value)
    assert opened.parameters.moved == {}


def test_without_a_case_nothing_is_moved(told):
    told.forget()
    with pytest.raises(InputError, match="open a case first"):
        told.placement.nudge("PET", 0, 1.0)


def test_an_image_out_of_the_case_is_told_of_and_the_case_stays(opened, sarcoma):
    opened.placement.nudge("PET", LEFT, 499.0)
    opened.pump_until(lambda: opened.view_state.message is not None)
    assert "PET moved out of the case" in opened.view_state.message.sentence
    assert opened.case is sarcoma


def test_a_misfit_is_on_screen_and_goes_when_the_image_is_moved_back(told, sarcoma, jump):
    away = with_misfits(placed(sarcoma, Placement({}, {"MR_T1": (0, 16, 0, 0, 0, 0)})))
    told.open_case(away)
    assert any("MR_T1 does not seem to lie on CT" in doubt for doubt in told.view_state.doubts)
    told.placement.nudge("MR_T1", 1, -16.0)
    rest(told)
    assert not any("MR_T1 does not seem" in doubt for doubt in told.view_state.doubts)


def test_a_saved_scene_has_the_image_where_it_was_moved_and_its_way_back(opened, sarcoma, tmp_path):
    opened.placement.nudge("PET", LEFT, 6.0)
    rest(opened)
    moved = opened.case.volumes["PET"].array
    assert opened.persistence.save_scene(tmp_path / "a.mrb")
    opened.forget()
    opened.scene.Clear(False)
    assert opened.open_scene(tmp_path / "a.mrb")
    np.testing.assert_allclose(opened.case.volumes["PET"].array, moved, atol=1e-5)
    np.testing.assert_allclose(shown_at(opened.nodes["PET"])[:3, 3], (-6, 0, 0))
    opened.placement.reset("PET")
    rest(opened)
    np.testing.assert_array_equal(opened.case.volumes["PET"].array, sarcoma.volumes["PET"].array)


def test_another_case_starts_where_it_was_opened(opened, sarcoma):
    opened.placement.nudge("PET", LEFT, 6.0)
    opened.open_case(sarcoma)
    assert opened.parameters.moved == {} and opened.nodes["PET"].GetParentTransformNode() is None
    opened.pump(0.6)
    assert not opened.engine.of("reopen")


def test_an_engine_that_died_gets_the_moved_case_once_more(opened):
    opened.placement.nudge("PET", LEFT, 6.0)
    opened.pump_until(lambda: opened.engine.of("reopen"))
    opened.engine.last("reopen").fail("died")
    opened.pump_until(lambda: len(opened.engine.of("reopen")) == 2)
