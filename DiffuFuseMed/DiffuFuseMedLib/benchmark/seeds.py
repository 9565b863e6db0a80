"""What each training of a suite came to, seed by seed: two seeds of one recipe may differ more than two recipes do."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean
from typing import Any

from ..core.errors import InputError
from ..models.registry import read_record
from ..tasks.segment.evaluate import CLEAN
from .drawing import SIZE_IN, color, named, new, png
from .jobs import Done
from .parts import Picture, Table
from .results import Results
from .tables import Column
from .variants import id_of

SHOWN = (
    Column("Dice, %", "dice", 100, 1), Column("HD95, mm", "hd95_mm", 1, 1), Column("NSD at 2 mm", "nsd_2mm"),
    Column("ECE", "ece"), Column("Brier", "brier"),
)  # fmt: skip
LINES = ("-", "--", ":", "-.")  # a seed each


def each_seed(results: Results) -> Table | None:
    """Steps and means over patients of every training; None where nothing was trained."""
    rows = [
        (id_of(spec["recipe"]), str(spec["seed"]), str(done.result["steps_done"]), *_means(results, spec))
        for done in results.of("train")
        for spec in (done.job.spec,)
    ]
    if not rows:
        return None
    note = "Means over the patients, of one training each: how far two seeds of a row lie apart is what chance does."
    columns = ("network", "seed", "steps", *(column.title for column in SHOWN))
    return Table("Each seed by itself", columns, tuple(rows), (note,))


def training_curves(results: Results) -> Picture | None:
    """The Dice loss of the training windows against the step; None where no training kept it."""
    figure = new((2 * SIZE_IN[0] * 0.75, SIZE_IN[1]))
    axes = figure.add_subplot()
    recipes = list(dict.fromkeys(done.job.spec["recipe"] for done in results.of("train")))
    seeds = list(dict.fromkeys(done.job.spec["seed"] for done in results.of("train")))
    drawn = 0
    for done in results.of("train"):
        spec, course = done.job.spec, list(_course(results, done))
        if len(course) > 1:
            line = LINES[seeds.index(spec["seed"]) % len(LINES)]
            label = f"{id_of(spec['recipe'])}, seed {spec['seed']}"
            axes.plot(*zip(*course, strict=True), line, color=color(recipes.index(spec["recipe"])), label=label)
            drawn += 1
    if not drawn:
        return None
    named(axes, "step", "Dice loss of the training windows")
    says = "The training loss of each network and seed against the step."
    notes = ("Means of the hundred steps before each point, augmented windows of the training patients.",)
    return Picture("Training curves", "training-curves", png(figure), says, notes)


def _means(results: Results, spec: dict[str, Any]) -> Iterator[str]:
    own = [
        row
        for row in results.rows
        if (row["method"], row["seed"], row["condition"]) == (id_of(spec["recipe"]), spec["seed"], CLEAN)
    ]
    for column in SHOWN:
        values = [column.scale * row[column.metric] for row in own if row.get(column.metric) is not None]
        yield f"{fmean(values):.{column.digits}f}" if values else ""


def _course(results: Results, done: Done) -> Iterator[tuple[float, float]]:
    """(step, Dice loss) of a training, as its model's record keeps it; nothing where that is gone."""
    try:
        history = read_record(results.request.out / done.result["folder"]).training.get("history", [])
    except InputError:
        return
    for row in history:
        if "dice" in row:
            yield row["step"], row["dice"]
