"""Latents of usual size: statistics are those of training, not of the window."""

import torch
from DiffuFuseMedLib.networks import Standardise


def test_follows_what_training_shows_and_keeps_how_windows_differ():
    torch.manual_seed(0)
    sizes = Standardise(2)
    for _ in range(400):
        sizes.follow(5 + 3 * torch.randn(4, 2, 8, 8))
    usual, bright = 5 + 3 * torch.randn(4, 2, 8, 8), 14 + 3 * torch.randn(4, 2, 8, 8)
    assert abs(sizes(usual).mean()) < 0.2
    assert abs(sizes(usual).std() - 1) < 0.2
    assert sizes(bright).mean() > 2.5


def test_only_following_changes_it():
    sizes = Standardise(2)
    sizes(torch.full((1, 2, 4, 4), 7.0))
    assert (sizes.mean == 0).all()
    assert (sizes.deviation == 1).all()


def test_is_no_weight_that_descends_but_one_that_an_average_takes_along():
    sizes = Standardise(2)
    assert [p.requires_grad for p in sizes.parameters()] == [False, False]
