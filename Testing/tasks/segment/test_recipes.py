"""Recipes: nobody held out is trained on, and each ablation takes out what its name says and nothing else."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from DiffuFuseMedLib.datasets import kvasir, lidc, sts
from DiffuFuseMedLib.io.split import Split, read_split
from DiffuFuseMedLib.systems import build, network_class
from DiffuFuseMedLib.systems.diffufusemed.recipe import ABLATIONS, STS
from DiffuFuseMedLib.tasks.segment.recipes import RECIPES
from DiffuFuseMedLib.tasks.segment.train import training_names

SPLIT = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "sts" / "split.json"
EVERY = pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
OF_STS = {name: recipe for name, recipe in RECIPES.items() if recipe.data is sts.DATA}
DOIS = {
    "sts": "10.7937/K9/TCIA.2015.7GO2GSKS",
    "lidc": "10.7937/K9/TCIA.2015.LO9QL9SX",
    "kvasir": "10.1007/978-3-030-37734-2_37",
}
EVERY_OF_STS = pytest.mark.parametrize("recipe", OF_STS.values(), ids=list(OF_STS))


def test_a_recipe_is_of_the_collection_that_its_name_begins_with():
    known = {"sts": sts.DATA, "lidc": lidc.DATA, "kvasir": kvasir.DATA}
    assert {name.split("-")[0] for name in RECIPES} == set(known)
    assert all(recipe.data is known[name.split("-")[0]] for name, recipe in RECIPES.items())


@pytest.mark.parametrize("collection", ["lidc", "sts"])
def test_what_caldiff_is_compared_with_is_trained_as_it_is(collection):
    ours = RECIPES[f"{collection}-caldiff"]
    for rival in ("prob-unet", "phiseg", "dropout", "ensemble", "caldiff-plain", "caldiff-no-step-uc"):
        theirs = RECIPES[f"{collection}-{rival}"]
        assert theirs == replace(ours, model_id=theirs.model_id, system=theirs.system, config=theirs.config)


@EVERY_OF_STS
def test_the_demonstration_case_is_in_no_training_set(recipe):
    """Whichever fold it may be in."""
    everywhere = Split(tuple(("STS_010", f"STS_90{fold}") for fold in range(4)), {})
    assert training_names(recipe, everywhere) == [f"STS_90{fold}" for fold in recipe.data.folds]


@EVERY_OF_STS
def test_the_real_split_trains_neither_on_the_demonstration_case_nor_on_the_validation_fold(recipe):
    if not SPLIT.is_file():
        pytest.skip("the split of the whole collection is not beside this repository")
    split = read_split(SPLIT)
    names = training_names(recipe, split)
    assert "STS_010" in split.names
    assert "STS_010" not in names
    assert len(names) == len(set(names)) == 26
    assert not set(names) & set(split.folds[0])


@EVERY
def test_a_window_is_made_of_whole_strides(recipe):
    stride = build(recipe.system, recipe.config).stride
    shape = recipe.windows.shape[-len(stride) :]  # a 2D network sees slices
    assert set(recipe.windows.shape[: -len(stride)]) <= {1}
    assert all(n % s == 0 for n, s in zip(shape, stride, strict=True))


@EVERY
def test_a_recipe_stands_under_its_models_id_and_brings_its_systems_config_licence_and_citation(recipe):
    assert RECIPES[recipe.model_id] is recipe
    assert isinstance(recipe.config, network_class(recipe.system).config_type)
    [collection] = recipe.data.collections
    assert recipe.data.licence == f"Apache-2.0; trained on {collection.terms} (see card.md)"
    doi = DOIS[recipe.model_id.split("-")[0]]
    assert any(doi in text for text in recipe.data.attribution)


def differences(recipe):
    """The settings of a recipe that are not those of the published system."""
    ours, theirs = ({**asdict(r), **asdict(r)["config"], **asdict(r)["windows"]} for r in (recipe, STS))
    return {k: v for k, v in ours.items() if v != theirs[k]} | {"model_id": recipe.model_id}


@pytest.mark.parametrize(
    ("name", "taken_out"),
    [
        ("whole", {}),
        ("no-diffusion", {"diffusion": False}),
        ("no-gating", {"gating": False}),
        ("no-alignment", {"lambda_align": 0.0}),
        ("no-time", {"time_conditioned": False}),
        ("no-dropout", {"drop_one": 0.0, "drop_two": 0.0}),
        ("cnn-only", {"diffusion": False, "gating": False, "transformer": False, "lambda_align": 0.0}),
    ],
)
def test_an_ablation_differs_in_what_it_takes_out_alone(name, taken_out):
    found = differences(ABLATIONS[name])
    of_all = ("model_id", "config", "windows", "reliability_windows")
    assert {k: v for k, v in found.items() if k not in of_all} == taken_out
    assert ABLATIONS[name].reliability_windows == ABLATIONS["whole"].reliability_windows
    assert found["model_id"] == f"sts-diffufusemed-{name}"
