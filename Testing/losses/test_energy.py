"""The energy score by hand, and that it rewards draws that differ as the references do."""

import itertools

import pytest
import torch
from DiffuFuseMedLib.losses import energy_score


def lesion(*voxels):
    """(1, 1, 4, 1) of 0..1."""
    return torch.tensor(voxels, dtype=torch.float32).view(1, 1, -1, 1)


def test_by_hand():
    """Distances of draws to references 0, 1, 1, 2: a mean of 1; between the draws 1; 6 voxels in all, halved, and 1."""
    draws, references = (lesion(1, 0, 0, 0), lesion(1, 1, 0, 0)), (lesion(1, 0, 0, 0), lesion(1, 0, 1, 0))
    assert energy_score(draws, references).item() == pytest.approx((1 - 1 / 2) / (6 / 2 + 1))


def test_small_lesions_count_as_large_ones():
    small = energy_score((lesion(1, 0, 0, 0),) * 2, (lesion(0, 1, 0, 0),) * 2)
    large = energy_score((lesion(*[1] * 50, *[0] * 50),) * 2, (lesion(*[0] * 50, *[1] * 50),) * 2)
    assert small > 0.4 * large


def expected(chance, true_chance):
    """Of draws that hold the second voxel with this chance, where references do with the other."""
    total = 0.0
    for p, q, y, z in itertools.product((0, 1), repeat=4):
        weight = torch.tensor([chance if x else 1 - chance for x in (p, q)]).prod()
        weight = weight * torch.tensor([true_chance if x else 1 - true_chance for x in (y, z)]).prod()
        big = [1] * 40  # so that the share's size hardly depends on the draw
        total += float(weight * energy_score((lesion(*big, p), lesion(*big, q)), (lesion(*big, y), lesion(*big, z))))
    return total


@pytest.mark.parametrize("true_chance", [0.3, 0.5, 0.8])
def test_is_least_for_draws_distributed_as_the_references(true_chance):
    chances = [n / 10 for n in range(11)]
    assert min(chances, key=lambda c: expected(c, true_chance)) == true_chance


def test_is_descended_by_draws_that_move_apart_where_references_do():
    draws = [lesion(1, 0.5, 0, 0).requires_grad_() for _ in range(2)]
    alike = energy_score(tuple(draws), (lesion(1, 1, 0, 0), lesion(1, 0, 0, 0)))
    apart = energy_score((lesion(1, 0.8, 0, 0), lesion(1, 0.2, 0, 0)), (lesion(1, 1, 0, 0), lesion(1, 0, 0, 0)))
    assert apart < alike
    alike.backward()
    assert all(torch.isfinite(d.grad).all() for d in draws)
