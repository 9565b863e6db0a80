"""Choosing instead of painting: outlines of the region in focus, a ghost, and one step that takes it."""

import zipfile
from concurrent.futures import Future

import numpy as np
import pytest
from DiffuFuseMedLib.mrml import scenes, segmentations, tables
from DiffuFuseMedLib.mrml.nodes import find
from DiffuFuseMedLib.review import reach
from DiffuFuseMedLib.session.choices import FINDING, NO_REGION, NONE
from DiffuFuseMedLib.session.saved_case import OUTLINES

# As in conftest.py; PART is what the model calls of SECOND where PET is switched off.
CORE, FIRST, SECOND = np.s_[4:12, 15:35, 15:40], np.s_[5:9, 36:44, 20:30], np.s_[5:9, 8:14, 20:30]
PART = np.s_[5:9, 8:14, 20:25]
DOUBTFUL = (FIRST, 0.6), (SECOND, 0.4)
LONG = np.s_[4:12, 36:44, 2:60]  # so long that it is cut into parts


def visible(session):
    """The ghost's mask, None where it is not shown."""
    node = session.nodes.get("choice")
    if node is None or not node.GetDisplayNode().GetSegmentVisibility("choice"):
        return None
    return segmentations.mask_of(node, "choice", session.nodes["CT"])


def near(session, region_id):
    worklist = session.review.current.worklist
    return reach(worklist.labels == region_id, worklist.grid.spacing_kji_mm)


def of_boxes(case, *boxes):
    mask = np.zeros(case.grid.shape, bool)
    for box in boxes:
        mask[box] = True
    return mask


def give(session, answers, case, without_pet=()):
    """The engine's next answer; without_pet: what is doubtful in another way with PET switched off."""
    asked = session.engine.waiting("segment")[0]
    more = () if "PET" in asked.values["modalities"] else without_pet
    asked.give(answers["prediction"](asked, case, (CORE,), (*DOUBTFUL, *more)))
    session.pump()


@pytest.fixture
def found(told, answers, sarcoma):
    """Run and explained: without PET the model calls a part of SECOND."""
    told.run()
    for _ in range(4):
        give(told, answers, sarcoma, ((PART, 0.9),))
    return told


def choose(session, box):
    """The region of a box, and wait until its outlines are there."""
    labels = session.review.current.worklist.labels
    region = int(labels[box].max())
    session.review.choose(region)
    session.pump_until(lambda: session.view_state.choices or session.view_state.no_choice == NONE)
    return region


def sources(session):
    return [(row["source"], row["share"]) for row in session.view_state.choices]


def test_the_region_in_focus_offers_what_samples_levels_and_modalities_make_of_it(found, sarcoma):
    """In FIRST three of four samples call nothing, as none of the region is; one is like the lesion as it is."""
    assert found.view_state.choices == ()
    choose(found, FIRST)
    assert sources(found) == [("3 of 4 samples", "75 %")]
    change = float(found.view_state.choices[0]["change"].split()[0])
    box_ml = of_boxes(sarcoma, FIRST).sum() * sarcoma.grid.voxel_mm3 / 1000
    assert -1.6 * box_ml < change <= -box_ml + 0.05  # and what it touches at its rim
    choose(found, SECOND)
    assert sources(found) == [("1 of 4 samples", "25 %"), ("without PET", "")]
    found.review.leave()
    found.review.show()
    assert (found.view_state.choices, found.view_state.no_choice) == ((), "")


def test_a_key_shows_a_ghost_and_changes_nothing_and_the_same_key_puts_it_away(found):
    before = found.lesion.mask()
    region = choose(found, SECOND)
    found.choices.preview(1)
    ghost = visible(found)
    assert found.view_state.choice == 1
    assert found.nodes["choice"].GetDisplayNode().GetSliceIntersectionThickness() == 3
    assert ghost[SECOND].all()
    np.testing.assert_array_equal(ghost[~near(found, region)], before[~near(found, region)])
    found.choices.preview(2)
    assert found.view_state.choice == 2
    assert not visible(found)[SECOND].all()
    found.choices.preview(2)
    assert (found.view_state.choice, visible(found)) == (None, None)
    found.choices.preview(1)
    found.choices.drop()
    assert (found.view_state.choice, visible(found)) == (None, None)
    np.testing.assert_array_equal(found.lesion.mask(), before)
    assert not found.view_state.can_undo


