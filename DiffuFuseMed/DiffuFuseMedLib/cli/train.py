"""`diffufusemed train`: a recipe becomes a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import input_error
from .console import STOPPED, err_console, out_console, progress
from .options import DeviceOption, SplitOption
from .synthesize import INPAINTER, SYNTHESIZER

if TYPE_CHECKING:
    from ..models.registry import ModelRecord
    from ..training.loop import RunContext
    from ..training.recipe import Recipe

FUSION = "clin-fusediff"
DEFAULT_RECIPE = "sts-diffufusemed"


def train(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    out: Annotated[Path, typer.Option(help="Folder that gets <model id>/.")] = Path("models"),
    recipe: Annotated[str, typer.Option(help="A recipe's name; a wrong one lists them.")] = DEFAULT_RECIPE,
    split: SplitOption = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Stop by the clock instead of the recipe's own.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed than the recipe's.")] = None,
    start: Annotated[str | None, typer.Option(help="A model to go on from instead of from scratch.")] = None,
    rate: Annotated[float | None, typer.Option(help="Another learning rate than the recipe's.")] = None,
    pairs: Annotated[
        list[Path] | None,
        typer.Option(help="Fusion only: a folder of registered 8-bit pairs, MRI/ beside CT/, PET/ or SPECT/."),
    ] = None,
    drgo: Annotated[
        bool, typer.Option("--drgo", help="Let regions guide sampling and loss (DRGO); any recipe of a segmenter.")
    ] = False,
    synthetic: Annotated[
        float | None,
        typer.Option(help="Share of batches with synthetic tumors in the patients' healthy part; any segmenter."),
    ] = None,
    faint: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of windows whose lesion takes up less tracer in PET; any segmenter."),
    ] = None,
    ace: Annotated[
        float | None,
        typer.Option(min=0, help="Weight of the average calibration error in the loss, such as 1; any segmenter."),
    ] = None,
    folds: Annotated[
        str | None, typer.Option(help="Train on these folds instead of the recipe's, such as 0,2,3; any segmenter.")
    ] = None,
    synthesizer: Annotated[str, typer.Option(help="What draws them: an id, or the path of a folder.")] = SYNTHESIZER,
    inpainter: Annotated[str, typer.Option(help="What takes the patients' own lesions out first.")] = INPAINTER,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    checkpoints: Annotated[Path, typer.Option(help="Folder that gets <recipe>/ with what a run goes on from.")] = (
        Path("out") / "checkpoints"
    ),
    device: DeviceOption = "auto",
) -> None:
    """Train a recipe's weights from scratch and write them as a model (clin-fusediff: teacher and student).

    Ctrl-C finishes the step and keeps what --resume goes on from, to the same weights as without a stop.
    """
    of_segmenters = {"--start": start, "--drgo": drgo or None, "--synthetic": synthetic, "--faint": faint, "--ace": ace}
    _check_used(recipe, pairs, {**of_segmenters, "--folds": folds})
    split = split or cases / "split.json"
    told: dict[str, Any] = {"minutes": minutes, "seed": seed, "learning_rate": rate, "ace": ace}
    told = {name: value for name, value in told.items() if value is not None}
    with running(checkpoints / recipe, resume, device) as context:
        if recipe == FUSION:
            records = _train_fusion(told, cases, split, out, tuple(pairs or ()), context)
        elif recipe in _synthesis_recipes():
            records = [_train_synthesis(recipe, told, cases, split, out, context)]
        else:
            wanted = _on_folds(_segmenters_recipe(recipe, told, drgo, synthetic, faint), folds)
            makers = {"synthesizer": synthesizer, "inpainter": inpainter}
            records = [_train_segmenter(wanted, cases, split, out, start, makers, context)]
    for record in records:
        out_console.print(f"{out / record.id}: {record.training['steps_done']} steps.", soft_wrap=True)


def _check_used(recipe: str, pairs: list[Path] | None, of_segmenters: dict[str, Any]) -> None:
    """An option that a recipe has no use for is refused, not ignored."""
    for option, asked in of_segmenters.items():
        if asked is not None and (recipe == FUSION or recipe in _synthesis_recipes()):
            what = "a fusion" if recipe == FUSION else f"the recipe {recipe!r}"
            raise input_error(f"{option} for {what}", "a recipe of a segmenter", f"leave out {option}")
    if recipe != FUSION and pairs:
        raise input_error(f"--pairs for the recipe {recipe!r}", f"--recipe {FUSION}", "leave out --pairs")


def _synthesis_recipes() -> dict[str, Any]:
    from ..tasks.synthesize.recipes import RECIPES

    return RECIPES


@contextmanager
def running(folder: Path, resume: bool, device: str) -> Iterator[RunContext]:
    """Where a training runs: its progress on the console, its checkpoints in `folder`; a clean stop is a sentence."""
    from ..models.devices import choose
    from ..training.checkpoint import Checkpoints
    from ..training.loop import RunContext
    from ..training.stopping import TrainingStoppedError, stop_signals

    try:
        with stop_signals() as stop, progress() as step:
            yield RunContext(choose(device), step, checkpoints=Checkpoints(folder, resume), stop=stop)
    except TrainingStoppedError as stopped:
        err_console.print(str(stopped), markup=False, soft_wrap=True)
        raise typer.Exit(STOPPED) from stopped


def _segmenters_recipe(
    name: str, told: dict[str, Any], drgo: bool, synthetic: float | None, faint: float | None
) -> Recipe:
    """The recipe of this name as it was asked for; raises InputError for one that is none."""
    from ..losses import Drgo
    from ..tasks.segment.recipes import RECIPES
    from ..training.synthetic import Synthetic

    if name not in RECIPES:
        known = ", ".join((*RECIPES, *_synthesis_recipes(), FUSION))
        raise input_error(f"the recipe {name!r}", f"one of {known}", "choose one with --recipe")
    recipe = replace(RECIPES[name], **told)
    if drgo and recipe.drgo is None:
        recipe = replace(recipe, drgo=Drgo())
    if faint is not None:
        recipe = replace(recipe, windows=replace(recipe.windows, faint=faint))
    return recipe if synthetic is None else replace(recipe, synthetic=Synthetic(synthetic))


def _on_folds(recipe: Recipe, folds: str | None) -> Recipe:
    """The recipe on the patients of other folds, where they are told; raises InputError for what are no folds."""
    if folds is None:
        return recipe
    parts = [part.strip() for part in folds.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise input_error(f"--folds {folds!r}", "numbers of folds, such as 0,2,3", "correct --folds")
    return replace(recipe, data=replace(recipe.data, folds=tuple(sorted({int(part) for part in parts}))))


def _train_segmenter(
    recipe: Recipe,
    cases: Path,
    split: Path,
    out: Path,
    start: str | None,
    makers: dict[str, str],
    context: RunContext,
) -> ModelRecord:
    from ..tasks.segment.train import run_recipe
    from ..tasks.synthesize.hybrid import run_hybrid_recipe

    if recipe.synthetic is None:
        return run_recipe(recipe, cases, split, out, context, start)
    return run_hybrid_recipe(recipe, cases, split, out, context, start, **makers)


def _train_synthesis(
    name: str, told: dict[str, Any], cases: Path, split: Path, out: Path, context: RunContext
) -> ModelRecord:
    entry = _synthesis_recipes()[name]
    return entry.run(replace(entry.recipe, **told), cases, split, out, context)


def _train_fusion(
    told: dict[str, Any], cases: Path, split: Path, out: Path, pairs: tuple[Path, ...], context: RunContext
) -> list[ModelRecord]:
    from ..systems.clin_fusediff.recipe import FusionRecipe
    from ..tasks.fuse.train import run_fusion_recipe, training_stacks

    minutes = told.pop("minutes", None)
    recipe = replace(FusionRecipe() if minutes is None else FusionRecipe().lasting(minutes), **told)
    return [*run_fusion_recipe(recipe, training_stacks(recipe, cases, split, pairs), out, context)]
