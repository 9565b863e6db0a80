"""The inpainter's recipe from case folders to a model folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ...io.split import read_split
from ...models import zoo
from ...preprocessing.load import load_whole
from ...systems import build
from ...systems.diff4mmlits.inpainter_objective import InpainterTraining
from ...systems.diff4mmlits.inpainter_recipe import InpainterRecipe
from ...systems.diff4mmlits.inpainter_slices import TrainingSlices, draw_slices, training_slices
from ...training.identity import identity
from ...training.loop import RunContext, optimize
from ...training.record import training_facts
from ...training.state import Stage, Trained


def run_recipe(
    recipe: InpainterRecipe, folder: Path, split_file: Path, out: Path, context: RunContext | None = None
) -> zoo.ModelRecord:
    """Train and write out/<model id>/; the average so far is written there every tenth of the run.

    Raises TrainingStoppedError where the context asks for a stop.
    """
    context = context or RunContext()
    names = recipe.data.patients(read_split(split_file))
    modalities, spacing_mm = tuple(recipe.config.modalities), recipe.config.spacing_mm
    cases = [training_slices(load_whole(folder / name), modalities, spacing_mm) for name in names]
    context.claim(identity(recipe, [case.fingerprint() for case in cases]))

    def keep(trained: Trained) -> zoo.ModelRecord:
        record = record_of(recipe, trained, names, context.device)
        return zoo.save(trained.network.inpainter, record, out / recipe.model_id)

    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    record = keep(optimize(stage_of(recipe, cases), generator, replace(context, snapshot=keep)))
    context.over()
    return record


def stage_of(recipe: InpainterRecipe, cases: list[TrainingSlices]) -> Stage:
    """The recipe's one stage: the inpainter and its discriminator, from fresh weights."""
    network = InpainterTraining(build(recipe.system, recipe.config), recipe.weights)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a fifth faster on a CPU
    budget = recipe.optimization(steps=recipe.steps, minutes=recipe.minutes)
    sampler = lambda generator: draw_slices(cases, recipe.batch, recipe.slices, generator)  # noqa: E731
    return Stage(recipe.model_id, network, sampler, network.loss, budget)


def record_of(recipe: InpainterRecipe, trained: Trained, names: list[str], device: str) -> dict[str, Any]:
    """Everything of model.json but the weights' own facts."""
    config = recipe.config
    return {
        "id": recipe.model_id,
        "system": recipe.system,
        "window": {"shape": (config.window_px,) * 2, "spacing_kji_mm": (config.spacing_mm,) * 2},
        "licence": recipe.data.licence,
        "training": training_facts(recipe, trained, names, device, ("config", "system", "model_id")),
    }
