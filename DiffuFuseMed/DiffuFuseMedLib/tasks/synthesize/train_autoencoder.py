"""The autoencoder's recipe from case folders to a model folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ...io.split import read_split
from ...models import zoo
from ...preprocessing.load import load_whole
from ...systems import build
from ...systems.diff4mmlits.autoencoder_objective import AutoencoderTraining
from ...systems.diff4mmlits.autoencoder_recipe import AutoencoderRecipe
from ...systems.diff4mmlits.tumor_windows import TumorCase, draw_windows, tumor_case
from ...training.identity import identity
from ...training.loop import RunContext, optimize
from ...training.recipe import BaseRecipe
from ...training.record import training_facts
from ...training.state import Stage, Trained


def run_recipe(
    recipe: AutoencoderRecipe, folder: Path, split_file: Path, out: Path, context: RunContext | None = None
) -> zoo.ModelRecord:
    """Train and write out/<model id>/; the average so far is written there every tenth of the run.

    Raises TrainingStoppedError where the context asks for a stop.
    """
    context = context or RunContext()
    names = recipe.data.patients(read_split(split_file))
    cases = tumor_cases(folder, names, recipe.config.modalities, recipe.config.spacing_mm)
    context.claim(identity(recipe, [case.fingerprint() for case in cases]))

    def keep(trained: Trained) -> zoo.ModelRecord:
        facts = record_of(recipe, trained, names, context.device)
        window = {"shape": (recipe.config.window,) * 3, "spacing_kji_mm": (recipe.config.spacing_mm,) * 3}
        return zoo.save(trained.network.autoencoder, {**facts, "window": window}, out / recipe.model_id)

    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    record = keep(optimize(_stage(recipe, cases), generator, replace(context, snapshot=keep)))
    context.over()
    return record


def tumor_cases(folder: Path, names: list[str], modalities: tuple[str, ...], spacing_mm: float) -> list[TumorCase]:
    """The cases of these folders; raises InputError as tumor_case() does."""
    return [tumor_case(load_whole(folder / name), tuple(modalities), spacing_mm) for name in names]


def _stage(recipe: AutoencoderRecipe, cases: list[TumorCase]) -> Stage:
    network = AutoencoderTraining(build(recipe.system, recipe.config), recipe.weights)
    budget = recipe.optimization(steps=recipe.steps, minutes=recipe.minutes)
    sampler = lambda generator: draw_windows(cases, recipe.batch, recipe.windows, generator)  # noqa: E731
    return Stage(recipe.model_id, network, sampler, network.loss, budget)


def record_of(recipe: BaseRecipe, trained: Trained, names: list[str], device: str) -> dict[str, Any]:
    """Everything of model.json but the window and the weights' own facts."""
    told: Any = recipe
    return {
        "id": told.model_id,
        "system": told.system,
        "licence": recipe.data.licence,
        "training": training_facts(recipe, trained, names, device, ("config", "system", "model_id")),
    }
