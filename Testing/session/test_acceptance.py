"""Gamma waits for a reader: the lesion is accepted as a whole or region by region, and a new result is nobody's yet."""

import numpy as np
import pytest
from DiffuFuseMedLib.mrml import segmentations
from DiffuFuseMedLib.mrml.nodes import provenance
from DiffuFuseMedLib.session.acceptance import BY_READER, all_taken
from DiffuFuseMedLib.session.fusion import NO_LESION, NOT_ACCEPTED, NOT_DRAWN


def lesions_sent(session):
    return [asked.values["lesion"] for asked in session.engine.of("rois")]


def test_before_it_is_accepted_no_lesion_reaches_the_fusion_and_the_panel_says_what_is_missing(done):
    assert not [lesion for lesion in lesions_sent(done) if lesion is not None]
    assert done.view_state.gamma_hint == NOT_ACCEPTED
    assert done.view_state.acceptable and not done.view_state.accepted
    assert done.lesion.protected() is None


def test_an_accepted_lesion_is_sent_as_it_is_and_its_provenance_says_so(done):
    done.accept_lesion()
    np.testing.assert_array_equal(lesions_sent(done)[-1], done.lesion.mask())
    assert (done.view_state.gamma_hint, done.view_state.acceptable) == ("", False)
    done.persistence.record()
    assert provenance(done.nodes["lesion"])[BY_READER] is True


def test_one_control_takes_the_border_out_and_brings_it_back(done):
    done.accept_lesion()
    done.set(protect_border=False)
    assert lesions_sent(done)[-1] is None
    assert done.view_state.gamma_hint == NOT_DRAWN
    done.set(protect_border=True)
    assert lesions_sent(done)[-1] is not None


def test_an_edit_of_an_accepted_lesion_is_told_to_change_the_picture_once(done):
    done.accept_lesion()
    for plane in (12, 13):
        mask = done.lesion.mask()
        mask[plane, 20:30, 20:30] = True
        segmentations.set_mask(done.nodes["lesion"], "lesion", mask, done.nodes["CT"])
        done.pump_until(lambda mask=mask: np.array_equal(lesions_sent(done)[-1], mask))
    assert sum("stays accepted as you correct it" in said.sentence for said in done.messages) == 1


def test_undo_takes_the_acceptance_back(done):
    done.accept_lesion()
    done.undo()
    assert lesions_sent(done)[-1] is None
    assert (done.view_state.gamma_hint, done.view_state.accepted) == (NOT_ACCEPTED, False)
    done.redo()
    assert done.view_state.accepted and lesions_sent(done)[-1] is not None


def test_the_last_accepted_region_accepts_the_lesion_and_a_skipped_one_does_not(done):
    done.review.choose(2)
    done.review.decide(skip=True)
    assert not done.view_state.accepted
    done.review.choose(2)
    done.review.decide()
    assert all_taken(done.review.current)
    assert done.view_state.accepted and lesions_sent(done)[-1] is not None


def test_a_list_without_regions_accepts_nothing():
    assert not all_taken(None)


def test_a_new_result_has_to_be_accepted_anew(done, answers, sarcoma):
    done.accept_lesion()
    done.run()
    asked = done.engine.waiting("segment")[0]
    asked.give(answers["prediction"](asked, sarcoma, (np.s_[6:10, 30:40, 20:28],), ()))
    done.pump()
    assert not done.view_state.accepted
    assert lesions_sent(done)[-1] is None


def test_without_a_lesion_there_is_nothing_to_accept(told):
    told.accept_lesion()
    assert "no lesion to accept" in told.view_state.message.sentence
    assert told.view_state.gamma_hint == NO_LESION


@pytest.mark.parametrize("accepted", [True, False])
def test_a_saved_scene_remembers_whether_the_lesion_was_accepted(done, tmp_path, accepted):
    if accepted:
        done.accept_lesion()
    assert done.persistence.save_scene(tmp_path / "kept.mrb")
    assert done.open_scene(tmp_path / "kept.mrb")
    done.pump()
    sent = done.engine.last("open").values["lesion"]
    assert (done.view_state.accepted, sent is not None) == (accepted, accepted)