def test_taking_it_is_one_step_that_draws_and_decides(found):
    before, region = found.lesion.mask(), choose(found, SECOND)
    found.choices.preview(1)
    shown = visible(found)
    found.choices.take()
    found.pump_until(lambda: found.view_state.edited and not found.view_state.counting)
    np.testing.assert_array_equal(found.lesion.mask(), shown)
    assert visible(found) is None
    decision = found.review.current.decisions[region]
    assert (decision.status, decision.taken) == ("corrected", "1 of 4 samples")
    assert decision.changed_voxels == (shown != before).sum()
    assert found.view_state.region not in (region, None)  # the next one
    assert (found.view_state.steps, found.view_state.undo_words) == (1, "an outline taken")
    found.undo()
    np.testing.assert_array_equal(found.lesion.mask(), before)
    assert (found.review.current.decisions, found.view_state.region) == ({}, region)
    found.redo()
    np.testing.assert_array_equal(found.lesion.mask(), shown)
    assert found.review.current.decisions == {region: decision}


def test_the_next_regions_ghost_stays_when_the_numbers_of_what_was_taken_come(found):
    """They come when the outlines of the next region are there already: the lesion is the one they were found for."""
    choose(found, SECOND)
    found.choices.preview(1)
    found.choices.take()
    found.pump_until(lambda: found.view_state.choices and not found.view_state.counting)
    found.choices.preview(1)
    found.choices.follow(found.lesion.mask())
    assert found.view_state.choice == 1
    assert visible(found) is not None


def test_a_ghost_that_somebody_deletes_is_gone(found):
    choose(found, SECOND)
    found.choices.preview(1)
    node = found.nodes["choice"]
    found.lost(node)
    found.scene.RemoveNode(node)
    assert found.view_state.choice is None
    found.choices.preview(1)
    assert visible(found) is not None


def test_what_was_taken_stands_in_the_worklist_the_table_and_the_record(found):
    region = choose(found, SECOND)
    found.choices.preview(2)
    found.choices.take()
    row = next(row for row in found.view_state.regions if row["id"] == region)
    assert row["status"].endswith("mL), without PET")
    assert found.review.rows()[region - 1]["taken"] == "without PET"
    assert found.review.current.from_json(found.review.current.to_json()).decisions[region].taken == "without PET"


def test_painting_over_what_was_taken_is_said(found):
    region = choose(found, SECOND)
    found.choices.preview(1)
    found.choices.take()
    found.review.choose(region)
    mask = found.lesion.mask()
    mask[5, 8:10, 20:24] = False
    segmentations.set_mask(found.nodes["lesion"], "lesion", mask, found.nodes["CT"])
    found.review.decide()
    assert found.review.current.decisions[region].taken == "1 of 4 samples, then edited"


def test_a_saved_scene_offers_the_same_again_and_not_the_ghost(found, tmp_path):
    choose(found, SECOND)
    offered = found.view_state.choices
    assert len(offered) == 2
    found.choices.preview(1)
    assert found.persistence.save_scene(tmp_path / "case.mrb")
    with zipfile.ZipFile(tmp_path / "case.mrb") as archive:
        mrml = next(archive.read(name).decode() for name in archive.namelist() if name.endswith(".mrml"))
    assert "Outline to choose" not in mrml
    assert found.open_scene(tmp_path / "case.mrb")
    assert "choice" not in found.nodes
    assert found.view_state.choice is None
    choose(found, SECOND)
    assert found.view_state.choices == offered


