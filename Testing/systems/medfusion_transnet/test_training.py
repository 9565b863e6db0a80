"""MedFusion-TransNet and DRGO in the ordinary loop, and DRGO around every other segmenter."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.losses import Batch, Drgo, drgo
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.systems import SYSTEMS, build, network_class
from DiffuFuseMedLib.systems.medfusion_transnet.config import Config
from DiffuFuseMedLib.systems.medfusion_transnet.recipe import STS
from DiffuFuseMedLib.tasks.segment import train as module
from DiffuFuseMedLib.tasks.segment.predict import draw
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.tasks.segment.train import run_recipe, stage_of
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.data import TrainingData
from DiffuFuseMedLib.training.dataset import training_case
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.region_guide import RegionGuide
from DiffuFuseMedLib.training.stopping import TrainingStoppedError
from DiffuFuseMedLib.training.windows import draw_batch

from Testing.fixtures.stop_at import StopAt

from .conftest import TINY

WINDOWS = replace(STS.windows, shape=(16, 16, 16))
RECIPE = replace(
    STS, config=Config(("CT", "PET"), **TINY), windows=WINDOWS, steps=4, warmup=2, data=TrainingData(), model_id="tiny"
)


SLICES = replace(
    RECIPE, config=replace(RECIPE.config, spatial_dims=2), windows=replace(WINDOWS, shape=(1, 16, 16)), steps=3
)


@pytest.fixture(scope="module")
def toy_cases(a_case):
    return [training_case(a_case(center=center), ("CT", "PET")) for center in (None, (4, 12, 20))]


@pytest.fixture
def run(toy_cases, tmp_path, monkeypatch):
    """A function (recipe, folder, context): run the recipe on the toy cases, which are already in memory."""
    split = tmp_path / "split.json"
    split.write_text('{"folds": [[], ["a"], ["b"], []]}', encoding="utf-8")
    monkeypatch.setattr(module, "training_cases", lambda *_: toy_cases)
    return lambda recipe, folder="models", context=None: run_recipe(recipe, tmp_path, split, tmp_path / folder, context)


def test_a_recipe_leaves_a_model_that_loads_segments_and_says_how_drgo_was_set(run, a_case, tmp_path):
    record = run(replace(SLICES, drgo=Drgo(gamma=0.25)))
    model = zoo.load("tiny", folder=tmp_path / "models")
    assert record.training["steps_done"] == 3
    assert model.record.training["drgo"]["gamma"] == 0.25
    assert model.record.training["drgo"]["region"] == 8
    assert model.network.config == SLICES.config
    drawn = draw(a_case(), model, Settings(samples=1))
    assert np.isfinite(drawn.samples).all()


@pytest.mark.parametrize(
    ("recipe", "drgo"),
    [(RECIPE, Drgo()), (SLICES, Drgo(sampling=False)), (SLICES, None)],
    ids=["drgo", "no-sampling", "without"],
)
def test_a_run_that_was_stopped_ends_with_the_weights_of_an_unbroken_one(run, tmp_path, recipe, drgo):
    recipe, folder = replace(recipe, drgo=drgo), tmp_path / "checkpoints" / "tiny"
    unbroken, stop = run(recipe, "unbroken"), StopAt("tiny, step 2")
    with pytest.raises(TrainingStoppedError, match="--resume goes on"):
        run(recipe, context=RunContext(progress=stop.progress, stop=stop, checkpoints=Checkpoints(folder)))
    torch.manual_seed(99)
    resumed = run(recipe, context=RunContext(checkpoints=Checkpoints(folder, resume=True)))
    assert resumed.sha256 == unbroken.sha256
    assert resumed.training["drgo"] == unbroken.training["drgo"]


def test_drgo_changes_what_is_learned_and_each_of_its_parts_does(run):
    told = [Drgo(), Drgo(sampling=False), Drgo(adaptive=0.0), Drgo(refined=0.0), None]
    made = [run(replace(SLICES, drgo=drgo), f"models-{n}").sha256 for n, drgo in enumerate(told)]
    assert len(set(made)) == len(told)


def test_windows_follow_regions_where_they_are_to(toy_cases):
    stages = [stage_of(replace(RECIPE, drgo=drgo), build(RECIPE.system, RECIPE.config), toy_cases) for drgo in (
        None, Drgo(sampling=False), Drgo()
    )]  # fmt: skip
    plain, unsampled, sampled = (stage.sampler(torch.Generator().manual_seed(0)).target for stage in stages)
    assert torch.equal(plain, unsampled)
    assert not torch.equal(plain, sampled)
    assert stages[0].feedback is None
    assert isinstance(stages[1].feedback, RegionGuide)


def test_the_network_learns_what_it_is_shown(a_network):
    """A box that PET shows and CT does not, with DRGO."""
    network = a_network(modalities=("CT", "PET")).train()
    target = torch.zeros(1, 1, 32, 32)
    target[..., 8:24, 8:24] = 1
    seen = torch.ones_like(target)
    images = {"CT": torch.cat([0 * target, seen], dim=1), "PET": torch.cat([2 * target - 1, seen], dim=1)}
    batch = Batch(images, target, torch.full_like(target, 0.05), {})
    optimizer, costs = torch.optim.Adam(network.parameters(), 1e-2), []
    for _ in range(60):
        said = network.loss(batch)
        total = said.total + sum(drgo(said.prediction, batch, Drgo(), 0.5).values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        costs.append(total.item())
    assert costs[-1] < costs[0] / 10
    with torch.no_grad():
        assert ((network.segment(images).logits > 0) == (target > 0.5)).float().mean() > 0.98


FEW = {"spatial_dims": 2, "modalities": ("CT", "PET")}
SMALL = {
    "diffufusemed": {"stem_channels": 8, "channels": (8, 8), "blocks": (1, 1), "heads": (2, 2), "windows": (2, 2)}
    | {"summaries": (2, 2), "transformer_blocks": (1, 1), "diffusion_steps": (20, 20)},
    "caldiff": {"channels": (8, 8, 8, 8), "blocks": (1, 1, 1, 1), "denoiser": (8, 8, 8), "pyramid": (8, 8)},
    "unet": {"channels": (8, 16), "blocks": (1, 1)},
    "prob_unet": {"channels": (8, 8, 8, 8), "blocks": (1, 1, 1, 1), "latent_channels": (8, 8, 8, 8), "full": 8},
    "phiseg": {"channels": (8, 8, 8, 8), "likelihood": (8, 8, 8, 8)},
    "segresnet": {"init_filters": 8},
    "medfusion-transnet": TINY,
    "monai-nets": {"network": "unet", "channels": (8, 8, 16, 16, 16)},
    "unet-3d": {"base": 8},
    "multi-encoder": {"channels": (8, 8, 8, 16)},
    "trans-bts": {"base": 8, "embedding": 16, "heads": 2, "layers": 2, "hidden": 24, "grid": (4, 4)},
    "mmformer": {"base": 4, "embedding": 16, "heads": 2, "hidden": 24, "grid": (2, 2)},
}
OTHERS = {"diffufusemed-latent", *(name for name, entry in SYSTEMS.items() if entry.task != "segment")}


def test_every_segmenter_is_asked():
    assert {*SMALL} | OTHERS == {*SYSTEMS}


@pytest.mark.parametrize("system", [*SMALL, "diffufusemed-latent"])
def test_a_segmenter_is_taught_by_drgo_without_knowing(system, toy_cases):
    """The gradient of what DRGO adds reaches its weights."""
    windows = replace(WINDOWS, shape=(1, 32, 32), originals=True, simulated_readers=2, drop_one=0.0, drop_two=0.0)
    torch.manual_seed(0)
    network = build(system, network_class(system).config_type(**(FEW | SMALL.get(system, {}))))
    guide = RegionGuide(toy_cases, windows, Drgo())
    batch = draw_batch(toy_cases, 2, windows, torch.Generator().manual_seed(0), guide)
    teacher = (network,) if getattr(network, "learns_from_average", False) else ()
    said = guide.around(network.loss)(batch, torch.Generator().manual_seed(0), *teacher)
    sum(value for name, value in said.parts.items() if name.startswith("drgo_")).backward()
    moved = [p for p in network.parameters() if p.grad is not None and p.grad.abs().max() > 0]
    assert moved
    guide.update(batch, said.prediction.detach())
    assert guide.boundary.min() < 1 == guide.boundary.max()
    assert said.parts.keys() >= {"drgo_adaptive", "drgo_pairs", "drgo_edge"}
