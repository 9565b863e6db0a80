"""The simulated reader, by hand: a lesion that is called too small, and outlines that mend it or do not."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.voxels import Voxels
from DiffuFuseMedLib.review import Places, Region, Worklist, parts_of, reader, worklist
from DiffuFuseMedLib.review.reader import KEPT, PAINTED, RANDOM_ORDERS, SimulatedReader


def up_to(n):
    return np.broadcast_to(np.arange(40) < n, (20, 20, 40))


@pytest.fixture
def called(predicted):
    """Sure up to i = 19, 0.3 up to 31, called up to 19: one region or more of what is doubtful."""
    p = np.zeros((20, 20, 40))
    p[..., :20], p[..., 20:32] = 0.99, 0.3
    told = predicted(p)
    return replace(told, samples=(Voxels.of(up_to(20)), Voxels.of(up_to(32))))


def reader_of(prediction, reference):
    return SimulatedReader(worklist(prediction), prediction, {}, reference)


def test_the_best_outline_is_taken_and_one_that_is_worse_than_the_lesion_is_not(called):
    """One of two samples ends where the reference does; where the lesion is right already nothing is taken."""
    steps = list(reader_of(called, up_to(32)).choosing([1]))
    assert (steps[0].how, steps[1].how) == ((), ("a group of samples",))
    assert steps[1].offered[0] >= 1
    region = worklist(called).labels == 1
    assert steps[1].lesion[region].all()
    assert not steps[0].lesion[region].any()
    steps = list(reader_of(called, up_to(20)).choosing([1]))
    assert steps[1].how == (KEPT,)
    np.testing.assert_array_equal(steps[1].lesion, up_to(20))


def test_painting_makes_the_region_the_references_and_nothing_else(called):
    first, second = reader_of(called, up_to(26)).painting([1])
    region = worklist(called).labels == 1
    np.testing.assert_array_equal(second.lesion[region], up_to(26)[region])
    np.testing.assert_array_equal(second.lesion[~region], first.lesion[~region])
    assert (first.how, second.how) == ((), (PAINTED,))


def test_a_region_goes_on_from_what_the_one_before_left(called):
    order = [region.id for region in worklist(called).regions]
    assert len(order) > 1
    last = list(reader_of(called, up_to(32)).choosing(order))[-1].lesion
    assert last[worklist(called).labels > 0].all()


def test_orders_are_the_lists_the_entropys_and_at_random(predicted):
    regions = tuple(Region(n, (0.0, 0.0, 0.0), 1.0, 4.0 - n, u, "") for n, u in ((1, 0.3), (2, 0.6), (3, 0.5)))
    told = predicted(np.zeros((1, 1, 3)))
    found = Worklist(regions, np.array([1, 2, 3], np.uint16).reshape(1, 1, 3), told.grid, 6.0, 0.0)
    orders = SimulatedReader(found, told, {}, told.labels > 0).orders(seed=3)
    assert orders["as listed"] == [[1, 2, 3]]
    assert orders["by entropy"] == [[2, 3, 1]]
    assert len(orders["at random"]) == RANDOM_ORDERS
    assert all(sorted(order) == [1, 2, 3] for order in orders["at random"])
    assert orders["at random"] == SimulatedReader(found, told, {}, told.labels > 0).orders(seed=3)["at random"]


def tilted():
    """Ends at i = 20 in front and at 31 behind: no one outline is right for all of the side."""
    j, i = np.meshgrid(np.arange(60), np.arange(40), indexing="ij")
    return np.broadcast_to(i < 20 + 12 * j / 60, (20, 60, 40))


def test_part_by_part_a_border_is_put_right_that_no_one_outline_is_right_for(predicted):
    """Every decision counts, those that leave a part as it is too, and none makes it worse."""
    p = np.zeros((20, 60, 40))
    p[..., :20], p[..., 20:32] = 0.99, 0.3
    told, reference = predicted(p), tilted()
    working = reader_of(told, reference)
    dice = lambda mask: 2 * (mask & reference).sum() / (mask.sum() + reference.sum())  # noqa: E731
    whole, parts = (list(getattr(working, way)([1])) for way in ("choosing", "choosing_parts"))
    count = parts_of(Places(worklist(told)), 1, told).count
    assert count > 2
    assert (len(whole[1].how), len(parts[1].how)) == (1, 1 + count)
    assert len(parts[1].offered) == len(parts[1].dice) == 1 + count
    assert dice(parts[1].lesion) > dice(whole[1].lesion) + 0.005
    assert parts[1].dice[-1] == pytest.approx(dice(parts[1].lesion))
    assert parts[0].dice == pytest.approx((dice(parts[0].lesion),))
    assert list(parts[1].dice) == sorted(parts[1].dice)
    assert "the border moved" in parts[1].how


def test_a_region_of_one_part_asks_for_one_decision(predicted):
    p = np.zeros((20, 20, 20))
    p[4:16, 4:16, 4:16], p[16:19, 7:12, 7:14] = 0.99, 0.4
    told = predicted(p)
    found = worklist(told)
    assert parts_of(Places(found), 1, told).count == 1
    steps = list(reader_of(told, p > 0.2).choosing_parts([1]))
    assert len(steps[1].how) == 1


def test_what_was_looked_at_is_the_regions_voxels_in_lesions(called):
    found = worklist(called)
    order = [region.id for region in found.regions][::-1]
    sizes = [np.count_nonzero(found.labels == n) / (20 * 20 * 20) for n in order]
    assert reader_of(called, up_to(20)).looked_at(order) == pytest.approx(np.cumsum([0, *sizes]))


def test_a_part_that_offers_nothing_asks_for_no_decision(called, monkeypatch):
    monkeypatch.setattr(reader, "choices_in", lambda *_: ())
    steps = list(reader_of(called, up_to(32)).choosing_parts([1]))
    assert len(steps[1].how) == len(steps[1].dice) == 1