@pytest.mark.parametrize(("good", "bad"), [('"shape": [16,', '"shape": [17,'), ('"bits": "', '"bits": "AAAA')])
def test_a_scene_with_outlines_that_are_none_is_refused_and_the_desk_stays(found, tmp_path, good, bad):
    found.persistence.record()
    words = tables.text_of(found.scene, OUTLINES)
    assert words.count(good) == 7  # four samples, three modalities
    tables.set_text(found.scene, OUTLINES, words.replace(good, bad, 1))
    scenes.save_scene(found.scene, tmp_path / "bad.mrb")
    lesion = found.nodes["lesion"]
    assert not found.open_scene(tmp_path / "bad.mrb")
    assert "could not be read" in found.view_state.message.sentence
    assert found.nodes["lesion"] is lesion


def test_a_scene_that_was_saved_before_outlines_were_kept_offers_levels(found, tmp_path):
    found.persistence.record()
    for node in find(found.scene, tables.TEXT, OUTLINES):
        found.scene.RemoveNode(node)
    scenes.save_scene(found.scene, tmp_path / "old.mrb")
    assert found.open_scene(tmp_path / "old.mrb")
    assert found.prediction.samples == ()
    choose(found, SECOND)
    assert sources(found) == [("lesion where at least 40 % probable", "")]


def test_a_key_that_comes_before_the_outlines_are_there_is_not_lost(found):
    found.review.choose(int(found.review.current.worklist.labels[SECOND].max()))
    found.choices.preview(2)
    assert found.view_state.choice is None
    found.pump_until(lambda: found.view_state.choice == 2)
    assert visible(found) is not None


@pytest.mark.parametrize("ask", [lambda choices: choices.preview(2), lambda choices: choices.none()], ids=["2", "0"])
def test_what_was_asked_for_too_early_can_be_called_off(found, ask):
    """Esc after a key that came before the outlines: neither a ghost nor a decision follows."""
    found.review.choose(int(found.review.current.worklist.labels[SECOND].max()))
    ask(found.choices)
    found.choices.take()
    assert found.view_state.message.sentence == FINDING
    found.choices.drop()
    found.pump_until(lambda: found.view_state.choices)
    assert (found.view_state.choice, visible(found), found.review.current.decisions) == (None, None, {})


@pytest.mark.parametrize("ask", [lambda choices: choices.preview(1), lambda choices: choices.none()], ids=["1", "0"])
def test_what_was_asked_for_of_a_region_that_was_left_is_not_done_to_the_next(found, ask):
    labels = found.review.current.worklist.labels
    found.review.choose(int(labels[FIRST].max()))
    ask(found.choices)
    choose(found, SECOND)
    assert (found.view_state.choice, visible(found), found.review.current.decisions) == (None, None, {})


def test_what_failed_for_a_region_that_was_left_is_neither_told_nor_in_the_way(found):
    found.review.choose(int(found.review.current.worklist.labels[SECOND].max()))
    before = found.view_state.message
    found.choices._failed(Future(), ValueError("of the region before"))
    found.pump_until(lambda: found.view_state.choices, timeout=20)
    assert found.view_state.message is before


def test_what_is_not_there_is_told(told, found):
    found.choices.preview(1)
    assert found.view_state.message.sentence == NO_REGION
    choose(found, FIRST)
    found.choices.preview(4)
    assert found.view_state.message.sentence == "There is no outline 4 here: 1 is offered."
    found.choices.take()
    assert "Press 1 to 4 first" in found.view_state.message.sentence
    assert not found.view_state.can_undo


def test_a_stroke_renews_what_is_offered_and_puts_the_ghost_away(found):
    choose(found, FIRST)
    found.choices.preview(1)
    mask = found.lesion.mask()
    mask[FIRST] = False
    segmentations.set_mask(found.nodes["lesion"], "lesion", mask, found.nodes["CT"])
    found.pump_until(lambda: visible(found) is None and found.view_state.choices)
    assert ("1 of 4 samples", "25 %") in sources(found)
    assert ("3 of 4 samples", "75 %") not in sources(found)  # this is what the lesion is now


def test_a_tool_that_is_still_at_work_is_waited_for(found):
    choose(found, FIRST)
    found.choices.preview(1)
    found.view_state.applying = "applying the threshold"
    found.choices.take()
    assert "wait, the program is still applying the threshold" in found.view_state.message.sentence
    assert found.view_state.choice == 1
    found.choices.none()
    assert found.view_state.message.sentence == "Wait, the program is still applying the threshold."
    assert found.review.current.decisions == {}


