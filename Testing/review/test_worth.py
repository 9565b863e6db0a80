"""What correcting regions gains, by hand: a mask with one error too much, one missing, and one in no region."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.review.regions import Region, Worklist
from DiffuFuseMedLib.review.worth import Corrections


@pytest.fixture
def corrections():
    """Ten voxels; drawn: 0 to 5, predicted: 2 to 7 and 9. Region 1 is right, 2 holds what is too much at 6 and 7, 3
    what is missing at 0 and 1; 9 lies in none."""
    reference, mask = np.zeros((1, 1, 10), bool), np.zeros((1, 1, 10), bool)
    reference[..., :6] = True
    mask[..., 2:8] = True
    mask[..., 9] = True
    labels = np.array([3, 3, 1, 1, 0, 0, 2, 2, 0, 0], np.uint16).reshape(1, 1, 10)
    places = ((1, 3.0, 0.5), (2, 2.0, 0.6), (3, 1.0, 0.4))  # id, height in mm, entropy
    regions = tuple(Region(n, (0.0, 0.0, z), 2.0, 1.0, entropy, "") for n, z, entropy in places)
    return Corrections(Worklist(regions, labels, Grid((10, 1, 1)), 3.0, 0.0), mask, reference)


def test_dice_follows_the_order_that_is_worked_off(corrections):
    """4 of both, 6 and 7 in all; then nothing changes, then two fewer, then two more of both."""
    assert corrections.as_listed() == pytest.approx([8 / 13, 8 / 13, 8 / 11, 12 / 13])


def test_the_best_order_takes_first_what_gains_most(corrections):
    assert corrections.at_best() == pytest.approx([8 / 13, 12 / 15, 12 / 13, 12 / 13])


def test_entropy_and_slices_give_orders_of_their_own(corrections):
    assert corrections.by_entropy() == pytest.approx([8 / 13, 8 / 11, 8 / 11, 12 / 13])  # 2, 1, 3
    assert corrections.by_slice() == pytest.approx([8 / 13, 12 / 15, 12 / 13, 12 / 13])  # 3, 2, 1


def test_what_is_looked_at_is_told_in_lesions(corrections):
    assert corrections.looked_at() == pytest.approx([0, 2 / 7, 4 / 7, 6 / 7])


def test_random_orders_lie_between(corrections):
    middle, best, listed = corrections.at_random(), corrections.at_best(), corrections.as_listed()
    assert listed[1] < middle[1] < best[1]
    assert middle[-1] == pytest.approx(best[-1])


def test_the_share_of_wrong_voxels_in_the_list(corrections):
    assert corrections.wrong_voxels == 5
    assert corrections.listed_share == 4 / 5


def test_nothing_wrong_and_nothing_listed():
    empty = np.zeros((1, 1, 4), bool)
    found = Corrections(Worklist((), np.zeros((1, 1, 4), np.uint16), Grid((4, 1, 1)), 0.0, 0.0), empty, empty)
    assert (found.listed_share, found.as_listed(), found.at_best()) == (1.0, [1.0], [1.0])
    assert np.isnan(found.looked_at()).all()
