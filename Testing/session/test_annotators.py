"""Masks of several annotators in the scene: outlines, the table, a lesion that changes, a saved scene, the report."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.agreement import COLORS
from DiffuFuseMedLib.mrml import segmentations
from DiffuFuseMedLib.session import annotators

CORE = np.s_[4:12, 15:35, 15:40]
BOXES = {"reader 1": np.s_[4:12, 15:35, 15:40], "reader 2": np.s_[4:12, 15:35, 20:45]}


@pytest.fixture
def drawn(told, sarcoma):
    """The session at a case that two readers drew, its agreement not answered yet."""
    mask = sarcoma.reference_mask
    arrays = {name: np.zeros(sarcoma.grid.shape, np.uint8) for name in BOXES}
    for name, box in BOXES.items():
        arrays[name][box] = 1
    case = sarcoma.with_references({name: mask.with_array(array) for name, array in arrays.items()})
    told.open_case(case)
    told.pump_until(lambda: told.case is case)
    return told


def an_agreement(asked):
    from DiffuFuseMedLib.metrics.agreement import agreement, with_lesion

    spacing, masks = (3.0, 1.0, 1.0), asked.values["masks"]
    found = agreement(masks, spacing)
    lesion = asked.values["lesion"]
    return found if lesion is None else with_lesion(found, lesion, masks, spacing)


def run(session, answers, box=CORE):
    session.run()
    asked = [a for a in session.engine.waiting("segment") if a.progress][-1]
    asked.give(answers["prediction"](asked, session.case, (box,)))
    session.pump_until(lambda: session.view_state.run == "ready" and not session.view_state.counting)


def test_each_annotator_has_an_outline_in_a_color_of_its_own(drawn):
    node = drawn.nodes["annotators"]
    ids = segmentations.user_segment_ids(node)
    segments = [segmentations.segment_of(node, i) for i in ids]
    assert [segment.GetName() for segment in segments] == list(BOXES)
    hexes = ["#" + "".join(f"{round(255 * part):02x}" for part in segment.GetColor()) for segment in segments]
    assert hexes == list(COLORS[:2])
    for segment_id, mask in zip(ids, drawn.case.references.values(), strict=True):
        np.testing.assert_array_equal(segmentations.mask_of(node, segment_id, drawn.reference_node), mask.array > 0)
    display = node.GetDisplayNode()
    assert [display.GetSegmentOpacity2DFill(i) for i in ids] == [0, 0]


def test_the_switch_shows_and_hides_them_and_can_be_undone(drawn):
    display = drawn.nodes["annotators"].GetDisplayNode()
    visible = lambda: [bool(display.GetSegmentVisibility(i)) for i in ("annotator-1", "annotator-2")]  # noqa: E731
    assert visible() == [True, True]
    drawn.set(show_annotators=False)
    assert visible() == [False, False]
    drawn.undo()
    assert visible() == [True, True]


def test_tells_how_far_they_agree_once_the_engine_has_said_so(drawn):
    view_state, asked = drawn.view_state, drawn.engine.last("agree")
    assert view_state.annotator_words.startswith("2 annotators drew the lesion; how far they agree is being worked out")
    assert asked.values["lesion"] is None
    assert asked.values["masks"]["reader 1"].shape[1] < drawn.case.grid.shape[1]  # cut to what is drawn
    asked.give(an_agreement(asked))
    drawn.pump()
    assert view_state.annotator_words.startswith("2 annotators: mean pairwise Dice 0.80")
    first, *_, majority, staple = view_state.annotators
    assert (first["name"], first["dice"], first["color"], first["lesion_dice"]) == ("reader 1", "0.80", COLORS[0], "")
    assert (majority["name"], staple["name"]) == ("majority", "STAPLE")


def test_a_lesion_and_each_change_of_it_is_compared_with_everybody(drawn, answers):
    drawn.engine.last("agree").give(an_agreement(drawn.engine.last("agree")))
    run(drawn, answers)
    asked = drawn.engine.last("agree")
    asked.give(an_agreement(asked))
    drawn.pump()
    assert [row["lesion_dice"] for row in drawn.view_state.annotators[:2]] == ["1.00", "0.80"]
    count = len(drawn.engine.of("agree"))
    mask = drawn.lesion.mask()
    mask[BOXES["reader 2"]] = True
    segmentations.set_mask(drawn.nodes["lesion"], "lesion", mask, drawn.reference_node)
    drawn.pump_until(lambda: len(drawn.engine.of("agree")) > count)
    asked = drawn.engine.last("agree")
    asked.give(an_agreement(asked))
    drawn.pump()
    assert drawn.view_state.annotators[0]["lesion_dice"] == "0.91"  # 2 * 25 / (25 + 30) of the columns


def test_an_answer_about_a_lesion_before_is_not_shown(drawn, answers):
    early = drawn.engine.last("agree")
    run(drawn, answers)
    late = drawn.engine.last("agree")
    late.give(an_agreement(late))
    early.give(an_agreement(early))
    drawn.pump()
    assert drawn.view_state.annotators[0]["lesion_dice"] == "1.00"


def test_a_comparison_that_fails_is_told_and_asked_again_with_the_next_lesion(drawn, answers):
    drawn.engine.last("agree").fail("input")
    drawn.pump()
    assert drawn.view_state.message.sentence == "It input."
    count = len(drawn.engine.of("agree"))
    run(drawn, answers)
    assert len(drawn.engine.of("agree")) == count + 1


def test_a_case_of_one_annotator_has_nothing_of_it(told, sarcoma):
    assert "annotators" not in told.nodes
    assert told.view_state.annotator_words == ""
    assert not told.engine.of("agree")


def test_with_the_case_they_go(drawn, sarcoma):
    drawn.open_case(sarcoma)
    drawn.pump()
    assert "annotators" not in drawn.nodes
    assert (drawn.view_state.annotators, drawn.view_state.annotator_words) == ((), "")


def test_a_saved_scene_brings_them_back(drawn, tmp_path):
    wanted = {name: mask.array.copy() for name, mask in drawn.case.references.items()}
    assert drawn.persistence.save_scene(tmp_path / "a.mrb")
    drawn.forget()
    drawn.scene.Clear(False)
    assert drawn.open_scene(tmp_path / "a.mrb")
    drawn.pump()
    assert list(drawn.case.references) == list(wanted)
    for name, array in wanted.items():
        np.testing.assert_array_equal(drawn.case.references[name].array, array)
    assert drawn.engine.last("agree").values["masks"].keys() == wanted.keys()


def test_the_report_holds_what_the_engine_says_or_why_it_does_not(drawn, answers, tmp_path):
    run(drawn, answers)
    drawn.pump_until(lambda: not drawn.view_state.listing)
    for name, give in (("said", lambda a: a.give(an_agreement(a))), ("died", lambda a: a.fail("died"))):
        path, done = tmp_path / f"{name}.html", []
        count = len(drawn.engine.of("agree"))
        drawn.persistence.export_behind("report.html", path, lambda done=done: done.append(True))
        drawn.pump_until(lambda count=count: len(drawn.engine.of("agree")) > count)
        give(drawn.engine.last("agree"))
        for asked in drawn.engine.waiting("judge"):
            asked.fail("died")
        drawn.pump_until(lambda done=done: done)
    assert "2 annotators: mean pairwise Dice 0.80" in (tmp_path / "said.html").read_text()
    assert "How far the annotators agree is not in this report." in (tmp_path / "died.html").read_text()


def test_what_nobody_marked_is_cut_off_but_for_a_margin():
    mask = np.zeros((40, 40, 40), bool)
    mask[20, 20, 20] = True
    box = annotators._box([mask], (6.0, 4.0, 3.0))
    assert [(part.start, part.stop) for part in box] == [(18, 23), (17, 24), (16, 25)]
    assert annotators._box([np.zeros((4, 4, 4), bool)], (1.0, 1.0, 1.0)) == (slice(None),) * 3
