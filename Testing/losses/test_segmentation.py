"""Eq. (20)-(23) by hand: logits ln 3 and 0 are probabilities 3/4 and 1/2."""

from math import log

import pytest
import torch
from DiffuFuseMedLib.losses import SegmentationWeights, boundary, coarse_targets, cross_entropy, segmentation, soft_dice

DICE = 1 - (2 * 0.75 + 1) / (1 + 0.75 + 0.5 + 1)  # one lesion voxel at 3/4, one background voxel at 1/2, epsilon 1


@pytest.fixture
def logits():
    """(1, 1, 1, 2): a lesion voxel seen with 3/4, a background voxel with 1/2."""
    return torch.tensor([log(3.0), 0.0]).view(1, 1, 1, 2)


@pytest.fixture
def target():
    return torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)


@pytest.fixture
def three_classes():
    """(1, 3, 1, 2) logits and one-hot target: voxel one is class 0 seen with 1/2, voxel two class 2 seen with 1/3."""
    logits = torch.tensor([[[log(2.0), 0.0]], [[0.0, 0.0]], [[0.0, 0.0]]])[None]
    target = torch.tensor([[[1.0, 0.0]], [[0.0, 0.0]], [[0.0, 1.0]]])[None]
    return logits, target


def test_cross_entropy_is_the_mean_surprise(logits, target):
    assert cross_entropy(logits, target).item() == pytest.approx((-log(0.75) - log(0.5)) / 2)


def test_cross_entropy_of_several_classes_is_the_softmax_one(three_classes):
    assert cross_entropy(*three_classes).item() == pytest.approx((log(2) + log(3)) / 2)


def test_soft_dice_counts_probabilities(logits, target):
    assert soft_dice(logits, target, epsilon=1.0).item() == pytest.approx(DICE)


def test_soft_dice_is_a_mean_over_samples_so_that_a_large_lesion_drowns_no_small_one(logits, target):
    empty = torch.zeros_like(target)
    alone = soft_dice(logits, empty).item()
    assert alone == pytest.approx(1 - 1 / (1.25 + 1))
    both = soft_dice(torch.cat([logits, logits]), torch.cat([target, empty])).item()
    assert both == pytest.approx((DICE + alone) / 2)


def test_soft_dice_of_several_classes_is_a_mean_over_them(three_classes):
    # class 0: 1/2 + 1/3 seen, 1/2 hit; class 1: 1/4 + 1/3 seen, none there; class 2: the same seen, 1/3 hit
    per_class = [
        1 - (2 * 0.5 + 1) / (1 + 5 / 6 + 1),
        1 - 1 / (7 / 12 + 1),
        1 - (2 / 3 + 1) / (1 + 7 / 12 + 1),
    ]
    assert soft_dice(*three_classes).item() == pytest.approx(sum(per_class) / 3)


def test_a_perfect_answer_costs_nothing():
    target = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    sure = 200 * target - 100
    assert all(v.item() == pytest.approx(0, abs=1e-6) for v in (cross_entropy(sure, target), soft_dice(sure, target)))


def test_boundary_weighs_an_error_by_its_distance(logits, target):
    distance = torch.tensor([2.0, 4.0]).view(1, 1, 1, 2)
    assert boundary(logits, target, distance).item() == pytest.approx((2 * 0.25 + 4 * 0.5) / 2)


def test_boundary_of_several_classes_spreads_one_distance_over_them(three_classes):
    logits, target = three_classes
    # voxel one errs by 1/2 + 1/4 + 1/4, voxel two by 1/3 + 1/3 + 2/3
    distance = torch.tensor([3.0, 6.0]).view(1, 1, 1, 2)
    assert boundary(logits, target, distance).item() == pytest.approx((3 * 1 + 6 * 4 / 3) / 6)


def test_the_parts_carry_their_weights(logits, target):
    weights = SegmentationWeights(bce=2.0, dice=3.0, boundary=5.0, dice_epsilon=1.0)
    parts = segmentation(logits, target, torch.ones_like(target), weights)
    expected = {"bce": log(4 / 3) + log(2), "dice": 3 * DICE, "boundary": 5 * 0.375}
    assert {k: v.item() for k, v in parts.items()} == pytest.approx(expected)


def test_parts_are_computed_in_float32_whatever_the_network_gave(logits, target):
    parts = segmentation(logits.bfloat16(), target, torch.ones_like(target), SegmentationWeights())
    assert {v.dtype for v in parts.values()} == {torch.float32}


@pytest.mark.parametrize("axes", [2, 3])
def test_a_coarse_target_says_how_much_of_the_voxel_is_lesion(axes):
    target = torch.zeros(1, 1, *[4] * axes)
    target[(0, 0, *[0] * axes)] = 1
    coarse = coarse_targets(target, torch.zeros(1, 1, *[2] * axes))
    assert coarse.shape == (1, 1, *[2] * axes)
    assert coarse[(0, 0, *[0] * axes)].item() == 1 / 2**axes
    assert coarse.sum().item() == 1 / 2**axes
