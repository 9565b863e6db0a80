"""The fit of phi after training: it learns q_m where it can be seen, and changes nothing else."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.systems import build
from DiffuFuseMedLib.systems.diffufusemed.reliability_fit import fit, fit_reliability
from DiffuFuseMedLib.training.dataset import training_case


@pytest.fixture
def phi():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.SiLU(), torch.nn.Linear(8, 1))


def rows(signal):
    """200 windows whose first feature says how clean they are, as far as `signal` goes."""
    generator = torch.Generator().manual_seed(1)
    clean = (torch.rand(200, generator=generator) < 0.5).float()
    inputs = torch.randn(200, 4, generator=generator)
    inputs[:, 0] += signal * (clean - 0.5)
    return inputs, clean, torch.arange(200) % 4 != 0


def test_learns_what_can_be_seen(phi):
    inputs, clean, fitted_on = rows(signal=6.0)
    fit(phi, inputs, clean, fitted_on)
    right = (phi(inputs[~fitted_on]).squeeze(1) > 0) == (clean[~fitted_on] > 0.5)
    assert right.float().mean() > 0.95


def test_stays_near_even_odds_where_there_is_nothing_to_see(phi):
    inputs, clean, fitted_on = rows(signal=0.0)
    fit(phi, inputs, clean, fitted_on)
    assert (torch.sigmoid(phi(inputs[~fitted_on])) - 0.5).abs().mean() < 0.2


def test_changes_only_the_reliability_of_every_level(a_recipe, a_case):
    two = {"channels": (8, 8), "blocks": (1, 1), "heads": (2, 2), "windows": (4, 4), "summaries": (2, 2)}
    recipe = a_recipe()
    config = replace(recipe.config, **two, transformer_blocks=(1, 1), diffusion_steps=(20, 10))
    network = build("diffufusemed", config)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fit_reliability(network, [training_case(a_case(), ("CT", "PET"))], replace(recipe, config=config))
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert all(".reliability." in name for name in changed)
    assert {name.split(".")[1] for name in changed} == {"0", "1"}
