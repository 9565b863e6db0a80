"""Autoencoder and synthesizer from case folders to model folders, and on from a checkpoint to the same weights."""

import json
from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.models.registry import read_record
from DiffuFuseMedLib.systems.diff4mmlits.autoencoder import AutoencoderConfig
from DiffuFuseMedLib.systems.diff4mmlits.autoencoder_recipe import AutoencoderRecipe
from DiffuFuseMedLib.systems.diff4mmlits.synthesizer import SynthesizerConfig
from DiffuFuseMedLib.systems.diff4mmlits.synthesizer_recipe import SynthesizerRecipe
from DiffuFuseMedLib.systems.diff4mmlits.tumor_windows import WindowSettings
from DiffuFuseMedLib.tasks.synthesize import train_autoencoder, train_synthesizer
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.data import TrainingData
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.stopping import TrainingStoppedError

from Testing.fixtures.stop_at import StopAt

DATA = TrainingData(folds=(0,), held_out=("held_out",))
BUDGET = {"data": DATA, "windows": WindowSettings(size=16), "batch": 2, "steps": 4, "warmup": 2}
SPACE = AutoencoderConfig(channels=(8,), latent=3, codes=16, window=16)
AUTOENCODER = AutoencoderRecipe(model_id="tiny-autoencoder", config=SPACE, **BUDGET)
SYNTHESIZER = SynthesizerRecipe(
    model_id="tiny-synthesizer",
    autoencoder="tiny-autoencoder",
    config=SynthesizerConfig(channels=(8, 8), groups=4, steps=20),
    latent_windows=4,
    **BUDGET,
)
RUNS = [(AUTOENCODER, train_autoencoder.run_recipe), (SYNTHESIZER, train_synthesizer.run_recipe)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, with_tumor, write_case):
    """Two cases of fold 0 and one held out, and a trained autoencoder in out/."""
    root = tmp_path_factory.mktemp("tumors")
    for number, name in enumerate(("one", "two", "held_out")):
        write_case(with_tumor(name, 5 + number, 4.0 + number), root / name)
    (root / "split.json").write_text(json.dumps({"folds": [["one", "two", "held_out"]], "crops": {}}))
    train_autoencoder.run_recipe(AUTOENCODER, root, root / "split.json", root / "out")
    return root


def train(recipe, run, folder, out, context=None):
    return run(recipe, folder, folder / "split.json", out, context)


@pytest.fixture
def out(folder, tmp_path):
    """An out folder with the autoencoder in it."""
    link = tmp_path / "out"
    link.mkdir()
    (link / "tiny-autoencoder").symlink_to(folder / "out" / "tiny-autoencoder")
    return link


def test_the_synthesizer_holds_its_autoencoder_and_the_statistics_of_its_patients(folder, out):
    record = train(*RUNS[1], folder, out)
    model = zoo.load("tiny-synthesizer", folder=out)
    assert record.task == "synthesize" and set(record.stages) == {"autoencoder", "denoiser", "statistics"}
    kept, _ = zoo.weights("tiny-autoencoder", out)
    own = model.network.autoencoder.state_dict()
    assert all(torch.equal(own[n], x.float()) for n, x in kept.items())
    told = record.training
    assert told["patients"] == ["one", "two"] and told["steps_done"] == 4
    assert told["autoencoder_sha256"] == read_record(out / "tiny-autoencoder").sha256
    statistics = model.network.statistics
    assert statistics.low[5] < statistics.high[5] and (statistics.latent_sd > 0).all()
    assert record.config["autoencoder"]["latent"] == 3


@pytest.mark.parametrize(("recipe", "run"), RUNS, ids=["autoencoder", "synthesizer"])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(recipe, run, folder, out, tmp_path):
    recipe = replace(recipe, model_id="tiny-run")
    train(recipe, run, folder, out)
    unbroken = zoo.weights("tiny-run", out)[0]
    stop, kept = StopAt("tiny-run, step 2"), tmp_path / "checkpoints"
    with pytest.raises(TrainingStoppedError, match="--resume"):
        context = RunContext(progress=stop.progress, stop=stop, checkpoints=Checkpoints(kept))
        train(recipe, run, folder, out, context)
    torch.manual_seed(99)
    train(recipe, run, folder, out, RunContext(checkpoints=Checkpoints(kept, resume=True)))
    resumed = zoo.weights("tiny-run", out)[0]
    assert all(torch.equal(unbroken[n], resumed[n]) for n in unbroken)
    assert not kept.exists()


def test_without_its_autoencoder_there_is_no_synthesizer(folder, tmp_path):
    with pytest.raises(InputError, match="tiny-autoencoder"):
        train(*RUNS[1], folder, tmp_path)
