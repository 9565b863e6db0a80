"""`diffufusemed train`: a recipe becomes a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import input_error
from .console import out_console, progress
from .options import DEFAULT_MODEL, DeviceOption, SplitOption

FUSION = "clin-fusediff"


def train(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    out: Annotated[Path, typer.Option(help="Folder that gets <model id>/.")] = Path("models"),
    recipe: Annotated[str, typer.Option(help="A recipe of tasks/segment/recipes.py; a wrong name lists them.")] = (
        DEFAULT_MODEL
    ),
    split: SplitOption = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Stop by the clock instead of the recipe's own.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the recipe's.")] = None,
    start: Annotated[str | None, typer.Option(help="A model to go on from instead of from scratch.")] = None,
    rate: Annotated[float | None, typer.Option(help="Another learning rate than the recipe's.")] = None,
    pairs: Annotated[
        list[Path] | None,
        typer.Option(help="Fusion only: a folder of registered 8-bit pairs, MRI/ beside CT/, PET/ or SPECT/."),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Train a recipe's weights from scratch and write them as a model (clin-fusediff: teacher and student)."""
    from ..models.devices import choose
    from ..tasks.segment.recipes import RECIPES
    from ..tasks.segment.train import run_recipe

    if recipe == FUSION:
        _train_fusion(cases, out, split or cases / "split.json", minutes, seed, tuple(pairs or ()), device)
        return
    if recipe not in RECIPES:
        known = ", ".join((*RECIPES, FUSION))
        raise input_error(f"the recipe {recipe!r}", f"one of {known}", "choose one with --recipe")
    told = {"minutes": minutes, "seed": seed, "learning_rate": rate}
    chosen = replace(RECIPES[recipe], **{k: v for k, v in told.items() if v is not None})
    with progress() as step:
        record = run_recipe(chosen, cases, split or cases / "split.json", out, choose(device), step, start)
    out_console.print(f"{out / record.id}: {record.training['steps_done']} steps.", soft_wrap=True)


def _train_fusion(
    cases: Path, out: Path, split: Path, minutes: float | None, seed: int | None, pairs: tuple[Path, ...], device: str
) -> None:
    from ..models.devices import choose
    from ..systems.clin_fusediff.recipe import FusionRecipe
    from ..tasks.fuse.train import run_fusion_recipe, training_stacks

    recipe = FusionRecipe() if minutes is None else FusionRecipe().lasting(minutes)
    recipe = recipe if seed is None else replace(recipe, seed=seed)
    stacks = training_stacks(recipe, cases, split, pairs)
    with progress() as step:
        records = run_fusion_recipe(recipe, stacks, out, choose(device), step)
    for record in records:
        out_console.print(f"{out / record.id}: {record.training['steps_done']} steps.", soft_wrap=True)
