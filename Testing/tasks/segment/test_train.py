"""A recipe from case folders to a model folder, on the shipped patient."""

import json
from pathlib import Path

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.tasks.segment.train import run_recipe

SAMPLES = Path(__file__).resolve().parents[3] / "Resources" / "SampleData"


@pytest.fixture
def a_split(tmp_path):
    """The shipped patient, alone in the second of four folds."""
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"folds": [[], ["STS_010"], [], []]}), encoding="utf-8")
    return path


def test_leaves_a_model_that_loads_and_says_how_it_was_made_but_not_where(a_recipe, a_split, tmp_path):
    recipe = a_recipe(steps=4, held_out=(), seed=5)
    record = run_recipe(recipe, SAMPLES, a_split, tmp_path / "models")
    model = zoo.load("tiny", folder=tmp_path / "models")
    assert model.record == zoo.read_record(tmp_path / "models" / "tiny")
    assert model.record.sha256 == record.sha256
    assert model.network.config == recipe.config
    assert record.training["patients"] == ["STS_010"]
    assert (record.training["steps_done"], record.training["seed"]) == (4, 5)
    assert record.window["shape"] == (16, 16, 16)
    images = {m: torch.randn(1, 2, 16, 16, 16) for m in ("CT", "PET")}
    with torch.no_grad():
        drawn = model.network.segment(model.network.encode(images), torch.Generator().manual_seed(0))
    assert torch.isfinite(drawn.logits).all()
    assert set(drawn.gates) == {"CT", "PET"}
    assert str(tmp_path) not in (tmp_path / "models" / "tiny" / "model.json").read_text(encoding="utf-8")


def test_an_unreadable_split_is_refused(a_recipe, tmp_path):
    with pytest.raises(InputError, match=r"none\.json"):
        run_recipe(a_recipe(), SAMPLES, tmp_path / "none.json", tmp_path / "models")
