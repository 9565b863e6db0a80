"""DRGO by hand: logits 0 and ln 3 are probabilities 1/2 and 3/4."""

from dataclasses import replace
from math import log, sqrt

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.losses import Batch, Drgo, drgo
from DiffuFuseMedLib.losses.drgo import (
    adaptive,
    border_distance,
    class_imbalance,
    edge_consistency,
    edge_map,
    entropy,
    expected_target,
    gradient_size,
    label_continuity,
    pairs,
    region_weights,
    smoothness,
    undecided,
)

LN3 = log(3.0)
HALF = log(2.0)  # entropy of 1/2
QUARTER = -(0.25 * log(0.25) + 0.75 * log(0.75))  # of 1/4 or 3/4


def row(*values):
    """(1, 1, 1, n)."""
    return torch.tensor(values).view(1, 1, 1, -1)


def turned(x):
    """The row as a column of a volume, (1, 1, n, 1, 1): three dimensions do what two do."""
    return x.view(1, 1, -1, 1, 1)


BOTH = pytest.mark.parametrize("shaped", [lambda x: x, turned], ids=["2D", "3D"])


@BOTH
def test_entropy_is_of_lesion_and_rest(shaped):
    found = entropy(shaped(row(0.0, LN3, -LN3)))
    assert found.flatten().tolist() == pytest.approx([HALF, QUARTER, QUARTER])


def test_entropy_of_several_classes_is_over_all_of_them():
    logits = torch.tensor([log(2.0), 0.0, 0.0]).view(1, 3, 1, 1)  # 1/2, 1/4, 1/4
    assert entropy(logits).item() == pytest.approx(1.5 * log(2))
    assert undecided(logits).item() == pytest.approx(1.5 * log(2) / log(3))


def test_undecided_is_a_share_of_the_largest_entropy():
    assert undecided(row(0.0, LN3)).item() == pytest.approx((1 + QUARTER / HALF) / 2)


def test_class_imbalance_is_one_over_the_share_of_the_dominant_class():
    """Regions of four voxels: a quarter lesion, none, and, in a smaller last one, half."""
    target = row(0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert class_imbalance(target, 4).flatten().tolist() == pytest.approx([4 / 3, 1, 2])


def test_class_imbalance_of_several_classes_is_of_the_most_frequent():
    target = torch.tensor([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 1.0]]).view(1, 3, 1, 4)
    assert class_imbalance(target, 4).item() == pytest.approx(2)


@BOTH
@pytest.mark.parametrize("gamma", [0.0, 0.25, 1.0])
def test_a_region_weighs_by_uncertainty_and_imbalance_with_a_mean_of_one(shaped, gamma):
    logits, target = row(0.0, 0.0, LN3, LN3), row(1.0, 0.0, 1.0, 1.0)
    raw = [gamma * HALF + (1 - gamma) * 2, gamma * QUARTER + (1 - gamma) * 1]
    wanted = [2 * x / sum(raw) for x in raw]
    found = region_weights(shaped(logits), shaped(target), 2, gamma)
    assert found.flatten().tolist() == pytest.approx(wanted)


def test_the_sum_of_weights_is_kept_over_the_whole_batch():
    logits = torch.cat([row(0.0, 0.0, 9.0, 9.0), row(9.0, 9.0, 9.0, 9.0)])
    target = (logits > 1).float()
    found = region_weights(logits, target, 2, 1.0)
    assert found.sum().item() == pytest.approx(4)
    assert found[0].sum() > 3.9


@BOTH
def test_the_adaptive_loss_is_the_weighted_mean_of_the_regions_cross_entropy(shaped):
    """gamma 0: weights 2 : 1; cross-entropies ln 2 and -ln 3/4."""
    logits, target = row(0.0, 0.0, LN3, LN3), row(1.0, 0.0, 1.0, 1.0)
    wanted = (4 / 3 * HALF + 2 / 3 * -log(0.75)) / 2
    assert adaptive(shaped(logits), shaped(target), 2, 0.0).item() == pytest.approx(wanted)


def test_the_adaptive_loss_of_several_classes_is_the_softmax_one():
    logits = torch.tensor([log(2.0), 0.0, 0.0]).view(1, 3, 1, 1)
    target = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1)
    assert adaptive(logits, target, 2, 0.5).item() == pytest.approx(log(4))


