import numpy as np
import pytest
from DiffuFuseMedLib.mrml import segmentations
from DiffuFuseMedLib.session import adding, keeping_largest

CORE, FIRST = np.s_[4:12, 15:35, 15:40], np.s_[5:9, 36:44, 20:30]


@pytest.fixture
def done(told, answers, sarcoma):
    told.run()
    asked = told.engine.last("segment")
    asked.give(answers["prediction"](asked, sarcoma, (CORE,), ((FIRST, 0.6),)))
    told.pump()
    return told


@pytest.fixture
def everything(sarcoma):
    """A threshold that takes every voxel."""
    return adding(sarcoma.volumes["CT"].array, -5000.0, 5000.0)


def test_an_edit_changes_the_lesion_inside_the_region_alone_and_is_one_step_to_undo(done, everything):
    before = done.lesion.mask()
    done.review.choose(1)
    done.edit("the threshold", everything)
    assert done.view_state.applying == "applying the threshold"
    done.pump()
    assert done.view_state.applying == ""
    reach = done.review.editable()
    assert (done.lesion.mask() == before | reach).all() and not before[reach].all()
    done.undo()
    assert (done.lesion.mask() == before).all()


def test_pieces_are_taken_away_inside_the_region_alone(done):
    """The first region is a piece of its own; another one is far from it."""
    core, before = (np.zeros_like(done.lesion.mask()) for _ in range(2))
    core[CORE] = before[CORE] = before[FIRST] = before[0, 0, 0] = True
    segmentations.set_mask(done.lesion.node, "lesion", before, done.reference_node)
    done.review.choose(1)
    done.edit("the largest piece", keeping_largest)
    done.pump()
    gone, reach = before & ~done.lesion.mask(), done.review.editable()
    assert gone.any() and (gone == before & ~core & reach).all() and not reach[0, 0, 0]


def test_a_second_edit_is_refused_in_a_sentence_while_one_is_being_applied(done, everything):
    done.set(inside_region_only=False)
    done.edit("the threshold", everything)
    done.edit("the smoothing", lambda mask, _: np.zeros_like(mask))
    said = done.view_state.message.sentence
    assert said == "The smoothing was not applied: wait, the program is still applying the threshold."
    done.pump()
    assert done.lesion.mask().all()


def test_without_a_lesion_or_a_region_an_edit_says_why_it_changes_nothing(told, everything):
    told.edit("the threshold", everything)
    assert "run the segmentation first" in told.view_state.message.sentence


def test_without_a_region_an_edit_that_is_held_to_one_says_so(done, everything):
    before = done.lesion.mask()
    done.edit("the threshold", everything)
    assert done.view_state.message.sentence.startswith("No region is chosen")
    done.pump()
    assert (done.lesion.mask() == before).all()


def test_an_edit_that_changes_nothing_says_so_and_one_that_fails_frees_the_tools(done):
    done.set(inside_region_only=False)
    done.edit("the largest piece", lambda mask, _: mask.copy())
    done.pump()
    assert done.view_state.message.sentence == "The largest piece changes nothing here."
    done.edit("the largest piece", lambda mask, _: 1 / 0)
    done.pump()
    assert (done.view_state.message.level, done.view_state.applying) == ("error", "")


def test_what_was_drawn_while_an_edit_was_on_its_way_stays(done, sarcoma):
    done.set(inside_region_only=False)
    added, drawn = np.zeros(sarcoma.grid.shape, bool), done.lesion.mask()
    added[0, 0, 0] = drawn[1, 1, 1] = True
    done.edit("the threshold", lambda mask, _: mask | added)
    segmentations.set_mask(done.lesion.node, "lesion", drawn, done.reference_node)
    done.pump()
    assert (done.lesion.mask() == drawn | added).all()
