"""Measures over sets of masks, worked out by hand on rows of voxels."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.sets import (
    collective_insights,
    combined_sensitivity,
    d_max,
    diversity_agreement,
    ged_squared,
    hm_iou,
    mean_pairwise_dice,
    pairwise_dice,
    pairwise_iou,
)


def row(*ones):
    """A mask of eight voxels."""
    mask = np.zeros((1, 2, 4), bool)
    mask.flat[list(ones)] = True
    return mask


LEFT, RIGHT, WIDE, EMPTY = row(0, 1), row(2, 3), row(0, 1, 2, 3), row()


def test_every_mask_is_compared_with_every_other():
    np.testing.assert_allclose(pairwise_dice([LEFT, EMPTY], [LEFT, RIGHT, WIDE]), [[1, 0, 2 * 2 / 6], [0, 0, 0]])
    np.testing.assert_allclose(pairwise_iou([LEFT, WIDE], [LEFT, RIGHT]), [[1, 0], [0.5, 0.5]])


def test_a_set_alone_is_compared_with_itself():
    np.testing.assert_allclose(pairwise_dice(np.stack([LEFT, WIDE])), [[1, 2 / 3], [2 / 3, 1]])


def test_two_empty_masks_agree_fully():
    assert pairwise_dice([EMPTY], [EMPTY]) == pairwise_iou([EMPTY]) == 1
    assert ged_squared([EMPTY, EMPTY], [EMPTY]) == 0
    assert hm_iou([EMPTY], [EMPTY, EMPTY]) == 1


def test_the_mean_pairwise_dice_leaves_out_a_mask_with_itself():
    """0 for left and right, two thirds for each with the wide one."""
    assert mean_pairwise_dice([LEFT, RIGHT, WIDE]) == pytest.approx((0 + 2 / 3 + 2 / 3) / 3)
    assert np.isnan(mean_pairwise_dice([LEFT]))


def test_the_energy_distance_of_a_set_to_itself_is_zero():
    assert ged_squared([LEFT, WIDE, EMPTY], [EMPTY, LEFT, WIDE]) == pytest.approx(0)


def test_the_energy_distance_by_hand():
    """d(left, left) = 0, d(left, right) = 1, d(wide, left) = d(wide, right) = 1 / 2.

    Samples {left, right}, reference {wide}: 2 * 1/2 - (0 + 1 + 1 + 0) / 4 - 0 = 1/2. Samples {left}, references {left,
    right}: 2 * 1/2 - 0 - 1/2 = 1/2. Samples {left}, references {right}: 2.
    """
    assert ged_squared([LEFT, RIGHT], [WIDE]) == pytest.approx(0.5)
    assert ged_squared([LEFT], [LEFT, RIGHT]) == pytest.approx(0.5)
    assert ged_squared([LEFT], [RIGHT]) == pytest.approx(2)


def test_masks_are_matched_one_to_one_at_their_best():
    """Wide overlaps both by a half, left only left: wide goes with right, which leaves left to left."""
    assert hm_iou([WIDE, LEFT], [LEFT, RIGHT]) == pytest.approx(0.75)
    assert hm_iou([LEFT, RIGHT], [RIGHT, LEFT]) == 1


def test_sets_of_different_sizes_are_repeated():
    """Three lefts and three rights with two lefts, two rights and two wides: four matches of 1, two of a half."""
    assert hm_iou([LEFT, RIGHT], [LEFT, RIGHT, WIDE]) == pytest.approx((4 * 1 + 2 * 0.5) / 6)


@pytest.mark.parametrize("masks", [[], [LEFT, LEFT.reshape(8)]], ids=["none", "two shapes"])
def test_what_is_no_set_of_masks_is_refused(masks):
    with pytest.raises(InputError, match=r"^Given (a set without a mask|masks of the shapes).*\.$"):
        pairwise_dice(masks)


def test_sets_on_two_grids_are_refused():
    with pytest.raises(InputError, match="masks of 8 and of 4 voxels"):
        ged_squared([LEFT], [np.ones((1, 2, 2))])


def test_the_nearest_sample_of_each_reference_counts():
    """Left is a sample itself; wide has left and right as its nearest, 2 * 2 / 6 either."""
    assert d_max([LEFT, RIGHT], [LEFT, WIDE]) == pytest.approx((1 + 2 / 3) / 2)


def test_samples_and_references_are_not_the_same_to_d_max():
    assert d_max([LEFT], [LEFT, RIGHT]) == pytest.approx(0.5)
    assert d_max([LEFT, RIGHT], [LEFT]) == 1


def test_an_empty_reference_is_met_by_an_empty_sample_alone():
    assert d_max([LEFT, EMPTY], [EMPTY]) == 1
    assert d_max([LEFT, RIGHT], [EMPTY]) == 0


def test_combined_sensitivity_is_of_both_unions():
    """The references hold 0 to 3, the samples 0, 1 and 5: two of four."""
    assert combined_sensitivity([row(0), row(1, 5)], [LEFT, RIGHT]) == pytest.approx(0.5)
    assert combined_sensitivity([EMPTY, WIDE], [EMPTY, RIGHT]) == 1


@pytest.mark.parametrize(("sample", "expected"), [(EMPTY, 1), (LEFT, 0)])
def test_combined_sensitivity_where_nobody_drew_anything(sample, expected):
    assert combined_sensitivity([sample], [EMPTY, EMPTY]) == expected


def test_diversity_agreement_by_hand():
    """Variances of {left, right, wide} are 1, 1/3, 1/3, that of {left, wide} is 1/3: the largest differ by 2/3."""
    assert diversity_agreement([LEFT, RIGHT, WIDE], [LEFT, WIDE]) == pytest.approx(1 - (2 / 3 + 0) / 2)
    assert diversity_agreement([LEFT, WIDE], [WIDE, LEFT]) == 1


def test_a_single_mask_varies_as_little_as_one_that_is_repeated():
    assert diversity_agreement([LEFT], [LEFT, RIGHT]) == diversity_agreement([LEFT, LEFT], [LEFT, RIGHT]) == 0
    assert diversity_agreement([LEFT], [WIDE]) == 1


def test_collective_insights_by_hand():
    """Samples {left, right}, references {left, wide}: S_c 1, D_max 5/6, D_a 1 - (2/3 + 2/3) / 2 = 1/3."""
    expected = 3 * 1 * (5 / 6) * (1 / 3) / (1 + 5 / 6 + 1 / 3)
    assert collective_insights([LEFT, RIGHT], [LEFT, WIDE]) == pytest.approx(expected)


def test_collective_insights_of_nothing_right_is_zero():
    """S_c, D_max and D_a are all 0: left against nothing and everything, which differ by all they can."""
    assert collective_insights([EMPTY, EMPTY], [LEFT, RIGHT]) == 0
    assert collective_insights([EMPTY], [EMPTY, EMPTY]) == 1
