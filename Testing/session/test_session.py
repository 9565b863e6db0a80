"""The whole story with the real engine: its process, its networks (untrained, small) and the real case."""

import time

import numpy as np
import psutil
import pytest
from DiffuFuseMedLib.mrml import segmentations, volumes
from DiffuFuseMedLib.mrml.nodes import provenance
from DiffuFuseMedLib.session import Topic, engine_restart

SETTLED_S = 300


@pytest.fixture(scope="module")
def session(at_work):
    """At the sarcoma, fused."""
    session = at_work()
    settle(session)
    return session


def settle(session):
    """Until slices and volume are of the present settings."""
    session.pump_until(lambda: session.view_state.fusion == "ready" and not session.view_state.counting, SETTLED_S)


def finish(session):
    """Until the run, its reasons and the fusion that follows it are done."""
    view_state = session.view_state
    session.pump_until(
        lambda: view_state.run == "ready" and not view_state.explaining and view_state.numbers, SETTLED_S
    )
    session.pump(0.4)
    settle(session)
    return session


@pytest.fixture
def done(session):
    """With a result."""
    if session.prediction is None:
        session.run()
    return finish(session)


def fused(session):
    return volumes.array_of(session.nodes["fused"]).copy()


def test_slices_come_before_the_volume_and_are_its_picture_later(session):
    drawn = []
    session.listen(lambda _: drawn.append(len(session.fusion.stale_views())), Topic.FUSION)
    session.set(alpha=0.2)
    session.pump_until(lambda: 0 in drawn, SETTLED_S)
    assert session.view_state.fusion == "working"
    assert drawn[0] == 3 and drawn[-1] == 0
    sliced = fused(session)[8]
    settle(session)
    assert np.abs(fused(session)[8] - sliced).mean() < 0.1
    assert provenance(session.nodes["fused"])["alpha"] == 0.2


def test_a_drag_ends_at_the_last_value(session):
    before = fused(session)
    session.hold()
    for alpha in np.linspace(0.2, 1.0, 9):
        session.set(alpha=float(alpha))
        session.pump(0.02)
    session.hold(False)
    settle(session)
    made = provenance(session.nodes["fused"])
    assert (made["alpha"], made["seed"]) == (1.0, 0)
    assert np.abs(fused(session) - before).max() > 0.01
    session.undo()
    assert session.parameters.alpha == 0.2
    settle(session)
    np.testing.assert_allclose(fused(session), before, atol=1e-3)


def test_a_run_brings_lesion_maps_gates_numbers_and_a_list_with_reasons(done):
    view_state = done.view_state
    assert sum(view_state.gates.values()) == pytest.approx(1)
    assert view_state.numbers[0]["label"] == "Volume"
    assert done.lesion.mask().any()
    assert {"predictive_entropy", "expected_entropy", "mutual_information"} <= set(done.nodes)
    assert view_state.regions
    assert all(row["why"] for row in view_state.regions)
    assert done.messages == []


def test_the_lesion_changes_the_picture_only_once_accepted_and_is_taken_out_again(done, lesion):
    bare = fused(done).copy()
    done.accept_lesion()
    settle(done)
    protected = fused(done).copy()
    done.set(protect_border=False)
    settle(done)
    assert np.abs(fused(done) - protected).max() > 1e-3
    np.testing.assert_array_equal(fused(done), bare)
    done.set(protect_border=True)
    settle(done)
    np.testing.assert_allclose(fused(done), protected, atol=1e-3)


def test_an_edit_is_in_the_next_fusion(done, lesion):
    done.accept_lesion()
    settle(done)
    before = fused(done)
    was = done.lesion.mask()
    segmentations.set_mask(done.nodes["lesion"], "lesion", lesion, done.nodes["CT"])
    done.pump_until(lambda: done.view_state.fusion == "working")
    settle(done)
    assert done.view_state.edited
    assert np.abs(fused(done) - before).max() > 1e-3
    segmentations.set_mask(done.nodes["lesion"], "lesion", was, done.nodes["CT"])
    done.pump_until(lambda: not done.view_state.edited)
    settle(done)
    np.testing.assert_allclose(fused(done), before, atol=1e-3)


def test_a_cancelled_run_stops_and_the_next_one_works(done):
    before = done.lesion.mask()
    done.set(samples=64)
    done.run()
    done.pump_until(lambda: done.view_state.run_share > 0, SETTLED_S)
    done.cancel()
    done.pump_until(lambda: done.view_state.run != "working", SETTLED_S)
    assert (done.view_state.run, done.view_state.run_words) == ("stale", "cancelled")
    np.testing.assert_array_equal(done.lesion.mask(), before)
    done.set(samples=2)
    assert done.view_state.run == "ready"
    done.run()
    finish(done)
    np.testing.assert_array_equal(done.lesion.mask(), before)


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_run_goes_before_the_refinement_which_is_done_afterwards(done, cancelled):
    done.set(alpha=0.31 if cancelled else 0.32)
    done.pump_until(lambda: done.view_state.fusion_share > 0 and "refining" in done.view_state.fusion_words, SETTLED_S)
    done.set(samples=64 if cancelled else 2)
    done.run()
    done.pump_until(lambda: done.view_state.run_share > 0, SETTLED_S)
    assert done.view_state.fusion == "working"
    done.cancel() if cancelled else None
    done.pump_until(lambda: done.view_state.run != "working", SETTLED_S)
    assert done.view_state.fusion == "working"  # also where the run took longer than all of the fusion
    settle(done)
    assert provenance(done.nodes["fused"])["alpha"] == done.parameters.alpha
    done.set(samples=2)