def test_outlines_without_a_modality_come_when_they_are_known_but_not_under_the_readers_hand(told, answers, sarcoma):
    told.run()
    give(told, answers, sarcoma)
    choose(told, SECOND)
    told.choices.preview(1)
    for _ in range(3):
        give(told, answers, sarcoma, ((PART, 0.9),))
    assert told.view_state.choice == 1
    assert ("without PET", "") not in sources(told)
    told.choices.drop()
    choose(told, FIRST)
    choose(told, SECOND)
    assert ("without PET", "") in sources(told)


def test_a_new_result_puts_away_what_was_offered(found, answers, sarcoma):
    choose(found, SECOND)
    found.choices.preview(1)
    found.run()
    for _ in range(4):
        give(found, answers, sarcoma)
    assert (found.view_state.choices, visible(found)) == ((), None)
    choose(found, SECOND)
    assert ("without PET", "") not in sources(found)


# Part by part


@pytest.fixture
def long(told, answers, sarcoma):
    """Run: one long region beside the lesion, in focus, with its outlines."""
    told.run()
    asked = told.engine.waiting("segment")[0]
    asked.give(answers["prediction"](asked, sarcoma, (CORE,), ((LONG, 0.4),)))
    told.pump()
    choose(told, LONG)
    return told


def wait_for(session, part):
    session.pump_until(lambda: session.view_state.part == part and session.view_state.choices)


def in_part(session, part):
    parts = session.review.parts(session.view_state.region)
    mask = np.zeros(session.case.grid.shape, bool)
    mask[parts.box] = parts.labels == part
    return mask


def test_after_an_outline_of_the_region_come_its_parts_each_with_its_own(long):
    region = long.view_state.region
    parts = long.review.parts(region)
    assert parts.count > 2
    assert long.view_state.choosing == f"All of the region; then its {parts.count} parts, one after the other."
    long.choices.preview(1)
    shown = visible(long)
    long.choices.take()
    assert (long.view_state.region, long.view_state.part) == (region, 1)
    decision = long.review.current.decisions[region]
    assert (decision.status, decision.taken) == ("open", long.review.rows()[region - 1]["taken"])
    wait_for(long, 1)
    assert long.view_state.choosing == f"Part 1 of {parts.count}, the most doubtful first."
    long.choices.preview(1)
    changed = visible(long) != shown
    assert changed[in_part(long, 1)].any()
    assert not changed[~reach(in_part(long, 1), long.case.grid.spacing_kji_mm)].any()


def test_each_part_is_a_step_and_the_last_decides_the_region(long):
    region, before = long.view_state.region, long.lesion.mask()
    count = long.review.parts(region).count
    long.choices.none()
    for part in range(1, count + 1):
        assert long.review.current.decisions == {} or long.review.current.status(region) == "open"
        wait_for(long, part)
        if part == 2:
            source = long.view_state.choices[-1]["source"]
            long.choices.preview(len(long.view_state.choices))
            long.choices.take()
            assert long.view_state.undo_words == "an outline taken"
        else:
            long.choices.none()
            assert long.view_state.undo_words == "a part left as it is"
    assert long.view_state.steps == count + 1
    decision = long.review.current.decisions[region]
    assert (decision.status, decision.taken) == ("corrected", f"part 2 of {count}: {source}")
    assert decision.changed_voxels == (long.lesion.mask() != before).sum()
    assert (long.view_state.region, long.view_state.part) != (region, count)
    for part in range(count, 1, -1):
        long.undo()
        assert (long.view_state.region, long.view_state.part) == (region, part)
    np.testing.assert_array_equal(long.lesion.mask(), before)
    assert long.review.current.decisions == {}
    long.redo()
    assert (long.lesion.mask() != before).any()
    assert long.review.current.decisions[region].taken == f"part 2 of {count}: {source}"


