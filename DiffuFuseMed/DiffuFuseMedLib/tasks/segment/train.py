"""A recipe from case folders to a model folder."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ... import __version__
from ...core.errors import input_error
from ...io.split import Split, read_split
from ...models import zoo
from ...preprocessing.load import load_case
from ...systems import build
from ...systems.diffufusemed.reliability_fit import fit_reliability
from ...training.dataset import TrainingCase, training_case
from ...training.loop import Trained, train
from ...training.recipe import Recipe

log = logging.getLogger(__name__)
LICENCE = "Apache-2.0; trained on the Soft-tissue-Sarcoma collection of TCIA, CC BY 3.0 (see card.md)"


def training_names(recipe: Recipe, split: Split) -> list[str]:
    """The patients of the recipe's folds without those held out; raises InputError when there are none."""
    if max(recipe.folds) >= len(split.folds):
        wanted = f"the recipe's folds {', '.join(map(str, recipe.folds))}"
        raise input_error(f"a split of {len(split.folds)} folds, counted from 0", wanted, "pass another with --split")
    names = [name for fold in recipe.folds for name in split.folds[fold] if name not in recipe.held_out]
    if not names:
        raise input_error("a split whose training folds are empty", "patients to train on", "pass another with --split")
    return names


def training_cases(recipe: Recipe, folder: Path, split: Split) -> list[TrainingCase]:
    modalities = tuple(recipe.config.modalities)
    return [training_case(load_case(folder / name), modalities) for name in training_names(recipe, split)]


def run_recipe(
    recipe: Recipe,
    folder: Path,
    split_file: Path,
    out: Path,
    device: str = "cpu",
    progress: Callable[[float, str], None] | None = None,
    start: str | None = None,
) -> zoo.ModelRecord:
    """Train and write out/<model id>/; the average so far is written there every tenth of the run.

    start: a model to go on from; what its weights do not have, or have in another shape, begins fresh.
    """
    split = read_split(split_file)
    cases = training_cases(recipe, folder, split)
    path = out / recipe.model_id
    weights, before = zoo.weights(start) if start else (None, None)

    def keep(trained: Trained) -> zoo.ModelRecord:
        record = record_of(recipe, trained, split, device)
        if before:
            record["training"]["started_from"] = {"sha256": before.sha256, "training": before.training}
        return zoo.save(trained.network, record, path)

    torch.manual_seed(recipe.seed)
    network = build(recipe.system, recipe.config)
    trained = train(recipe, network, cases, device, progress, keep, weights)
    if getattr(recipe.config, "gating", False):
        fit_reliability(trained.network, cases, recipe, device, progress)
    return keep(trained)


def record_of(recipe: Recipe, trained: Trained, split: Split, device: str) -> dict[str, Any]:
    """Everything of model.json but the weights' own facts."""
    settings = {k: v for k, v in asdict(recipe).items() if k not in ("config", "windows", "system", "model_id")}
    return {
        "id": recipe.model_id,
        "system": recipe.system,
        "window": asdict(recipe.windows),
        "licence": LICENCE,
        "training": {
            "patients": training_names(recipe, split),
            **settings,
            "steps_done": trained.steps,
            "minutes_done": round(trained.minutes, 1),
            "hardware": hardware(device),
            "versions": {"DiffuFuseMed": __version__, "torch": torch.__version__},
            "history": [{k: round(v, 4) for k, v in row.items()} for row in trained.history[::5]],
        },
    }


def hardware(device: str) -> str:
    """What the run ran on, in words."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(0)
    return f"{torch.get_num_threads()} threads of {os.cpu_count()} CPU cores, {platform.machine()}"
