"""A recipe from case folders to a model folder, on the shipped patient around its lesion."""

import json
import math
from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.datasets import sts
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.systems.diffufusemed.network import DiffuFuseMed
from DiffuFuseMedLib.systems.segresnet.network import SegResNet
from DiffuFuseMedLib.tasks.segment import train as module
from DiffuFuseMedLib.tasks.segment.train import run_recipe
from DiffuFuseMedLib.training.after import FitsAfterTraining
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.data import TrainingData
from DiffuFuseMedLib.training.dataset import training_case
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.stopping import TrainingStoppedError


@pytest.fixture
def a_split(tmp_path):
    """The patient, alone in the second of four folds."""
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"folds": [[], ["STS_010"], [], []]}), encoding="utf-8")
    return path


@pytest.fixture
def run_on_a_case(a_case, a_split, tmp_path, monkeypatch):
    """A function (recipe, folder, context): run the recipe on the toy case, which is already in memory."""
    case = training_case(a_case(), ("CT", "PET"))

    def run(recipe, folder="models", context=None, cases=(case,)):
        monkeypatch.setattr(module, "training_cases", lambda *_: list(cases))
        return run_recipe(recipe, tmp_path, a_split, tmp_path / folder, context)

    return run


def test_leaves_a_model_that_loads_and_says_how_it_was_made_but_not_where(a_recipe, a_real_folder, a_split, tmp_path):
    recipe = a_recipe(steps=4, data=TrainingData((sts.COLLECTION,)), seed=5)
    record = run_recipe(recipe, a_real_folder.parent, a_split, tmp_path / "models")
    model = zoo.load("tiny", folder=tmp_path / "models")
    assert model.record == zoo.read_record(tmp_path / "models" / "tiny")
    assert model.record.sha256 == record.sha256
    assert model.network.config == recipe.config
    assert record.training["patients"] == ["STS_010"]
    assert (record.training["steps_done"], record.training["seed"], record.training["skipped"]) == (4, 5, 0)
    assert (record.training["folds"], record.training["held_out"]) == ((1, 2, 3), ())
    assert record.window["shape"] == (16, 16, 16)
    assert "CC BY 3.0" in record.licence
    assert record.training["attribution"] == [sts.COLLECTION.attribution]
    images = {m: torch.randn(1, 2, 16, 16, 16) for m in ("CT", "PET")}
    with torch.no_grad():
        drawn = model.network.segment(model.network.encode(images), torch.Generator().manual_seed(0))
    assert torch.isfinite(drawn.logits).all()
    assert set(drawn.gates) == {"CT", "PET"}
    assert str(tmp_path) not in (tmp_path / "models" / "tiny" / "model.json").read_text(encoding="utf-8")


class Stop:
    """Asks for a stop once progress told these words; counts on what it was told."""

    def __init__(self, words):
        self.words, self.told = words, []

    def progress(self, share, what):
        self.told.append(what)

    def __call__(self):
        return self.words in self.told


@pytest.mark.parametrize("words", ["tiny, step 3", "reliability, window 2"])
def test_a_recipe_that_was_stopped_ends_with_the_weights_of_an_unbroken_one(a_recipe, run_on_a_case, tmp_path, words):
    """Stopped while it descends, or while phi is fitted after that."""
    recipe, folder = a_recipe(steps=6), tmp_path / "checkpoints" / "tiny"
    unbroken = run_on_a_case(recipe, "unbroken")
    stop = Stop(words)
    with pytest.raises(TrainingStoppedError, match="--resume goes on"):
        run_on_a_case(recipe, context=RunContext(progress=stop.progress, stop=stop, checkpoints=Checkpoints(folder)))
    resumed = run_on_a_case(recipe, context=RunContext(checkpoints=Checkpoints(folder, resume=True)))
    assert resumed.sha256 == unbroken.sha256
    assert resumed.training["history"] == unbroken.training["history"]
    assert not folder.exists()


@pytest.mark.parametrize(
    ("changed", "words"), [({"seed": 1}, "another seed"), ({"learning_rate": 1e-5}, "another recipe or setting")]
)
def test_a_checkpoint_of_another_recipe_is_refused(a_recipe, run_on_a_case, tmp_path, changed, words):
    stop = Stop("tiny, step 1")
    context = RunContext(progress=stop.progress, stop=stop, checkpoints=Checkpoints(tmp_path / "tiny"))
    with pytest.raises(TrainingStoppedError):
        run_on_a_case(a_recipe(steps=3), context=context)
    with pytest.raises(InputError, match=words):
        run_on_a_case(
            a_recipe(steps=3, **changed), context=RunContext(checkpoints=Checkpoints(tmp_path / "tiny", resume=True))
        )


def test_a_checkpoint_of_other_data_is_refused(a_recipe, run_on_a_case, a_case, tmp_path):
    stop, other = Stop("tiny, step 1"), training_case(a_case(center=(6, 20, 15)), ("CT", "PET"))
    context = RunContext(progress=stop.progress, stop=stop, checkpoints=Checkpoints(tmp_path / "tiny"))
    with pytest.raises(TrainingStoppedError):
        run_on_a_case(a_recipe(steps=3), context=context)
    with pytest.raises(InputError, match="another training data"):
        context = RunContext(checkpoints=Checkpoints(tmp_path / "tiny", resume=True))
        run_on_a_case(a_recipe(steps=3), context=context, cases=(other,))


def test_batches_that_were_skipped_are_in_the_record(a_recipe, run_on_a_case, a_case):
    case = training_case(a_case(), ("CT", "PET"))
    broken = {m: x.clone().index_fill_(0, torch.tensor(0), math.nan) for m, x in case.images.items()}
    recipe = a_recipe(steps=2)
    recipe = replace(recipe, config=replace(recipe.config, gating=False))
    assert run_on_a_case(recipe, cases=(replace(case, images=broken),)).training["skipped"] == 2


def test_what_is_fitted_after_training_is_declared_by_the_system():
    assert issubclass(DiffuFuseMed, FitsAfterTraining)
    assert not issubclass(SegResNet, FitsAfterTraining)


@pytest.mark.parametrize("gating", [True, False])
def test_phi_is_fitted_after_training_where_there_are_gates(a_recipe, run_on_a_case, gating):
    recipe, told = a_recipe(steps=1), []
    recipe = replace(recipe, config=replace(recipe.config, gating=gating))
    run_on_a_case(recipe, context=RunContext(progress=lambda _, what: told.append(what)))
    assert [what for what in told if "reliability" in what] == [
        f"reliability, window {n}" for n in range(1, 5) if gating
    ]


def test_an_unreadable_split_is_refused(a_recipe, tmp_path):
    with pytest.raises(InputError, match=r"none\.json"):
        run_recipe(a_recipe(), tmp_path, tmp_path / "none.json", tmp_path / "models")