def test_the_weights_are_not_descended():
    """Where they were, a network could make hard regions weigh less by being sure of what is wrong."""
    logits, target = row(0.5, 0.0, 2.0, 1.0).requires_grad_(), row(1.0, 0.0, 1.0, 1.0)
    adaptive(logits, target, 2, 0.8).backward()
    weights = region_weights(logits, target, 2, 0.8).flatten().repeat_interleave(2)
    plain = (logits.detach().sigmoid() - target).flatten() / 4
    torch.testing.assert_close(logits.grad.flatten(), weights * plain)


# Boundary refinement


@BOTH
def test_pairs_compare_steps_of_prediction_and_reference_by_their_distance(shaped):
    """Steps of 1/4, 0 against 1, 0; the nearer voxels are 0 and 1 voxel from the border: weights 1 and 1/2."""
    logits, target, distance = row(0.0, LN3, LN3), row(0.0, 1.0, 1.0), row(0.0, 1.0, 2.0)
    found = pairs(*map(shaped, (logits, target, distance)), near=5.0)
    assert found.item() == pytest.approx((1 * 0.75**2 + 0.5 * 0) / 1.5)


def test_a_pair_is_judged_by_both_sides_of_the_step():
    """A step down where the reference goes up is as wrong as can be: (-1/4 - 1)^2."""
    found = pairs(row(LN3, 0.0), row(0.0, 1.0), row(0.0, 0.0), near=1.0)
    assert found.item() == pytest.approx(1.25**2)


def test_a_prediction_of_the_reference_costs_nothing():
    target = row(0.0, 1.0, 1.0, 0.0)
    assert pairs(40 * (2 * target - 1), target, torch.zeros_like(target), 1.0).item() == pytest.approx(0, abs=1e-6)
    assert edge_consistency(40 * (2 * target - 1), target).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", [lambda x, t, d: pairs(x, t, d, 2.0), lambda x, t, d: smoothness(x, d, 2.0)])
def test_pairs_far_from_the_border_do_not_count(loss):
    logits, target = row(0.0, LN3, 0.0, 0.0), row(0.0, 0.0, 0.0, 0.0)
    near, all_far = row(2.1, 2.0, 2.1, 9.0), row(2.1, 2.1, 2.1, 9.0)
    assert loss(logits, target, near).item() == pytest.approx(0.25**2)
    assert loss(logits, target, all_far).item() == 0


def test_smoothness_is_the_mean_squared_step_near_the_border():
    """Steps of 1/4 and 0; both near, and unweighted."""
    assert smoothness(row(0.0, LN3, LN3), row(0.0, 1.0, 2.0), 5.0).item() == pytest.approx(0.25**2 / 2)


def test_pairs_of_every_axis_count():
    logits = torch.zeros(1, 1, 2, 2, 2)
    for at in ((0, 0, 1), (0, 1, 0), (1, 0, 0)):
        moved = logits.clone()
        moved[(0, 0, *at)] = LN3  # one voxel of a corner of eight: three of twelve steps are 1/4
        near = torch.zeros_like(moved)
        assert smoothness(moved, near, 1.0).item() == pytest.approx(3 / 12 * 0.25**2)
        assert pairs(moved, logits, near, 1.0).item() == pytest.approx(3 / 12 * 0.25**2)
        assert label_continuity(moved).item() == pytest.approx(3 / 12 * 0.25**2)


def test_of_several_classes_it_is_the_mean_over_them():
    logits = torch.tensor([[0.0, LN3], [0.0, 0.0]]).view(1, 2, 1, 2)  # 1/2, 1/2 -> 3/4, 1/4
    nothing = torch.zeros(1, 1, 1, 2)
    assert smoothness(logits, nothing, 1.0).item() == pytest.approx(0.25**2)
    assert pairs(logits, torch.zeros_like(logits), nothing, 1.0).item() == pytest.approx(0.25**2)


@BOTH
def test_an_edge_map_is_one_on_both_sides_of_a_border(shaped):
    assert edge_map(shaped(row(0.0, 0.0, 1.0, 1.0, 1.0))).flatten().tolist() == [0, 1, 1, 0, 0]
    assert edge_map(shaped(row(0.5, 0.75, 0.0))).flatten().tolist() == [0.25, 0.75, 0.75]


def test_edges_are_compared_as_squares():
    """Edges 1/4, 1/4, 0 against 1, 1, 0; a soft reference of 0.6 is lesion."""
    found = edge_consistency(row(0.0, LN3, LN3), row(0.4, 0.6, 1.0))
    assert found.item() == pytest.approx((0.75**2 + 0.75**2 + 0) / 3)


