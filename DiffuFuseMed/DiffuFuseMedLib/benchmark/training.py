"""The training of one recipe with one seed, on the same folds, windows and minutes as every other of its suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import torch

from ..core.errors import input_error
from ..io.split import Split, read_split
from ..models import zoo
from ..models.devices import choose
from ..models.registry import RECORD
from ..tasks.segment.calibrate import calibrate, check_cases, check_patients
from ..tasks.segment.evaluate import read_cases
from ..tasks.segment.settings import Settings
from ..tasks.segment.train import run_recipe, training_names
from ..tasks.synthesize.hybrid import run_hybrid_recipe
from ..training.checkpoint import Checkpoints
from ..training.loop import RunContext
from ..training.recipe import Recipe
from ..training.stopping import TrainingStoppedError, stop_signals
from .jobs import Job, fingerprint_of, fingerprint_of_values
from .variants import id_of, variant_of

MAKERS = ("synthesizer", "inpainter")
# What a recipe is by itself: everything else of its windows is that of the suite's first recipe.
OWN = ("drop_one", "drop_two", "clean_complete", "originals", "simulated_readers", "faint")


def recipe_of(name: str, like: str, fold: int | None, folds: int, minutes: float, seed: int) -> Recipe:
    """The recipe as a suite trains it: with the windows and augmentation of `like`, without the fold that is held out,
    for so many minutes. A network of slices beside one of volumes keeps the shape of its windows. Raises InputError
    for a name that is none."""
    recipe, first = variant_of(name), variant_of(like)
    own = {field.name: getattr(recipe.windows, field.name) for field in fields(recipe.windows) if field.name in OWN}
    if (recipe.windows.shape[0] == 1) != (first.windows.shape[0] == 1):
        own["shape"] = recipe.windows.shape
    data = replace(recipe.data, folds=tuple(n for n in range(folds) if n != fold))
    return replace(recipe, windows=replace(first.windows, **own), data=data, minutes=minutes, seed=seed)


def train(job: Job) -> dict[str, Any]:
    """Train, and calibrate on the fold that is held out, each patient without itself. A run that was killed goes on
    from its checkpoint.

    The result tells the model's folder below places["out"], the sha256 of its record, and what the training came to.
    Raises KeyboardInterrupt once a stop was asked for and the checkpoint is written.
    """
    spec, cases, split_file = job.spec, Path(job.places["cases"]), Path(job.places["split"])
    split, out = read_split(split_file), Path(job.places["out"])
    told = {name: spec[name] for name in ("fold", "minutes", "seed")}
    recipe = recipe_of(spec["recipe"], spec["like"], folds=len(split.folds), **told)
    folder, checkpoints = folder_of(job), out / "checkpoints" / job.key[:16]
    kept = _UntilCalibrated(checkpoints, resume=checkpoints.is_dir() and any(checkpoints.glob("*.safetensors")))
    check_ready(job, recipe, split)
    try:
        with threads(job.cores), stop_signals() as stop:
            context = RunContext(choose(spec["device"]), checkpoints=kept, stop=stop)
            record = _trained(recipe, job, out / folder, context)
            _calibrate(record, out / folder / record.id, cases, split, spec)
    except TrainingStoppedError as stopped:
        raise KeyboardInterrupt(str(stopped)) from stopped
    Checkpoints.discard(kept)
    model = out / folder / record.id
    facts = {name: record.training[name] for name in ("steps_done", "minutes_done", "hardware", "patients")}
    return {"folder": str(Path(folder) / record.id), "record": fingerprint_of(model / RECORD), **facts}


class _UntilCalibrated(Checkpoints):
    """They stay when the training is over: what is killed while it calibrates has not to be trained again."""

    def discard(self) -> None:
        """Not before the model is calibrated."""


def check_ready(job: Job, recipe: Recipe, split: Split) -> None:
    """Before minutes of training. Raises InputError for cases that were changed since this was planned, and for a fold
    on which the model could not be calibrated."""
    held_out, cases = split.folds[job.spec["fold"]], Path(job.places["cases"])
    if fingerprint_of_cases(cases, recipe, split, job.spec["fold"]) != job.rests_on["cases"]:
        given = "cases which are not what they were when this was planned"
        raise input_error(given, "files that stay the same, and the same on each machine", "run the same command again")
    check_patients(len(held_out))
    check_cases(read_cases(cases, [name], split)[0] for name in held_out)


def fingerprint_of_cases(cases: Path, recipe: Recipe, split: Split, fold: int) -> str:
    """Of all that a training and its calibration read."""
    names = (*training_names(recipe, split), *split.folds[fold])
    return fingerprint_of_values([fingerprint_of(cases / name) for name in names])


def folder_of(job: Job) -> str:
    """Below the benchmark's folder, with a part of the key: a model of other minutes is another one."""
    return f"models/{id_of(job.spec['recipe'])}-seed-{job.spec['seed']}-{job.key[:8]}"


def _trained(recipe: Recipe, job: Job, out: Path, context: RunContext) -> zoo.ModelRecord:
    cases, split_file = Path(job.places["cases"]), Path(job.places["split"])
    if recipe.synthetic is None:
        return run_recipe(recipe, cases, split_file, out, context)
    makers = {name: job.places[name] for name in MAKERS}
    return run_hybrid_recipe(recipe, cases, split_file, out, context, **makers)


def content_of(recipe: Recipe) -> dict[str, Any]:
    """All of a recipe's settings, for its fingerprint; without those that came later and that it does not use, so that
    what was trained before is found."""
    told = asdict(recipe)
    if recipe.synthetic is None:
        del told["synthetic"]
    if recipe.ace == 0:
        del told["ace"]
    if recipe.data.portion == 1:
        del told["data"]["portion"]
    if recipe.windows.faint == 0:
        del told["windows"]["faint"]
    return told


def _calibrate(record: zoo.ModelRecord, folder: Path, cases: Path, split: Split, spec: dict[str, Any]) -> None:
    names = split.folds[spec["fold"]]
    model = zoo.load(str(folder), choose(spec["device"]))
    fitted = calibrate(model, read_cases(cases, names, split), Settings(spec["samples"], spec["seed"]))
    zoo.write_record(replace(record, calibration=fitted.calibration), folder)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """PyTorch works on so many cores meanwhile: minutes are counted by them."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
