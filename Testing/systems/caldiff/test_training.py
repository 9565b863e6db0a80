"""CalDiff in the ordinary loop: stopped and gone on, with simulated readers; and through the ordinary inferer."""

from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.models.zoo import Model
from DiffuFuseMedLib.systems import build
from DiffuFuseMedLib.systems.caldiff.config import Config
from DiffuFuseMedLib.systems.caldiff.recipe import STS
from DiffuFuseMedLib.tasks.segment.predict import draw
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.tasks.segment.train import stage_of
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.dataset import training_case
from DiffuFuseMedLib.training.loop import RunContext, optimize
from DiffuFuseMedLib.training.stopping import TrainingStoppedError

TINY = Config(
    modalities=("CT", "PET"),
    channels=(8, 8, 8, 16),
    blocks=(1, 1, 1, 1),
    denoiser=(8, 8, 8),
    pyramid=(8, 8),
    sampler_steps=3,
)


@pytest.fixture(scope="module")
def a_run(a_case):
    """A function (steps, context): a run of the recipe at toy size on the toy case."""
    case = training_case(a_case(), ("CT", "PET"))

    def run(steps, context=None, **settings):
        windows = replace(STS.windows, shape=(16, 16, 16))
        recipe = replace(STS, config=replace(TINY, **settings), windows=windows, steps=steps, warmup=2)
        torch.manual_seed(7)
        stage = stage_of(recipe, build(recipe.system, recipe.config), [case])
        return optimize(stage, torch.Generator().manual_seed(0), context)

    return run


def test_a_run_that_was_stopped_goes_on_to_the_weights_of_an_unbroken_one(a_run, tmp_path):
    """Readers, times, noise, who is drawn and the latents of the anchor all come from the run's generator."""
    unbroken, seen = a_run(4), []
    stop = lambda: seen.append(0) or len(seen) >= 2  # noqa: E731
    with pytest.raises(TrainingStoppedError):
        a_run(4, RunContext(checkpoints=Checkpoints(tmp_path / "kept"), stop=stop))
    torch.manual_seed(99)
    gone_on = a_run(4, RunContext(checkpoints=Checkpoints(tmp_path / "kept", resume=True)))
    one, other = (t.network.state_dict() for t in (unbroken, gone_on))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert (unbroken.steps, unbroken.skipped) == (4, 0)


def test_every_weight_moves_but_the_modalities_that_were_left_out(a_run):
    torch.manual_seed(7)
    before = dict(build("caldiff", TINY).named_parameters())
    after = dict(a_run(3).network.named_parameters())
    still = [name for name in before if torch.equal(before[name], after[name])]
    assert still == []


@pytest.fixture(scope="module")
def a_model(a_run):
    """The toy network, its last layer no longer silent, as a model."""
    network = a_run(1).network
    torch.nn.init.normal_(network.denoiser.leave.weight, std=0.5, generator=torch.Generator().manual_seed(0))
    window = {"shape": (16, 16, 16), "spacing_kji_mm": (4.0, 2.5, 2.5)}
    record = SimpleNamespace(
        id="tiny",
        system="caldiff",
        sha256="",
        window=window,
        task="segment",
        modalities=TINY.modalities,
        config=asdict(TINY),
    )
    return Model(record, network.eval(), "cpu")


def test_the_ordinary_inferer_draws_samples_that_differ_by_their_noise_alone(a_model, a_case):
    case = a_case((24, 32, 32))
    drawn = draw(case, a_model, Settings(samples=3, looks=False)).samples
    assert drawn.shape[0] == 3
    assert np.abs(drawn[0] - drawn[1]).max() > 0.05
    np.testing.assert_array_equal(drawn, draw(case, a_model, Settings(samples=3, looks=False)).samples)


def test_a_run_may_choose_its_steps_and_whether_they_are_stochastic(a_model, a_case):
    case, told = a_case(), []
    settings = Settings(
        samples=1, options={"steps": 5, "stochastic": True}, progress=lambda _, words: told.append(words)
    )
    drawn = draw(case, a_model, settings)
    assert any("step 5 of 5" in words for words in told)
    assert (drawn.provenance["steps"], drawn.provenance["stochastic"]) == (5, True)


def test_a_case_without_a_modality_is_drawn_from_the_others(a_model, a_case):
    case = a_case()
    alone = replace(case, volumes={"CT": case.volumes["CT"]}, valid={"CT": case.valid["CT"]})
    assert np.isfinite(draw(alone, a_model, Settings(samples=1)).samples).all()
