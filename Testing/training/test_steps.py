"""A step of training: the learning rate's course, and an update that a bad batch cannot spoil."""

import logging
import math

import pytest
import torch
from DiffuFuseMedLib.training.steps import set_learning_rate, update


@pytest.fixture
def weight():
    return torch.nn.Parameter(torch.tensor([3.0, 4.0]))


@pytest.fixture
def optimizer(weight):
    return torch.optim.SGD([weight], lr=1.0)


def test_the_learning_rate_warms_up_and_ends_at_a_hundredth(optimizer):
    def rate(step, share):
        set_learning_rate(optimizer, 1e-3, 100, step, share)
        return optimizer.param_groups[0]["lr"]

    assert rate(0, 0.0) == pytest.approx(1e-5)
    assert rate(49, 0.0) == pytest.approx(5e-4)
    assert rate(99, 0.0) == pytest.approx(1e-3)
    assert rate(1000, 0.5) == pytest.approx(1e-3 * (0.01 + 0.99 / 2))
    assert rate(2000, 1.0) == pytest.approx(1e-5)
    assert rate(2100, 1.2) == pytest.approx(1e-5)


def test_a_group_may_learn_faster_than_the_others():
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], **more} for more in ({}, {"times": 10.0})]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    set_learning_rate(optimizer, 0.2, 1, 0, 0.0)
    assert [g["lr"] for g in optimizer.param_groups] == pytest.approx([0.2, 2.0])


def test_the_gradients_norm_is_held(weight, optimizer):
    update((weight**2).sum(), optimizer, [weight], clip=1.0)  # gradient (6, 8), of norm 10
    assert weight.tolist() == pytest.approx([3 - 0.6, 4 - 0.8])


def test_a_gradient_does_not_add_to_the_one_before(weight, optimizer):
    for _ in range(2):
        update(weight.sum(), optimizer, [weight], clip=100.0)
    assert weight.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("loss", "words"),
    [(lambda w: w.sum() * math.nan, "a loss of nan"), (lambda w: (w - w.detach()).sqrt().sum(), "a gradient of inf")],
    ids=["loss", "gradient"],
)
def test_a_batch_that_is_not_finite_changes_nothing_and_is_told(weight, optimizer, caplog, loss, words):
    with caplog.at_level(logging.WARNING):
        update(loss(weight), optimizer, [weight], clip=1.0)
    assert weight.tolist() == [3.0, 4.0]
    assert words in caplog.text