def test_a_gradient_has_a_length_over_the_axes():
    logits = torch.tensor([[0.0, LN3], [LN3, 0.0]]).view(1, 1, 2, 2)
    found = gradient_size(logits).flatten().tolist()
    assert found == pytest.approx([0.25 * sqrt(2), 0.25, 0.25, 0])


# All of it


@pytest.fixture
def a_batch():
    target = row(1.0, 0.0, 1.0, 1.0)
    return Batch({}, target, torch.full_like(target, 0.1), {})


@pytest.fixture
def logits():
    return row(0.0, 0.5, 2.0, -1.0)


def test_the_objective_is_the_weighted_sum_of_its_terms(a_batch, logits):
    settings = Drgo(region=2, adaptive=0.7, refined=0.3, smoothing=0.2, edge=0.4)
    target, distance = a_batch.target, border_distance(a_batch.target)
    wanted = {
        "drgo_adaptive": 0.7 * adaptive(logits, target, 2, 0.25),
        "drgo_pairs": 0.3 * pairs(logits, target, distance, 3.0),
        "drgo_smooth": 0.3 * 0.2 * smoothness(logits, distance, 3.0),
        "drgo_edge": 0.3 * 0.4 * edge_consistency(logits, target),
    }
    found = drgo(logits, a_batch, settings, 0.25)
    assert {k: v.item() for k, v in found.items()} == pytest.approx({k: v.item() for k, v in wanted.items()})
    assert all(value > 0 for value in found.values())


@BOTH
def test_distances_are_those_to_the_nearest_voxel_of_the_border(shaped):
    target = shaped(row(0.0, 0.0, 0.0, 0.6, 1.0, 1.0, 1.0))
    assert border_distance(target).flatten().tolist() == [2, 1, 0, 0, 1, 2, 3]


def test_distances_are_euclidean_and_of_each_window():
    target = torch.zeros(2, 1, 5, 5)
    target[0, 0, 0, 0] = 1
    found = border_distance(target)
    assert found[0, 0, 3, 3].item() == pytest.approx(sqrt(3**2 + 2**2))
    assert found[1].isinf().all()


def test_a_window_without_a_border_has_no_pairs(logits):
    empty = Batch({}, torch.zeros_like(logits), torch.zeros_like(logits), {})
    parts = drgo(logits, empty, Drgo(), 0.5)
    assert (parts["drgo_pairs"], parts["drgo_smooth"]) == (0, 0)
    assert parts["drgo_edge"] > 0


def test_what_weighs_nothing_is_left_out(a_batch, logits):
    assert set(drgo(logits, a_batch, Drgo(adaptive=0.0), 0.5)) == {"drgo_pairs", "drgo_smooth", "drgo_edge"}
    assert set(drgo(logits, a_batch, Drgo(refined=0.0), 0.5)) == {"drgo_adaptive"}


def test_of_several_readers_it_is_the_mean_of_those_that_there_are(a_batch):
    masks = torch.tensor([[1.0, 1, 0, 0], [1.0, 0, 0, 0], [9.0, 9, 9, 9]]).view(1, 3, 1, 4)
    several = replace(a_batch, references=masks, raters=torch.tensor([2]))
    assert expected_target(several).flatten().tolist() == [1, 0.5, 0, 0]
    assert expected_target(several).shape == (1, 1, 1, 4)
    assert expected_target(a_batch) is a_batch.target


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"gamma": 1.5}, "gamma = 1.5 of DRGO"),
        ({"memory": -0.1}, "memory = -0.1"),
        ({"edge": -1.0}, "edge = -1.0"),
        ({"region": 0}, "region = 0"),
        ({"frequency": 0.0, "boundary": 0.0, "confidence": 0.0, "floor": 0.0}, "no region weighs anything"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        Drgo(**settings)


def test_weights_of_a_sampling_that_is_off_may_be_nothing():
    Drgo(sampling=False, frequency=0.0, boundary=0.0, confidence=0.0, floor=0.0)


def test_of_several_classes_the_steepest_counts():
    """Two of three classes change places between two voxels, and the third stays out of it."""
    logits = torch.full((1, 3, 1, 1, 2), -50.0)
    logits[0, 0, ..., 0] = logits[0, 1, ..., 1] = 50.0
    assert gradient_size(logits).flatten().tolist() == pytest.approx([1.0, 0.0])
