"""The training loop: it learns, follows its schedule, reports, and survives a batch that is not finite."""

import logging
import math
from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.losses import Losses
from DiffuFuseMedLib.systems import build
from DiffuFuseMedLib.systems.segresnet.config import Config as SegResNetConfig
from DiffuFuseMedLib.tasks.segment.train import stage_of
from DiffuFuseMedLib.training import loop
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.state import moving_average
from DiffuFuseMedLib.training.stopping import TrainingStoppedError


def run(recipe, cases, log_every=10, **told):
    torch.manual_seed(recipe.seed)
    stage = stage_of(recipe, build(recipe.system, recipe.config), cases)
    stage = replace(stage, optimization=replace(stage.optimization, log_every=log_every))
    return loop.optimize(stage, torch.Generator().manual_seed(recipe.seed), RunContext(**told))


@pytest.fixture
def watched(monkeypatch):
    """What a function of (stage, state) gives after every step, in a list; the function is told."""

    def watch(look, before=False):
        seen, step = [], loop.train_step

        def spy(stage, state, device):
            seen.extend([look(stage, state)] if before else [])
            step(stage, state, device)
            seen.extend([] if before else [look(stage, state)])

        monkeypatch.setattr(loop, "train_step", spy)
        return seen

    return watch


def test_the_learning_rate_follows_the_recipe(a_stage, go, watched):
    rates = watched(lambda _, state: state.optimizer.param_groups[0]["lr"], before=True)
    go(a_stage(steps=4, learning_rate=1e-3, warmup=2))
    cosine = [0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2 for share in (0, 0.25, 0.5, 0.75)]
    assert rates == pytest.approx([1e-3 * c * w for c, w in zip(cosine, (0.5, 1, 1, 1), strict=True)], rel=0.01)


def test_the_loss_falls(a_recipe, a_scan):
    recipe = a_recipe(learning_rate=5e-3, windows=replace(a_recipe().windows, drop_one=0, drop_two=0, corrupt=0))
    trained = run(recipe, [a_scan])
    assert [row["step"] for row in trained.history] == [10, 20, 30, 40]
    first, last = trained.history[0], trained.history[-1]
    assert last["dice"] < 0.85 * first["dice"]
    assert last["bce"] < 0.85 * first["bce"]
    assert trained.steps == 40
    assert not trained.network.training


def test_trains_another_system_as_well(a_recipe, a_scan, plain):
    """Windows of 32 voxels: oneDNN's bfloat16 weight gradient of the 2 x 2 x 2 maps of a smaller one is not finite."""
    config = SegResNetConfig(modalities=("CT", "PET"), init_filters=8)
    told = {"batch": 1, "steps": 10, "learning_rate": 5e-3, "ema": 0.5, "windows": plain(shape=(24, 32, 32))}
    trained = run(a_recipe(system="segresnet", config=config, **told), [a_scan], log_every=5)
    first, last = trained.history
    assert last["dice"] < first["dice"]
    assert last["bce"] < 0.95 * first["bce"]
    assert trained.skipped == 0


def test_the_same_recipe_gives_the_same_weights_and_another_seed_others(a_recipe, a_scan):
    runs = [run(a_recipe(steps=3, seed=s), [a_scan]).network.state_dict() for s in (0, 0, 1)]
    assert all(torch.equal(runs[0][n], runs[1][n]) for n in runs[0])
    assert any(not torch.equal(runs[0][n], runs[2][n]) for n in runs[0])


def test_keeps_the_running_average_of_the_weights(a_stage, go, watched):
    """Three steps with ema 0.2: w1, then 2/11 w1 + 9/11 w2 (still shorter than 0.2 makes it), then 0.2 of that and
    0.8 w3."""
    seen = watched(lambda _, state: state.network.layer.weight.detach().clone())
    network = go(a_stage(steps=3, ema=0.2)).network
    expected = 0.2 * (2 / 11 * seen[0] + 9 / 11 * seen[1]) + 0.8 * seen[2]
    torch.testing.assert_close(network.layer.weight.detach(), expected)
    assert not torch.allclose(expected, seen[2])


def test_the_average_forgets_the_weights_that_it_began_with():
    """A constant 0.998 would leave a third of the first weights after 500 steps."""
    average, follow = [torch.zeros(1)], moving_average(0.998)
    for step in range(1, 500):
        follow(average, [torch.ones(1)], step)
    assert average[0].item() > 0.999


def test_the_average_is_as_long_as_its_decay_says_in_the_end():
    average, follow = [torch.zeros(1)], moving_average(0.9)
    follow(average, [torch.ones(1)], 10_000)
    assert average[0].item() == pytest.approx(0.1)


def test_a_network_that_learns_from_its_average_is_handed_it(a_stage, go, watched):
    seen = []
    stage = a_stage(steps=3)

    def losses(batch, generator, teacher):
        seen.append(teacher)
        return stage.losses(batch, generator)

    averages = watched(lambda _, state: state.average.module)
    go(replace(stage, losses=losses, from_average=True))
    assert len(seen) == 3
    assert all(teacher is average for teacher, average in zip(seen, averages, strict=True))


def test_tells_its_progress_and_hands_over_snapshots(a_stage, go):
    told, kept = [], []
    context = RunContext(progress=lambda *x: told.append(x), snapshot=lambda t: kept.append(t.steps))
    go(a_stage(steps=10), context)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert [what for _, what in told] == [f"toy, step {n}" for n in range(1, 11)]
    assert all(0 <= s <= 1 for s in shares)
    assert kept == [2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_what_is_frozen_stays(a_stage, a_toy, go):
    network = a_toy()
    network.layer.bias.requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    after = go(a_stage(network)).network.state_dict()
    assert torch.equal(after["layer.bias"], before["layer.bias"])
    assert not torch.equal(after["layer.weight"], before["layer.weight"])


def spoiled(stage, *steps):
    """The stage with losses that are not finite in these steps, counted from 1."""
    count = iter(range(1, 100))

    def losses(batch, generator):
        loss = stage.losses(batch, generator)
        factor = math.nan if next(count) in steps else 1.0
        return Losses({name: factor * value for name, value in loss.parts.items()}, loss.prediction)

    return replace(stage, losses=losses)


def test_a_batch_that_is_not_finite_is_skipped_told_and_counted(a_stage, a_toy, go, watched, caplog):
    weights = watched(lambda _, state: state.network.layer.weight.detach().clone())
    with caplog.at_level(logging.WARNING):
        trained = go(spoiled(a_stage(steps=4, log_every=4), 2, 3))
    assert trained.skipped == 2
    assert caplog.text.count("skipped") == 2
    assert torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[2], weights[3])
    assert math.isfinite(trained.history[0]["bce"])


def test_a_stop_without_checkpoints_says_that_nothing_was_kept(a_stage, go, stopping_at):
    with pytest.raises(TrainingStoppedError, match="after step 2 of toy: nothing was kept"):
        go(a_stage(), stopping_at("toy, step 2"))
