"""Images as they may look without the lesion: made for the one in the scene, shown in place of what was imaged."""

from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.healthy import MARGIN_MM
from DiffuFuseMedLib.mrml import display, segmentations, volumes
from DiffuFuseMedLib.mrml.views import composites
from DiffuFuseMedLib.session import healthy

CORE = np.s_[4:12, 15:35, 15:40]
GRAY = -77.0


@pytest.fixture
def installed(monkeypatch):
    """The records that the registry tells; an inpainter at first."""
    records = [SimpleNamespace(id="filler", system="diff4mmlits-inpainter")]
    monkeypatch.setattr(healthy, "models", lambda: records)
    return records


@pytest.fixture
def found(told, answers, sarcoma, installed):
    """A lesion is there, nothing was removed yet."""
    told.run()
    asked = told.engine.waiting("segment")[0]
    asked.give(answers["prediction"](asked, sarcoma, (CORE,)))
    told.pump()
    return told


def removed(session, case):
    """The engine's answer: every image is GRAY where the lesion is."""
    asked = session.engine.waiting("remove")[-1]
    mask = asked.values["lesion"]
    arrays = {key: np.where(mask, GRAY, v.array).astype(v.array.dtype) for key, v in case.volumes.items()}
    asked.give({"volumes": arrays, "removed": mask, "provenance": {"model": "filler"}})
    session.pump()
    return mask


def below(session):
    """The volume that the views show below."""
    [shown] = {composite.GetBackgroundVolumeID() for composite in composites(session.scene)}
    return session.scene.GetNodeByID(shown)


def test_what_was_made_up_takes_the_place_of_the_images_and_says_so(found, sarcoma):
    imaged = below(found)
    found.healthy.show(True)
    asked = found.engine.last("remove").values
    assert (asked["model"], asked["margin_mm"], found.view_state.healthy) == ("filler", MARGIN_MM, "working")
    np.testing.assert_array_equal(asked["lesion"], found.lesion.mask())
    mask = removed(found, sarcoma)
    shown = volumes.array_of(below(found))
    assert (shown[mask] == GRAY).all()
    assert display.window_of(below(found)) == display.window_of(found.nodes["CT"])
    np.testing.assert_array_equal(shown[~mask], sarcoma.volumes["CT"].array[~mask])
    assert found.view_state.healthy == "ready" and "Made up by filler" in found.view_state.healthy_words
    names = [layer["name"] for layer in found.view_state.layers]
    assert names == ["CT, made up", "PET, made up", "|CT - made up|"]
    found.healthy.show(False)
    assert below(found) is imaged
    assert found.view_state.healthy == "none" and not any("made up" in node for node in found.nodes)


def test_the_difference_is_how_far_the_images_are_apart_and_lies_over_them(found, sarcoma):
    found.healthy.show(True)
    mask = removed(found, sarcoma)
    difference = volumes.array_of(found.nodes["difference: CT"])
    np.testing.assert_allclose(difference[mask], abs(sarcoma.volumes["CT"].array[mask] - GRAY), rtol=1e-5)
    assert not difference[~mask].any()
    found.set(show_uncertainty=False)
    assert "|CT - made up|" not in [layer["name"] for layer in found.view_state.layers]


def test_it_is_not_made_again_for_the_same_lesion(found, sarcoma):
    found.healthy.show(True)
    removed(found, sarcoma)
    found.healthy.show(True)
    assert len(found.engine.of("remove")) == 1 and found.view_state.healthy == "ready"


def test_a_lesion_that_changes_takes_it_off_the_screen_and_the_reader_is_told(found, sarcoma):
    found.healthy.show(True)
    removed(found, sarcoma)
    mask = found.lesion.mask()
    mask[CORE] = False
    mask[5:8, 20:30, 20:30] = True
    segmentations.set_mask(found.nodes["lesion"], "lesion", mask, found.nodes["CT"])
    found.pump_until(lambda: found.view_state.healthy == "none")
    assert found.messages[-1].sentence == healthy.GONE
    assert "made up" not in below(found).GetName()
    found.healthy.show(True)
    np.testing.assert_array_equal(found.engine.last("remove").values["lesion"], mask)


def test_what_is_being_made_can_be_stopped_and_comes_no_more(found, sarcoma):
    found.healthy.show(True)
    asked = found.engine.last("remove")
    asked.progress(0.4, "removing the lesion", None)
    found.pump()
    assert found.view_state.healthy_words == "removing the lesion, 40 %"
    found.healthy.show(False)
    assert asked.cancelling and found.view_state.healthy == "none"
    asked.give({"volumes": {}, "removed": found.lesion.mask(), "provenance": {"model": "filler"}})
    found.pump()
    assert found.view_state.healthy == "none"


def test_what_fails_is_told_and_can_be_asked_for_again(found):
    found.healthy.show(True)
    found.engine.last("remove").fail("internal")
    found.pump()
    assert found.messages[-1].sentence == "It internal." and found.view_state.healthy == "none"
    found.healthy.show(True)
    first, _again = found.engine.of("remove")
    assert not first.cancelling


def test_without_a_lesion_or_a_model_it_says_so_and_asks_nobody(told, installed):
    told.healthy.show(True)
    assert told.messages[-1].sentence == healthy.NO_LESION
    installed.clear()
    assert told.healthy.why_not() == healthy.NO_MODEL
    told.healthy.show(True)
    assert told.messages[-1].sentence == healthy.NO_MODEL
    assert told.engine.of("remove") == []


def test_a_threshold_is_chosen_on_the_image_that_was_taken(found, sarcoma):
    found.healthy.show(True)
    removed(found, sarcoma)
    found.display.show_reference(True)
    assert below(found) is found.nodes["CT"]
    found.display.show_reference(False)
    assert below(found) is found.nodes["without lesion: CT"]


def test_no_saved_scene_holds_what_was_made_up(found, sarcoma):
    found.healthy.show(True)
    removed(found, sarcoma)
    made = [node for role, node in found.nodes.items() if role.startswith(("without lesion", "difference"))]
    assert len(made) == 2 * len(sarcoma.volumes)
    assert not any(node.GetSaveWithScene() for node in made)


def test_another_case_takes_it_away(found, sarcoma):
    found.healthy.show(True)
    removed(found, sarcoma)
    found.open_case(sarcoma.only(["CT", "PET"]))
    found.pump()
    assert found.view_state.healthy == "none"
    assert not any(role.startswith(("without lesion", "difference")) for role in found.nodes)


@pytest.mark.parametrize("role", ["without lesion: CT", "difference: CT"])
def test_a_made_up_image_that_someone_deletes_is_gone_and_the_case_stays(found, sarcoma, role):
    found.healthy.show(True)
    removed(found, sarcoma)
    node = found.nodes[role]
    found.lost(node)
    found.scene.RemoveNode(node)
    assert found.view_state.healthy == "none" and found.case is not None
    assert below(found).GetName() != node.GetName()
