"""`diffufusemed diagnose`: what a segmenter's parts, samples, map of uncertainty and worklist are worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ..core.errors import input_error
from .console import as_markdown, err_console, out_console, print_table
from .inputs import case_names, load_model
from .inputs import cross_fitted as networks
from .markdown import between_marks
from .options import (
    DEFAULT_MODEL,
    CrossFittedOption,
    DeviceOption,
    FoldOption,
    ModelOption,
    SamplesOption,
    SeedOption,
    SplitOption,
)

if TYPE_CHECKING:
    import numpy as np

    from ..core.case import Case
    from ..core.prediction import Prediction
    from ..models.zoo import Model
    from ..tasks.segment.settings import Settings

CORRECTED = (1, 3, 5, 10)  # regions after which Dice is told
AGAINST_CHANCE = 5  # of these, where the list's order is held against a random one


def diagnose(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    csv: Annotated[Path | None, typer.Option(help="Where every case's own row goes.")] = None,
    model: ModelOption = DEFAULT_MODEL,
    cross_fitted: CrossFittedOption = None,
    split: SplitOption = None,
    fold: FoldOption = None,
    reader: Annotated[
        bool,
        typer.Option(help="Only let a simulated reader work the worklists off: choosing outlines, and painting."),
    ] = False,
    calibrators: Annotated[
        bool, typer.Option(help="Only compare ways to correct the probability, each case by the others.")
    ] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(help="With --reader: the Markdown file that gets its table, between the marks of its model."),
    ] = None,
    gates: Annotated[bool, typer.Option(help="Also spoil one modality at a time, with gating on and off.")] = False,
    samples: SamplesOption = 8,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Measure what a segmenter does: denoising, samples, found errors, calibration, and the worklist's worth; or, with
    --reader, what choosing among outlines is worth beside painting perfectly; or, with --calibrators, whether another
    correction of the probability than Platt's holds better on patients left out.

    Every case needs a drawn lesion. Cases that the model was trained on say whether it fits them.
    """
    from ..io.split import read_split
    from ..tasks.segment.calibrate import check_drawn, check_patients, drawn_by_hand
    from ..tasks.segment.diagnose import diagnose_case, gating_gain
    from ..tasks.segment.evaluate import read_cases, writable, write_csv
    from ..tasks.segment.settings import Settings

    path = split or cases / "split.json"
    plan = read_split(path) if split or path.is_file() else None
    names, ready, settings = case_names(cases, plan, fold), load_model(model, device), Settings(samples, seed)
    if reader and (cross_fitted or calibrators):
        other = "--cross-fitted" if cross_fitted else "--calibrators"
        raise input_error(f"{other} with --reader", "one of the two", "leave one out")
    asked = networks(ready, cross_fitted, device, names)
    if calibrators:
        check_patients(len(names))
    loaded = read_cases(cases, names, plan)
    check_drawn(loaded)
    for path in filter(None, (csv, markdown)):
        writable(path)
    if reader:
        _let_read(loaded, ready, settings, csv, markdown)
        return
    network = asked.of if asked.others else lambda _: ready
    if calibrators:
        _compare(loaded, network, settings, csv, model)
        return
    rows: list[dict[str, Any]] = []
    with err_console.status("diagnosing") as status:
        for case in loaded:
            status.update(case.name)
            one = network(case.name)
            row, prediction = diagnose_case(case, one, settings)
            row |= _worth(prediction, drawn_by_hand(case))
            row |= gating_gain(case, one, settings) if gates else {}
            rows.append({"case": case.name, **row})
    if csv:
        write_csv(rows, csv)
    print_table(_table(rows, f"{model} on {len(rows)} cases"))
    if told := _against_chance(rows):
        typer.echo(told)


