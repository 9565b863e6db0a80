"""How long a network is optimized, and what going on from other weights changes."""

import pytest
import torch
from DiffuFuseMedLib.training.optimization import Optimization, optimizer_for, take_over


@pytest.fixture
def settings():
    """A function of overriding settings."""
    common = {"learning_rate": 1e-3, "weight_decay": 1e-2, "warmup": 5, "ema": 0.9, "clip": 1.0}
    return lambda **changed: Optimization(**{**common, **changed})


def test_a_run_is_over_by_steps_or_by_the_clock_whichever_is_first(settings):
    assert settings(steps=10, minutes=60.0).share(5, 0.0) == pytest.approx(0.5)
    assert settings(steps=10, minutes=1.0).share(0, 0.75) == pytest.approx(0.75)
    assert settings(steps=10, minutes=1.0).share(0, 1.01) > 1


def test_either_bound_may_be_left_out(settings):
    assert settings(steps=10).share(5, 1e6) == pytest.approx(0.5)
    assert settings(minutes=2.0).share(10**9, 1.0) == pytest.approx(0.5)


def test_going_on_takes_over_what_fits_and_trains_the_rest_faster(settings):
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2), torch.nn.Linear(2, 1))
    state = {name: torch.full_like(value, 0.5).half() for name, value in network.state_dict().items()}
    state.pop("0.bias")
    state["1.weight"] = state["1.weight"][:1]
    fresh = take_over(network, state)
    assert fresh == {"0.bias", "1.weight"}
    assert all((v == 0.5).all() for n, v in network.named_parameters() if n not in fresh)
    groups = optimizer_for(network, settings(fresh_rate=10.0), fresh).param_groups
    assert [(len(g["params"]), g["times"]) for g in groups] == [(4, 1.0), (2, 10.0)]


def test_what_is_frozen_is_not_optimized(settings):
    network = torch.nn.Linear(3, 4)
    network.bias.requires_grad_(False)
    groups = optimizer_for(network, settings(), set()).param_groups
    assert [[p is network.weight for p in g["params"]] for g in groups] == [[True]]
