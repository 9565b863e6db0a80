"""A segmenter trained on real and synthetic cases (Diff4MMLiTS, III.C): the stage that follows NCG and MCS."""

from __future__ import annotations

from pathlib import Path

from ...core.errors import input_error
from ...io.split import read_split
from ...models import zoo
from ...preprocessing.load import load_whole
from ...systems.diff4mmlits import inpainter_recipe, synthesizer_recipe
from ...training.loop import RunContext
from ...training.recipe import Recipe
from ...training.synthetic import SyntheticCases
from ..segment.train import run_recipe, training_names
from .contract import check_synthesizes
from .training_tumors import TrainingTumors, remover_of

SYNTHESIZER, INPAINTER = synthesizer_recipe.STS.model_id, inpainter_recipe.STS.model_id


def run_hybrid_recipe(
    recipe: Recipe,
    folder: Path,
    split_file: Path,
    out: Path,
    context: RunContext | None = None,
    start: str | None = None,
    synthesizer: str = SYNTHESIZER,
    inpainter: str = INPAINTER,
) -> zoo.ModelRecord:
    """run_recipe() of a recipe with synthetic cases, made of its own training patients alone. synthesizer, inpainter:
    ids or folders. Raises InputError as that does, and for models of which either has seen a patient whom the recipe
    leaves out: what is scored there would not be unseen."""
    context = context or RunContext()
    split = read_split(split_file)
    names = training_names(recipe, split)
    settings = recipe.synthetic
    assert settings is not None, "a recipe with synthetic cases"
    drawer, remover = zoo.load(synthesizer, context.device), zoo.load(inpainter, context.device)
    check_synthesizes(drawer.network, drawer.record.system)
    _check_unseen(recipe, split.folds, (drawer, remover))
    tumors = TrainingTumors(
        [load_whole(folder / name) for name in names],
        settings,
        drawer,
        remover_of(settings.remover, remover),
        recipe.windows.working_spacing_kji_mm,
        tuple(recipe.config.modalities),
        recipe.seed,
    )
    made_with = {"synthesizer": drawer.record.sha256, "inpainter": remover.record.sha256}
    return run_recipe(recipe, folder, split_file, out, context, start, SyntheticCases(tumors, settings, made_with))


def _check_unseen(recipe: Recipe, folds: tuple[tuple[str, ...], ...], models: tuple[zoo.Model, ...]) -> None:
    """Whoever is in a fold that the recipe does not train on, or is held out, is scored."""
    scored = {name for n, fold in enumerate(folds) if n not in recipe.data.folds for name in fold}
    scored |= set(recipe.data.held_out)
    for model in models:
        if seen := sorted(scored & set(model.record.patients)):
            given = f"{model.record.id}, which was trained on {seen[0]}, whom {recipe.model_id} is scored on"
            raise input_error(given, "one trained on the same folds", "choose another, or another fold")
