"""The training loop: it learns, follows its schedule, reports, and survives a batch that is not finite."""

import logging
import math
from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.systems import build, network_class
from DiffuFuseMedLib.systems.segresnet.network import Config as SegResNetConfig
from DiffuFuseMedLib.tasks.segment.recipes import RECIPES
from DiffuFuseMedLib.training import loop


@pytest.fixture
def logged_every_ten(monkeypatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 10)


def run(recipe, cases, **told):
    torch.manual_seed(recipe.seed)
    return loop.train(recipe, build(recipe.system, recipe.config), cases, **told)


def weights_of(network):
    return {n: p.detach().clone() for n, p in network.named_parameters()}


def test_the_learning_rate_follows_the_recipe(a_recipe, a_scan, monkeypatch):
    rates, step = [], loop.train_step

    def watched(network, optimizer, *rest):
        rates.append(optimizer.param_groups[0]["lr"])
        return step(network, optimizer, *rest)

    monkeypatch.setattr(loop, "train_step", watched)
    run(a_recipe(steps=4, learning_rate=1e-3, warmup=2), [a_scan])
    cosine = [0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2 for share in (0, 0.25, 0.5, 0.75)]
    assert rates == pytest.approx([1e-3 * c * w for c, w in zip(cosine, (0.5, 1, 1, 1), strict=True)], rel=0.01)


def test_a_run_is_over_by_steps_or_by_the_clock_whichever_is_first(a_recipe):
    assert loop.done(a_recipe(steps=10, minutes=60.0), 5, 0.0) == pytest.approx(0.5)
    assert loop.done(a_recipe(steps=10, minutes=1.0), 0, 0.75) == pytest.approx(0.75)
    assert loop.done(a_recipe(steps=10, minutes=1.0), 0, 1.01) > 1


def test_the_loss_falls(a_recipe, a_scan, logged_every_ten):
    recipe = a_recipe(learning_rate=5e-3, windows=replace(a_recipe().windows, drop_one=0, drop_two=0, corrupt=0))
    trained = run(recipe, [a_scan])
    assert [row["step"] for row in trained.history] == [10, 20, 30, 40]
    first, last = trained.history[0], trained.history[-1]
    assert last["dice"] < 0.85 * first["dice"]
    assert last["bce"] < 0.85 * first["bce"]
    assert trained.steps == 40
    assert not trained.network.training


def test_trains_another_system_as_well(a_recipe, a_scan, logged_every_ten):
    config = SegResNetConfig(modalities=("CT", "PET"), init_filters=8)
    trained = run(a_recipe(system="segresnet", config=config, steps=60, learning_rate=5e-3), [a_scan])
    assert trained.history[-1]["dice"] < trained.history[0]["dice"]


def test_the_same_recipe_gives_the_same_weights_and_another_seed_others(a_recipe, a_scan):
    runs = [run(a_recipe(steps=3, seed=s), [a_scan]).network.state_dict() for s in (0, 0, 1)]
    assert all(torch.equal(runs[0][n], runs[1][n]) for n in runs[0])
    assert any(not torch.equal(runs[0][n], runs[2][n]) for n in runs[0])


def test_keeps_the_running_average_of_the_weights(a_recipe, a_scan, monkeypatch):
    """Three steps with ema 0.8: w1, then 0.8 w1 + 0.2 w2, then 0.64 w1 + 0.16 w2 + 0.2 w3."""
    seen, step = [], loop.train_step

    def watched(network, *rest):
        parts = step(network, *rest)
        seen.append(weights_of(network)["decoder.head.weight"])
        return parts

    monkeypatch.setattr(loop, "train_step", watched)
    network = run(a_recipe(steps=3, ema=0.8, learning_rate=1e-2), [a_scan]).network
    expected = 0.64 * seen[0] + 0.16 * seen[1] + 0.2 * seen[2]
    torch.testing.assert_close(network.decoder.head.weight.detach(), expected)
    assert not torch.allclose(expected, seen[2])


def test_tells_its_progress_and_hands_over_checkpoints(a_recipe, a_scan):
    told, kept = [], []
    run(a_recipe(steps=10), [a_scan], progress=lambda *x: told.append(x), checkpoint=lambda t: kept.append(t.steps))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert len(told) == 10
    assert all(0 <= s <= 1 for s in shares)
    assert kept == [2, 3, 4, 5, 6, 7, 8, 9, 10]


@pytest.fixture
def a_step(a_recipe, a_scan):
    """A function of a case: one step of a fresh network by the tiny recipe; returns weights before and after."""

    def step(case=a_scan):
        torch.manual_seed(0)
        recipe = a_recipe(windows=replace(a_recipe().windows, drop_one=0, drop_two=0))
        network = build(recipe.system, recipe.config)
        optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
        before = weights_of(network)
        loop.train_step(network, optimizer, recipe, [case], torch.Generator().manual_seed(0), "cpu")
        return before, weights_of(network)

    return step


def test_a_step_moves_the_weights(a_step):
    before, after = a_step()
    assert not torch.equal(before["decoder.head.weight"], after["decoder.head.weight"])


def test_a_batch_whose_loss_is_not_finite_is_skipped_and_told(a_step, a_scan, caplog):
    broken = {**a_scan.images, "CT": a_scan.images["CT"].clone().index_fill_(0, torch.tensor(0), math.nan)}
    with caplog.at_level(logging.WARNING):
        before, after = a_step(replace(a_scan, images=broken))
    assert all(torch.equal(before[n], after[n]) for n in before)
    assert "skipped" in caplog.text


def test_every_recipe_names_a_system_and_its_config():
    for name, recipe in RECIPES.items():
        assert name == recipe.model_id
        assert isinstance(recipe.config, network_class(recipe.system).config_type)


def test_going_on_takes_over_what_fits_and_trains_the_rest_faster(a_recipe):
    recipe = a_recipe()
    network = build(recipe.system, recipe.config)
    state = {name: torch.full_like(value, 0.5) for name, value in network.state_dict().items()}
    lacking = next(iter(dict(network.named_parameters())))
    other = next(name for name in state if name != lacking and state[name].ndim > 1)
    state.pop(lacking)
    state[other] = state[other][:1]
    fresh = loop.take_over(network, state)
    assert fresh == {lacking, other}
    assert all((v == 0.5).all() for n, v in network.named_parameters() if n not in fresh)
    groups = loop.optimizer_for(network, recipe, fresh).param_groups
    assert [(len(g["params"]), g["times"]) for g in groups] == [(len(list(network.parameters())) - 2, 1.0), (2, 10.0)]