def test_a_region_whose_parts_were_all_left_is_accepted(long):
    region = long.view_state.region
    for part in range(1, long.review.parts(region).count + 1):
        long.choices.none()
        wait_for(long, part)
    long.choices.none()
    decision = long.review.current.decisions[region]
    assert (decision.status, decision.taken, decision.changed_voxels) == ("accepted", "", 0)


def test_the_reader_settles_the_region_at_any_part(long):
    region = long.view_state.region
    long.choices.preview(1)
    long.choices.take()
    wait_for(long, 1)
    voxels = long.review.current.decisions[region].changed_voxels
    long.review.decide()
    decision = long.review.current.decisions[region]
    assert (decision.status, decision.changed_voxels) == ("corrected", voxels)
    assert not decision.taken.endswith("edited")
    assert long.view_state.part == 0


def test_what_was_drawn_between_two_outlines_is_said_and_the_row_counts_them(long):
    region = long.view_state.region
    long.choices.preview(1)
    long.choices.take()
    wait_for(long, 1)
    mask = long.lesion.mask()
    mask[6, 38:40, 20:24] ^= True
    segmentations.set_mask(long.nodes["lesion"], "lesion", mask, long.nodes["CT"])
    long.pump_until(lambda: not long.view_state.counting and long.view_state.choices)
    long.choices.preview(1)
    long.choices.take()
    taken = long.review.current.decisions[region].taken
    first, second = taken.split("; ")
    assert first.endswith(", then edited")
    assert second.startswith("part 1 of ")
    row = next(row for row in long.view_state.regions if row["id"] == region)
    assert row["status"].startswith("open (")
    assert row["status"].endswith("mL), 2 outlines")


def test_the_part_in_focus_is_outlined(long):
    long.choices.none()
    for part in (1, 2):
        [node] = long.scene.GetNodesByName("Region under review")
        mask = segmentations.mask_of(node, "region", long.nodes["CT"])
        np.testing.assert_array_equal(mask, in_part(long, part))
        long.choices.none()
        wait_for(long, part + 1)
    long.review.choose(long.view_state.region)
    [node] = long.scene.GetNodesByName("Region under review")
    assert segmentations.mask_of(node, "region", long.nodes["CT"])[in_part(long, 1)].all()
    assert long.view_state.part == 0


def test_a_region_of_one_part_is_decided_by_none_of_its_outlines(found):
    region = choose(found, SECOND)
    assert found.view_state.choosing == ""
    found.choices.none()
    assert found.review.current.decisions[region].status == "accepted"
    assert found.view_state.region != region


def test_none_before_the_outlines_are_there_is_not_lost_and_without_a_region_is_told(found):
    found.choices.none()
    assert found.view_state.message.sentence == NO_REGION
    region = int(found.review.current.worklist.labels[SECOND].max())
    found.review.choose(region)
    found.choices.none()
    assert found.review.current.decisions == {}
    found.pump_until(lambda: found.review.current.decisions)
    assert found.review.current.decisions[region].status == "accepted"


def test_a_new_result_keeps_what_was_taken_in_a_region_that_is_still_open(long):
    before = long.lesion.mask()
    long.choices.preview(1)
    long.choices.take()
    kept = long.review.settle()
    changed = long.lesion.mask() != before
    assert changed.any()
    np.testing.assert_array_equal(kept, changed)


def test_none_of_them_is_said_of_the_patients_images(long):
    """Where a synthetic tumor is shown, they come back first."""
    asked = []
    long._context.patient_first = lambda: asked.append(True)
    long.choices.none()
    assert asked


def test_outlines_taken_one_after_the_other_are_not_edits_and_the_views_go_along(long):
    region, jumps = long.view_state.region, []
    long.review._jump = jumps.append
    long.choices.preview(1)
    long.choices.take()
    for part in (1, 2):
        wait_for(long, part)
        assert jumps[-1] == long.review.parts(region).centers_lps[part - 1]
        long.choices.preview(1)
        long.choices.take()
    taken = long.review.current.decisions[region].taken
    assert taken.count("; part ") == 2
    assert "edited" not in taken
    long.undo()
    assert jumps[-1] == long.review.parts(region).centers_lps[1]
