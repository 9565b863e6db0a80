"""A review: every decision with its time and change, in the order of the list, through a file and through a re-run."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.review import Progress, Region, Review, Worklist

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def a_list(*boxes, grid=None, left_over_mm3=0.0):
    """A worklist whose regions are slabs [start, stop) along i of a 4 x 4 x 20 image with 2 mm3 voxels."""
    grid = grid or Grid((20, 4, 4), (1.0, 1.0, 2.0))
    labels = np.zeros(grid.shape, np.uint16)
    regions = []
    for number, (start, stop) in enumerate(boxes, start=1):
        labels[:, :, start:stop] = number
        volume = float((stop - start) * 16 * 2)
        regions.append(Region(number, (start + 0.5, 1.0, 1.0), volume, volume / 4, 0.5, "upper border"))
    total = sum(r.expected_error_mm3 for r in regions) + left_over_mm3 + 7.5
    return Worklist(tuple(regions), labels, grid, total, left_over_mm3)


@pytest.fixture
def three():
    """Expected errors of 48, 32 and 16 mm3; 32 mm3 more are left over."""
    return a_list((0, 6), (8, 12), (14, 16), left_over_mm3=32.0)


@pytest.fixture
def mask(three):
    return three.labels > 0


@pytest.fixture
def review(three):
    return Review(three)


def test_a_correction_is_counted_in_its_region_with_time_and_sign(review, mask):
    after = mask.copy()
    after[0, 0, 0:3] = False
    after[0, 0, 10] = False  # in another region
    review.start(1, at(0))
    decision = review.decide(1, "corrected", mask, after, at(12.5))
    assert (decision.seconds, decision.changed_voxels, decision.changed_mm3) == (12.5, 3, -6.0)
    assert decision.at == "2026-03-01T12:00:12+00:00"
    assert review.decisions == {1: decision}
    assert review.status(1) == "corrected"


def test_added_and_removed_voxels_both_change_but_cancel_in_volume(review, mask):
    before = mask.copy()
    before[0, 0, 0] = False
    after = mask.copy()
    after[1, 1, 1] = False
    decision = review.decide(1, "corrected", before, after, at(0))
    assert (decision.changed_voxels, decision.changed_mm3, decision.seconds) == (2, 0.0, 0.0)


def test_changes_beside_the_region_count_where_the_caller_says(review, mask):
    after = mask.copy()
    after[0, 0, 7] = True
    assert review.decide(1, "corrected", mask, after, at(0)).changed_voxels == 0
    within = np.ones_like(mask)
    assert review.decide(1, "corrected", mask, after, at(0), within).changed_mm3 == 2.0


def test_a_second_visit_adds_to_the_first(review, mask):
    after = mask.copy()
    after[0, 0, 0] = False
    review.start(1, at(0))
    review.decide(1, "corrected", mask, after, at(10))
    review.start(1, at(100))
    decision = review.decide(1, "accepted", after, mask, at(105))
    assert (decision.seconds, decision.changed_voxels, decision.changed_mm3) == (15, 2, 0.0)


def test_the_clock_stops_while_the_reader_is_elsewhere(review, mask):
    review.start(1, at(0))
    review.start(2, at(10))
    review.start(1, at(100))
    assert review.decide(1, "accepted", mask, mask, at(103)).seconds == 13
    assert review.decide(2, "skipped", None, None, at(200)).seconds == 90


def test_next_and_previous_go_round_by_rank_and_pass_over_the_decided(review, mask):
    assert (review.next_open(), review.previous()) == (1, 3)
    assert (review.next_open(1), review.next_open(3), review.previous(1)) == (2, 1, 3)
    review.decide(2, "skipped", mask, mask, at(0))
    assert (review.next_open(1), review.previous(3), review.next_open(2), review.previous(2)) == (3, 1, 3, 1)
    review.decide(1, "accepted", mask, mask, at(0))
    assert review.next_open(3) == 3  # the last one that is open
    review.decide(3, "accepted", mask, mask, at(0))
    assert (review.next_open(3), review.previous(1)) == (1, 3)


def test_an_empty_list_has_no_next_and_is_done():
    review = Review(a_list())
    assert (review.next_open(), review.previous(), review.progress()) == (None, None, Progress(0, 0, 0, 1.0))


def test_a_region_taken_back_is_open_again(review, mask):
    review.decide(1, "accepted", mask, mask, at(0))
    review.decide(1, "open", mask, mask, at(5))
    assert review.next_open(3) == 1
    assert review.progress().done == 0


def test_progress_counts_what_was_read_and_not_what_was_passed_over(review, mask):
    review.decide(1, "accepted", mask, mask, at(0))
    review.decide(3, "skipped", mask, mask, at(0))
    assert review.progress() == Progress(done=1, skipped=1, count=3, share=48 / 128)


@pytest.mark.parametrize(("region_id", "status"), [(4, "accepted"), (0, "accepted"), (1, "done")])
def test_refuses_an_unknown_region_and_an_unknown_status(review, mask, region_id, status):
    with pytest.raises(InputError):
        review.decide(region_id, status, mask, mask, at(0))
    assert review.decisions == {}


def test_refuses_a_mask_of_another_shape_or_type(review, mask):
    for wrong in (mask[1:], mask.astype(np.uint8)):
        with pytest.raises(InputError, match="resample"):
            review.decide(1, "accepted", mask, wrong, at(0))


def test_a_review_comes_back_from_its_text(review, mask):
    review.start(2, at(0))
    review.decide(2, "corrected", mask, ~mask, at(9))
    review.decide(3, "skipped", mask, mask, at(11))
    back = Review.from_json(review.to_json())
    assert back.decisions == review.decisions
    assert back.worklist.regions == review.worklist.regions
    assert np.array_equal(back.worklist.labels, review.worklist.labels)
    assert back.worklist.labels.dtype == np.uint16
    assert back.worklist.grid == review.worklist.grid
    assert back.progress() == review.progress()
    assert back.worklist.expected_error_mm3 == review.worklist.expected_error_mm3
    back.start(2, at(20))
    assert back.decide(2, "accepted", mask, mask, at(21)).seconds == 10


def test_an_empty_review_comes_back_too():
    assert Review.from_json(Review(a_list()).to_json()).worklist.regions == ()


def test_a_real_sized_review_is_a_small_text(a_real_worklist):
    found = a_real_worklist
    text = Review(found).to_json()
    assert len(text) < 60_000
    assert np.array_equal(Review.from_json(text).worklist.labels, found.labels)


SPOILED = {
    "another format": lambda c: c.update(format="x"),
    "no labels": lambda c: c.pop("labels"),
    "labels that are not packed": lambda c: c["labels"].update(data="AAAA"),
    "labels cut short": lambda c: c["labels"].update(stop=[4, 4, 15]),
    "a region too few": lambda c: c["regions"].pop(),
    "a region with another field": lambda c: c["regions"][0].update(color=1),
    "a region without numbers": lambda c: c["regions"][0].update(volume_mm3="many"),
    "a region with markup for a place": lambda c: c["regions"][0].update(place=["x"]),
    "a region of half a number": lambda c: c["regions"][0].update(id=1.0),
    "voxels that are no whole number": lambda c: c["decisions"][0].update(changed_voxels=1.5),
    "a digest that is a number": lambda c: c["decisions"][0].update(left=7),
    "an unknown status": lambda c: c["decisions"][0].update(status="done"),
    "negative seconds": lambda c: c["decisions"][0].update(seconds=-1),
    "no time": lambda c: c["decisions"][0].update(at="yesterday"),
    "a time without zone": lambda c: c["decisions"][0].update(at="2026-03-01T12:00:00"),
    "a decision on no region": lambda c: c["decisions"][0].update(region_id=9),
    "a grid of two axes": lambda c: c["grid"].update(size=[4, 4]),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_refuses_a_text_that_was_tampered_with(review, mask, spoil):
    review.decide(1, "accepted", mask, mask, at(0))
    content = json.loads(review.to_json())
    spoil(content)
    with pytest.raises(InputError):
        Review.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "{}"])
def test_refuses_what_is_no_review(text):
    with pytest.raises(InputError, match="review"):
        Review.from_json(text)


def test_after_a_re_run_a_decision_stays_where_the_place_and_the_mask_are_the_same(review, mask):
    review.start(1, at(0))
    kept = review.decide(1, "accepted", mask, mask, at(8))
    review.decide(2, "accepted", mask, mask, at(9))
    again = a_list((14, 16), (1, 7), (11, 12))  # the first moved by one voxel and came second; a quarter of the second
    carried = review.carried_over(again, mask)
    assert [carried.status(n) for n in (1, 2, 3)] == ["open", "accepted", "open"]
    assert (carried.decisions[2].seconds, carried.decisions[2].at) == (8, kept.at)
    assert carried.worklist is again


def test_a_dice_of_one_half_is_not_the_same_place_yet(review, mask):
    review.decide(1, "accepted", mask, mask, at(0))
    assert review.carried_over(a_list((0, 2)), mask).decisions == {}  # 2 * 2 / (6 + 2)
    assert review.carried_over(a_list((0, 3)), mask).decisions.keys() == {1}  # 2 * 3 / (6 + 3)


def test_after_a_re_run_a_region_whose_mask_changed_is_open_again(review, mask):
    review.decide(1, "accepted", mask, mask, at(0))
    changed = mask.copy()
    changed[3, 3, 5] = False
    opened, same = review.carried_over(review.worklist, changed), review.carried_over(review.worklist, mask)
    assert (opened.status(1), opened.reopened) == ("open", (1,))
    assert (same.status(1), same.reopened) == ("accepted", ())


def test_a_decision_survives_two_re_runs_and_a_file(review, mask):
    review.decide(1, "accepted", mask, mask, at(0))
    carried = Review.from_json(review.carried_over(a_list((1, 7)), mask).to_json())
    assert carried.carried_over(a_list((2, 8)), mask).status(1) == "accepted"
    changed = mask.copy()
    changed[0, 0, 6] = True  # seen neither at first, but part of what was carried over
    assert carried.carried_over(a_list((2, 8)), changed).status(1) == "open"


def test_nothing_is_kept_without_a_mask_or_on_another_grid(review, mask):
    review.decide(1, "accepted", mask, mask, at(0))
    moved = replace(review.worklist, grid=Grid((20, 4, 4), (1.0, 1.0, 2.0), (5.0, 0.0, 0.0)))
    assert review.carried_over(review.worklist, None).decisions == {}
    assert review.carried_over(moved, mask).decisions == {}


def test_reasons_that_come_later_leave_the_review_and_its_clock_as_they_are(review, mask):
    review.decide(2, "accepted", mask, mask, at(0))
    review.start(1, at(10))
    found = review.worklist
    explained = replace(found, regions=tuple(replace(r, why="PET alone") for r in found.regions))
    renewed = review.renewed(explained)
    assert renewed.worklist.regions[0].why == "PET alone"
    assert renewed.status(2) == "accepted"
    assert renewed.decide(1, "accepted", mask, mask, at(14)).seconds == 4
    with pytest.raises(InputError, match="other regions"):
        review.renewed(a_list((0, 6)))


def test_an_outline_that_was_taken_is_kept_with_the_decision_through_a_file_and_a_re_run(review, mask):
    after = mask.copy()
    after[0, 0, 8:10] = False
    taken = review.decide(2, "corrected", mask, after, at(3), taken="3 of 8 samples")
    assert (taken.taken, taken.changed_voxels) == ("3 of 8 samples", 2)
    again = Review.from_json(review.to_json())
    assert again.decisions == review.decisions
    assert again.carried_over(a_list((8, 12)), after).decisions[1].taken == "3 of 8 samples"


def test_what_was_taken_and_edited_later_says_so_once_and_another_outline_takes_its_place(review, mask):
    edited = mask.copy()
    edited[0, 0, 0:2] = False
    review.decide(1, "corrected", mask, mask, at(1), taken="without PET")
    assert review.decide(1, "accepted", mask, mask, at(2)).taken == "without PET"
    for before, after in ((mask, edited), (edited, mask)):
        assert review.decide(1, "corrected", before, after, at(3)).taken == "without PET, then edited"
    assert review.decide(1, "corrected", mask, edited, at(4), taken="1 of 8 samples").taken == "1 of 8 samples"
    assert review.decide(2, "corrected", mask, edited, at(5)).taken == ""


def test_a_review_that_was_kept_before_outlines_were_taken_is_read(review, mask):
    review.decide(1, "accepted", mask, mask, at(1))
    content = json.loads(review.to_json())
    del content["decisions"][0]["taken"]
    assert Review.from_json(json.dumps(content)).decisions == review.decisions
