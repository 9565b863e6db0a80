"""One history: lesion, mask of the region, region, status and decision go back together, and forth again."""

import numpy as np
import pytest
from DiffuFuseMedLib.mrml import editing, segmentations

# Of conftest's `done`: two regions in doubt, the first corrected by one stroke, the editor held to the second.
IN_FIRST, IN_SECOND = np.s_[7:9, 36:44, 20:30], np.s_[5:9, 8:14, 20:30]


def paint(session, box, value=True):
    """A stroke, as a tool leaves it in the scene, and the turn of the loop after it."""
    mask = session.lesion.mask()
    mask[box] = value
    segmentations.set_mask(session.nodes["lesion"], "lesion", mask, session.nodes["CT"])
    session.pump()
    return mask


def outside(session):
    return segmentations.mask_of(session.nodes["lesion"], editing.OUTSIDE, session.nodes["CT"])


def state(session):
    """All that has to go back together."""
    view_state = session.view_state
    rows = [(row["state"], row["status"]) for row in view_state.regions]
    decisions = dict(session.review.current.decisions)
    limits = None if view_state.region is None else outside(session).tobytes()
    return session.lesion.mask().tobytes(), view_state.region, limits, rows, view_state.progress, decisions


def test_undo_takes_back_a_stroke_and_shows_nothing_outside_the_region(done):
    before = state(done)
    paint(done, IN_SECOND)
    assert (done.view_state.undo_words, state(done) == before) == ("an edit of the lesion", False)
    done.undo()
    assert state(done) == before
    display = done.nodes["lesion"].GetDisplayNode()
    assert not display.GetSegmentVisibility(editing.OUTSIDE)
    assert editing.is_restricted(done.review.editor_node, done.nodes["lesion"])


def test_undo_in_a_later_region_goes_back_to_the_region_of_the_stroke_with_its_own_limits(done):
    done.review.choose(1)
    first = state(done)
    paint(done, IN_FIRST, False)
    painted = state(done)
    done.review.choose(2)
    assert (outside(done).tobytes(), done.view_state.region) != (first[2], 1)
    done.undo()
    assert state(done) == first
    assert (outside(done) == ~done.review._reach(1)).all()
    done.review.choose(2)
    done.redo()
    assert state(done) == painted
    assert (outside(done) == ~done.review._reach(1)).all()


def test_undo_after_accept_opens_the_region_again_and_then_takes_back_its_stroke(done):
    begun = state(done)
    painted = paint(done, IN_SECOND)
    drawn = state(done)
    done.review.decide()
    decided = state(done)
    assert done.view_state.regions[1]["status"].startswith("corrected (+")
    done.undo()
    assert state(done) == drawn
    assert done.view_state.regions[1]["status"] == "open"
    done.undo()
    assert state(done) == begun
    done.redo()
    done.redo()
    assert state(done) == decided
    np.testing.assert_array_equal(done.lesion.mask(), painted)


def test_a_region_accepted_after_an_undo_is_not_a_correction(done):
    paint(done, IN_SECOND)
    done.undo()
    done.review.decide()
    assert done.review.current.status(2) == "accepted"


def test_a_stroke_that_nobody_has_counted_yet_is_undone_as_well(done):
    before = done.lesion.mask()
    mask = before.copy()
    mask[IN_SECOND] = True
    segmentations.set_mask(done.nodes["lesion"], "lesion", mask, done.nodes["CT"])
    done.undo()
    np.testing.assert_array_equal(done.lesion.mask(), before)
    done.redo()
    np.testing.assert_array_equal(done.lesion.mask(), mask)


def test_a_decision_right_after_a_stroke_is_a_step_of_its_own(done):
    begun, mask = state(done), done.lesion.mask()
    mask[IN_SECOND] = True
    segmentations.set_mask(done.nodes["lesion"], "lesion", mask, done.nodes["CT"])
    done.review.decide()  # before the loop has had a turn
    done.pump()
    assert done.view_state.undo_words == "a decision"
    done.undo()
    np.testing.assert_array_equal(done.lesion.mask(), mask)
    done.undo()
    assert state(done) == begun


def test_numbers_and_the_protected_border_follow_an_undo(done):
    done.accept_lesion()  # or nothing holds its border
    numbers = done.view_state.numbers
    paint(done, IN_SECOND)
    done.pump_until(lambda: done.view_state.numbers != numbers and not done.view_state.counting)
    done.undo()
    done.pump_until(lambda: not done.view_state.counting and done.view_state.numbers == numbers)
    np.testing.assert_array_equal(done.engine.last("rois").values["lesion"], done.lesion.mask())


def test_sliders_and_strokes_are_undone_in_the_order_in_which_they_were_done(done):
    alpha, before = done.parameters.alpha, done.lesion.mask()
    done.set(alpha=0.11)
    mask = paint(done, IN_SECOND)
    done.set(alpha=0.22)
    steps = done.view_state.steps
    done.undo()
    assert (done.parameters.alpha, done.view_state.steps) == (0.11, steps - 1)
    np.testing.assert_array_equal(done.lesion.mask(), mask)
    done.undo()
    np.testing.assert_array_equal(done.lesion.mask(), before)
    assert done.parameters.alpha == 0.11
    done.undo()
    assert (done.parameters.alpha, done.view_state.redo_words) == (alpha, "a change of alpha")


def test_choosing_a_region_is_no_step(done):
    steps = done.view_state.steps
    done.review.next()
    done.review.previous()
    done.pump()
    assert done.view_state.steps == steps


def test_another_step_after_an_undo_leaves_nothing_to_redo(done):
    paint(done, IN_SECOND)
    done.undo()
    assert done.view_state.can_redo
    paint(done, IN_FIRST, False)
    assert (done.view_state.can_redo, done.view_state.redo_words) == (False, "")


def test_a_new_result_keeps_the_sliders_steps_alone(done, answers, sarcoma):
    done.set(alpha=0.11)
    paint(done, IN_SECOND)
    assert done.view_state.undo_words == "an edit of the lesion"
    done.run()
    asked = done.engine.waiting("segment")[-1]
    asked.give(answers["prediction"](asked, sarcoma, (np.s_[4:12, 15:35, 15:40],)))
    done.pump_until(lambda: done.view_state.run == "ready")
    mask = done.lesion.mask()
    assert (done.view_state.undo_words, done.view_state.steps) == ("a change of alpha", 1)
    done.undo()
    np.testing.assert_array_equal(done.lesion.mask(), mask)


def test_the_contour_before_comes_and_goes_in_one_step(done, answers, sarcoma):
    before = done.lesion.mask()
    done.review.current.decisions.clear()
    done.run()
    asked = done.engine.waiting("segment")[-1]
    asked.give(answers["prediction"](asked, sarcoma, (np.s_[4:12, 15:35, 15:30],)))
    done.pump_until(lambda: done.view_state.run == "ready")
    without = done.lesion.mask()
    done.restore_previous()
    np.testing.assert_array_equal(done.lesion.mask(), before)
    done.undo()
    np.testing.assert_array_equal(done.lesion.mask(), without)


def test_a_case_that_goes_takes_its_steps_with_it(done, sarcoma):
    assert done.view_state.can_undo
    done.open_case(sarcoma)
    done.go_on(discard=True)
    assert (done.view_state.can_undo, done.view_state.steps) == (False, 0)
    done.undo()
    assert done.lesion.mask() is None


@pytest.mark.parametrize("action", ["undo", "redo"])
def test_with_nothing_to_go_back_to_nothing_happens(told, action):
    before = told.parameters
    getattr(told, action)()
    assert told.parameters is before