def _let_read(
    loaded: Sequence[Case], ready: Model, settings: Settings, csv: Path | None, markdown: Path | None
) -> None:
    from ..tasks.segment.evaluate import write_csv, write_text
    from .reader import as_told, read_cases, reader_table, reader_words

    with err_console.status("reading") as status:
        rows = read_cases(loaded, ready, settings, status.update)
    if csv:
        write_csv([as_told(row) for row in rows], csv)
    table, words = reader_table(rows, f"{ready.record.id} on {len(loaded)} cases"), reader_words(rows)
    print_table(table)
    for sentence in words:
        out_console.print(sentence)
    if markdown:
        before = markdown.read_text(encoding="utf-8") if markdown.is_file() else ""
        write_text(markdown, between_marks(before, _page(table, words), ready.record.id))


def _compare(
    loaded: Sequence[Case], network: Callable[[str], Model], settings: Settings, csv: Path | None, model: str
) -> None:
    from ..tasks.segment.calibrate import check_cases
    from ..tasks.segment.evaluate import write_csv
    from .calibrators import as_rows, calibrators_table, compare

    check_cases(loaded)
    with err_console.status("comparing") as status:
        scores, names = compare(loaded, network, settings, status.update)
    if csv:
        write_csv(as_rows(scores, names), csv)
    print_table(calibrators_table(scores, f"{model} on {len(names)} cases, each by the others"))


def _page(table: Table, words: Sequence[str]) -> str:
    """The table and the sentences below it as Markdown; what the table is of stands in the page already."""
    table.title = None
    lines = [line.strip() for line in as_markdown([table]).splitlines() if line.strip()]
    return "\n".join([*lines, "", *(f"- {sentence}" for sentence in words), ""])


def _table(rows: list[dict[str, Any]], title: str) -> Table:
    """One line for everything that was measured: mean, least and most over the cases that have it."""
    table = Table("measured", "mean", "least", "most", "cases", title=title)
    for name in dict.fromkeys(key for row in rows for key in row if key != "case"):
        values = [float(row[name]) for row in rows if name in row and isfinite(row[name])]
        cells = [f"{x:.3f}" for x in (fmean(values), min(values), max(values))] if values else ["", "", ""]
        table.add_row(name, *cells, str(len(values)))
    return table


def _against_chance(rows: list[dict[str, Any]]) -> str:
    """Whether the list's order is better than chance after AGAINST_CHANCE regions; "" where that cannot be told."""
    from scipy.stats import wilcoxon

    listed, chance = (f"Dice after {AGAINST_CHANCE}, {order}" for order in ("as listed", "random order"))
    gains = [row[listed] - row[chance] for row in rows]
    if len(gains) < 2 or not any(gains):
        return ""
    p = float(wilcoxon(gains, alternative="greater").pvalue)
    better = sum(gain > 0 for gain in gains)
    return (
        f"After {AGAINST_CHANCE} regions the list's order gains {100 * fmean(gains):.1f} points of Dice over a random "
        f"one, in {better} of {len(gains)} cases (Wilcoxon signed-rank, one-sided, p = {p:.3f})."
    )


def _worth(prediction: Prediction, reference: np.ndarray) -> dict[str, float]:
    """Dice after so many regions of the worklist are put right, in its order and in others, and what the reader looked
    at for it."""
    from ..review.ranking import worklist
    from ..review.worth import Corrections

    found = Corrections(worklist(prediction), prediction.labels > 0, reference)
    row = {"regions in the list": float(len(found.ids)), "wrong voxels in the list": found.listed_share}
    curves = {
        "as listed": found.as_listed(),
        "random order": found.at_random(),
        "by entropy": found.by_entropy(),
        "by slice": found.by_slice(),
        "best order": found.at_best(),
    }
    looked_at = found.looked_at()
    for count in CORRECTED:
        row |= {f"Dice after {count}, {name}": curve[min(count, len(curve) - 1)] for name, curve in curves.items()}
        row[f"looked at after {count}, in lesions"] = looked_at[min(count, len(looked_at) - 1)]
    return row
