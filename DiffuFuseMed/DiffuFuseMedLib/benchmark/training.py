"""The training of one recipe with one seed, on the same folds, windows and minutes as every other of its suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import torch

from ..io.split import Split, read_split
from ..models import zoo
from ..models.devices import choose
from ..models.registry import RECORD
from ..tasks.segment.calibrate import calibrate
from ..tasks.segment.evaluate import read_cases
from ..tasks.segment.settings import Settings
from ..tasks.segment.train import run_recipe
from ..tasks.synthesize.hybrid import run_hybrid_recipe
from ..training.checkpoint import Checkpoints
from ..training.loop import RunContext
from ..training.recipe import Recipe
from ..training.stopping import TrainingStoppedError, stop_signals
from .jobs import Job, fingerprint_of
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
    kept = Checkpoints(checkpoints, resume=checkpoints.is_dir() and any(checkpoints.glob("*.safetensors")))
    try:
        with threads(job.cores), stop_signals() as stop:
            context = RunContext(choose(spec["device"]), checkpoints=kept, stop=stop)
            record = _trained(recipe, job, out / folder, context)
            _calibrate(record, out / folder / record.id, cases, split, spec)
    except TrainingStoppedError as stopped:
        raise KeyboardInterrupt(str(stopped)) from stopped
    model = out / folder / record.id
    facts = {name: record.training[name] for name in ("steps_done", "minutes_done", "hardware", "patients")}
    return {"folder": str(Path(folder) / record.id), "record": fingerprint_of(model / RECORD), **facts}


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