def test_switching_a_modality_off_runs_without_it_and_on_again_brings_the_result_back(done):
    before = done.lesion.mask()
    done.switch("PET", False)
    finish(done)
    assert "PET" not in done.view_state.gates
    assert done.view_state.change.startswith("without PET: ")
    done.switch("PET", True)
    finish(done)
    assert done.view_state.change.startswith("with all modalities")
    np.testing.assert_array_equal(done.lesion.mask(), before)


def test_save_clear_open_goes_on_where_it_was(done, tmp_path):
    parameters, mask, picture = done.parameters, done.lesion.mask(), fused(done)
    done.review.choose(1)
    done.review.decide()
    rows, numbers = done.view_state.regions, done.view_state.numbers
    assert done.persistence.save_scene(tmp_path / "a.mrb")
    done.forget()
    done.scene.Clear(False)
    assert done.open_scene(tmp_path / "a.mrb")
    settle(done)
    assert done.parameters == parameters
    assert (done.view_state.regions, done.view_state.numbers) == (rows, numbers)
    np.testing.assert_array_equal(fused(done), picture)
    np.testing.assert_array_equal(done.lesion.mask(), mask)
    done.set(beta=0.11)
    settle(done)
    assert provenance(done.nodes["fused"])["beta"] == 0.11
    done.undo() if done.view_state.can_undo else None
    done.run()
    finish(done)
    np.testing.assert_array_equal(done.lesion.mask(), mask)
    assert done.view_state.regions[0]["state"] == "accepted"


def test_an_engine_killed_in_the_middle_of_a_run_is_started_again_and_nothing_is_lost(done):
    mask, picture, pid = done.lesion.mask(), fused(done), done.engine.pid
    done.set(samples=64)
    done.run()
    done.pump_until(lambda: done.view_state.run_share > 0, SETTLED_S)
    done.messages.clear()
    psutil.Process(pid).kill()
    done.pump_until(lambda: done.view_state.run != "working", SETTLED_S)
    done.pump_until(lambda: done.engine.pid not in (None, pid), SETTLED_S)
    assert (done.view_state.run, done.view_state.run_words) == ("stale", "failed")
    done.pump_until(lambda: done.messages[-1].sentence == engine_restart.WORKS, SETTLED_S)
    assert [message.sentence for message in done.messages] == [engine_restart.STOPPED, engine_restart.WORKS]
    np.testing.assert_array_equal(done.lesion.mask(), mask)
    np.testing.assert_array_equal(fused(done), picture)
    done.set(samples=2)
    done.run()
    finish(done)
    np.testing.assert_array_equal(done.lesion.mask(), mask)


def test_an_engine_killed_in_the_middle_of_a_fusion_draws_it_with_the_next(done):
    settle(done)
    done.set(alpha=0.55)
    done.pump_until(lambda: done.view_state.fusion_share > 0 and "refining" in done.view_state.fusion_words, SETTLED_S)
    psutil.Process(done.engine.pid).kill()
    done.pump_until(lambda: done.view_state.fusion == "stale", SETTLED_S)
    settle(done)
    assert provenance(done.nodes["fused"])["alpha"] == 0.55
    protected = fused(done)
    done.fusion.follow()
    settle(done)
    np.testing.assert_allclose(fused(done), protected, atol=1e-3)


def test_an_engine_killed_before_it_had_the_lesion_gets_it_all_the_same(done, lesion):
    done.accept_lesion()
    settle(done)
    engine = psutil.Process(done.engine.pid)
    engine.suspend()
    segmentations.set_mask(done.nodes["lesion"], "lesion", lesion, done.nodes["CT"])
    done.pump_until(lambda: done.view_state.edited and not done.view_state.counting)
    engine.kill()
    settle(done)
    after = fused(done)
    done.fusion.protect(done.lesion.mask())
    settle(done)
    np.testing.assert_allclose(fused(done), after, atol=1e-3)


def test_an_engine_killed_while_it_opens_a_case_gets_it_again(at_work):
    session = at_work()
    psutil.Process(session.engine.pid).kill()
    settle(session)
    assert "student" in provenance(session.nodes["fused"])
    close(session)


def close(session):
    """The end leaves nothing behind, even in the middle of work."""
    session.set(alpha=0.01)
    session.run()
    process, folder = psutil.Process(session.engine.pid), session.engine.parent_folder
    assert list(folder.iterdir())
    session.close()
    end = time.monotonic() + 5
    while process.is_running() and process.status() != "zombie" and time.monotonic() < end:
        time.sleep(0.02)
    assert not psutil.pid_exists(process.pid) or process.status() == "zombie"
    assert list(folder.iterdir()) == []
    session.pump(0.6)
