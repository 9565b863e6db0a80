"""From case folders to a model folder, and on from a checkpoint to the same weights."""

import json
from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.models.registry import read_record
from DiffuFuseMedLib.systems.diff4mmlits.inpainter import Inpainter, InpainterConfig
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_recipe import InpainterRecipe
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_slices import SliceSettings
from DiffuFuseMedLib.tasks.synthesize import recipes
from DiffuFuseMedLib.tasks.synthesize.train_inpainter import run_recipe
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.data import TrainingData
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.stopping import TrainingStoppedError

from Testing.fixtures.stop_at import StopAt


@pytest.fixture
def recipe():
    return InpainterRecipe(
        model_id="tiny-inpainter",
        data=TrainingData(folds=(0,), held_out=("held_out",)),
        config=InpainterConfig(channels=(4, 8), blocks=1, spacing_mm=4.0, window_px=16),
        slices=SliceSettings(size=16),
        batch=2,
        steps=6,
        warmup=2,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, a_case, write_case):
    """Two cases of fold 0, one of which is held out, and one of fold 1."""
    root = tmp_path_factory.mktemp("cases")
    for name in ("one", "held_out", "other"):
        write_case(a_case(name=name), root / name)
    (root / "split.json").write_text(json.dumps({"folds": [["one", "held_out"], ["other"]], "crops": {}}))
    return root


def weights(out):
    return zoo.weights("tiny-inpainter", out)[0]


def test_a_recipe_becomes_a_model_that_says_what_made_it(recipe, folder, tmp_path):
    record = run_recipe(recipe, folder, folder / "split.json", tmp_path)
    sha256, record = record.sha256, read_record(tmp_path / "tiny-inpainter")
    assert record.sha256 == sha256 and record.task == "synthesize"
    told = record.training
    assert told["patients"] == ["one"] and told["steps_done"] == 6 and told["skipped"] == 0
    assert told["weights"]["hole"] == recipe.weights.hole and told["slices"]["holes"]["strokes"] == 3
    assert record.window == {"shape": [16, 16], "spacing_kji_mm": [4.0, 4.0]}
    model = zoo.load("tiny-inpainter", folder=tmp_path)
    assert isinstance(model.network, Inpainter) and not any("discriminator" in n for n in weights(tmp_path))


def test_training_moves_every_weight_and_the_seed_decides_where(recipe, folder, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run_recipe(replace(recipe, seed=seed), folder, folder / "split.json", tmp_path / name)
    one, again, other = (weights(tmp_path / name) for name in "abc")
    assert all(torch.equal(one[n], again[n]) for n in one)
    assert any(not torch.equal(one[n], other[n]) for n in one)
    torch.manual_seed(recipe.seed)
    fresh = Inpainter(recipe.config).state_dict()
    still = [n for n in one if torch.equal(one[n], fresh[n].half())]
    assert not still


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(recipe, folder, tmp_path):
    run_recipe(recipe, folder, folder / "split.json", tmp_path / "unbroken")
    stop = StopAt("tiny-inpainter, step 3")
    kept = tmp_path / "checkpoints"
    with pytest.raises(TrainingStoppedError, match="--resume"):
        context = RunContext(progress=stop.progress, stop=stop, checkpoints=Checkpoints(kept))
        run_recipe(recipe, folder, folder / "split.json", tmp_path / "broken", context)
    torch.manual_seed(99)
    resumed = RunContext(checkpoints=Checkpoints(kept, resume=True))
    run_recipe(recipe, folder, folder / "split.json", tmp_path / "broken", resumed)
    one, other = (weights(tmp_path / name) for name in ("unbroken", "broken"))
    assert all(torch.equal(one[n], other[n]) for n in one)
    assert not kept.exists()


def test_the_command_trains_it_and_refuses_what_it_has_no_use_for(command, folder, tmp_path, recipe, monkeypatch):
    monkeypatch.setitem(
        recipes.RECIPES, "sts-inpainter", recipes.SynthesisRecipe(replace(recipe, model_id="sts-inpainter"), run_recipe)
    )
    kept = ("--checkpoints", tmp_path / "kept", "--recipe", "sts-inpainter")
    code, out, err = command("train", folder, "--out", tmp_path / "out", "--seed", 3, *kept)
    assert code == 0 and "sts-inpainter: 6 steps." in out, err
    assert read_record(tmp_path / "out" / "sts-inpainter").training["seed"] == 3
    for option in ("--drgo", "--start=tiny"):
        code, _, err = command("train", folder, option, *kept)
        assert code == 2 and "'sts-inpainter'" in err and "a recipe of a segmenter" in err
    code, _, err = command("train", folder, "--recipe", "nonsense", "--checkpoints", tmp_path / "kept")
    assert code == 2 and "sts-inpainter" in err
