"""A recipe from case folders to a model folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...core.errors import input_error
from ...io.split import Split, read_split
from ...models import zoo
from ...preprocessing.load import load_whole
from ...systems import build
from ...training.after import FitsAfterTraining, LearnsFromAverage
from ...training.calibration_loss import calibrated
from ...training.dataset import TrainingCase, training_case
from ...training.identity import identity
from ...training.loop import RunContext, optimize
from ...training.recipe import Recipe
from ...training.record import training_facts
from ...training.region_guide import RegionGuide
from ...training.samplers import mixed, windows_of
from ...training.state import Stage, Trained
from ...training.synthetic import SyntheticCases


def training_names(recipe: Recipe, split: Split) -> list[str]:
    """The patients of the recipe's folds without those held out; raises InputError when there are none."""
    return recipe.data.patients(split)


def training_cases(recipe: Recipe, folder: Path, split: Split) -> list[TrainingCase]:
    modalities = tuple(recipe.config.modalities)
    spacing = recipe.windows.working_spacing_kji_mm
    return [training_case(load_whole(folder / name), modalities, spacing) for name in training_names(recipe, split)]


def run_recipe(
    recipe: Recipe,
    folder: Path,
    split_file: Path,
    out: Path,
    context: RunContext | None = None,
    start: str | None = None,
    synthetic: SyntheticCases | None = None,
) -> zoo.ModelRecord:
    """Train and write out/<model id>/; the average so far is written there every tenth of the run.

    start: a model to go on from; what its weights do not have, or have in another shape, begins fresh; synthetic: the
    cases of a recipe with Synthetic (tasks/synthesize/hybrid.py makes them). Raises TrainingStoppedError where the
    context asks for a stop.
    """
    context = context or RunContext()
    split = read_split(split_file)
    cases = training_cases(recipe, folder, split)
    weights, before = zoo.weights(start) if start else ({}, None)
    made_with = synthetic.made_with if synthetic else None
    prints = [case.fingerprint() for case in cases]
    context.claim(identity(recipe, prints, before.sha256 if before else "", made_with))

    def keep(trained: Trained) -> zoo.ModelRecord:
        record = record_of(recipe, trained, split, context.device)
        if before:
            record["training"]["started_from"] = {"sha256": before.sha256, "training": before.training}
        if made_with:
            record["training"]["made_with"] = made_with
        return zoo.save(trained.network, record, out / recipe.model_id)

    torch.manual_seed(recipe.seed)
    stage = stage_of(recipe, build(recipe.system, recipe.config), cases, weights, synthetic)
    generator = torch.Generator().manual_seed(recipe.seed)
    trained = optimize(stage, generator, replace(context, snapshot=keep))
    if isinstance(trained.network, FitsAfterTraining):
        trained.network.fit_after_training(cases, recipe, context.device, context.tell)
    record = keep(trained)
    context.over()
    return record


def stage_of(
    recipe: Recipe,
    network: Any,
    cases: list[TrainingCase],
    start: dict[str, Tensor] | None = None,
    synthetic: SyntheticCases | None = None,
) -> Stage:
    """The recipe's one stage: windows of the cases, the synthetic among them, and the loss that the network gives
    itself; both guided by regions where the recipe wants DRGO. Raises InputError for a recipe that wants synthetic
    cases and gets none."""
    if recipe.synthetic and synthetic is None:
        given = f"the recipe {recipe.model_id}, of synthetic cases, without any"
        raise input_error(given, "a synthesizer that makes them", "pass --synthesizer, or train without")
    budget = {"steps": recipe.steps, "minutes": recipe.minutes, "fresh_rate": recipe.fresh_rate}
    guide = RegionGuide(cases, recipe.windows, recipe.drgo) if recipe.drgo else None
    sampler = windows_of(cases, recipe.batch, recipe.windows, guide if guide and guide.settings.sampling else None)
    if recipe.synthetic and synthetic:
        synthetic.cases()  # made before the clock starts, as the paper's stages follow each other
        sampler = mixed(sampler, synthetic.sampler(recipe.batch, recipe.windows), recipe.synthetic.share)
    losses = guide.around(network.loss) if guide else network.loss
    losses = calibrated(losses, recipe.ace) if recipe.ace else losses
    optimization, from_average = recipe.optimization(**budget), isinstance(network, LearnsFromAverage)
    return Stage(recipe.model_id, network, sampler, losses, optimization, guide, synthetic, start or {}, from_average)


def record_of(recipe: Recipe, trained: Trained, split: Split, device: str) -> dict[str, Any]:
    """Everything of model.json but the weights' own facts."""
    return {
        "id": recipe.model_id,
        "system": recipe.system,
        "window": {**recipe.facts()["windows"], **recipe.windows.of_the_network},
        "licence": recipe.data.licence,
        "training": training_facts(
            recipe, trained, training_names(recipe, split), device, ("config", "windows", "system", "model_id")
        ),
    }
