"""The simulated reader, by hand: a lesion that is called too small, and outlines that mend it or do not."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.voxels import Voxels
from DiffuFuseMedLib.review import Region, Worklist, worklist
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
    assert (steps[0].how, steps[1].how) == ("", "a group of samples")
    assert steps[1].offered >= 1
    region = worklist(called).labels == 1
    assert steps[1].lesion[region].all()
    assert not steps[0].lesion[region].any()
    steps = list(reader_of(called, up_to(20)).choosing([1]))
    assert steps[1].how == KEPT
    np.testing.assert_array_equal(steps[1].lesion, up_to(20))


def test_painting_makes_the_region_the_references_and_nothing_else(called):
    first, second = reader_of(called, up_to(26)).painting([1])
    region = worklist(called).labels == 1
    np.testing.assert_array_equal(second.lesion[region], up_to(26)[region])
    np.testing.assert_array_equal(second.lesion[~region], first.lesion[~region])
    assert (first.how, second.how) == ("", PAINTED)


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
