"""`diffufusemed evaluate-inpainting`: an inpainter over many cases, beside a median filter and biharmonic filling."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ..core.errors import input_error
from .console import as_markdown, out_console, print_table, progress
from .inputs import case_names, load_model
from .options import DeviceOption, FoldOption, SeedOption, SplitOption

Row = dict[str, Any]


def evaluate_inpainting(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    csv: Annotated[Path, typer.Option(help="Where the tables go, one below the other.")],
    markdown: Annotated[Path | None, typer.Option(help="Where the means go as Markdown tables too.")] = None,
    model: Annotated[str, typer.Option("--model", help="An inpainter's id, or the path of its folder.")] = (
        "sts-inpainter"
    ),
    segmenter: Annotated[
        str, typer.Option(help="The segmenter whose features and findings are taken; one that encodes modalities.")
    ] = "sts-diffufusemed",
    split: SplitOption = None,
    fold: FoldOption = None,
    margin: Annotated[
        list[float] | None,
        typer.Option(min=0, max=50, help="Millimeters around the mask that are removed too; repeat to compare."),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, max=64, help="The segmenter's samples.")] = 4,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Score an inpainter on healthy tissue taken away, and by what a segmenter still finds of removed lesions."""
    from ..io.split import read_split
    from ..models import zoo
    from ..models.devices import choose
    from ..tasks.segment.evaluate import read_cases, writable, write_csv, write_text
    from ..tasks.synthesize import evaluate_inpainting as work
    from ..tasks.synthesize.contract import check_inpaints

    path = split or cases / "split.json"
    plan = read_split(path) if split or path.is_file() else None
    inpainter = zoo.load(model, choose(device))
    check_inpaints(inpainter.network, inpainter.record.system)
    finder = load_model(segmenter, device)
    names = case_names(cases, plan, fold)
    for place in (csv, markdown) if markdown else (csv,):
        writable(place)
    removals, features = work.removals_of(inpainter), work.Features()
    rebuilt: list[Row] = []
    removed: list[Row] = []
    healthy: list[Row] = []
    with progress() as step:
        for number, name in enumerate(names):
            step(number / len(names), name)
            (case,) = read_cases(cases, [name], plan)
            rebuilt += work.reconstruction_rows(case, removals, inpainter, finder, features, seed)
            removed += work.removal_rows(case, removals, finder, margin or [0.0], samples, seed)
            healthy += work.healthy_rows(case, finder, samples, seed)
    tables = [_rebuilt_table(rebuilt, features, seed), _removed_table(removed, seed)]
    write_csv([*rebuilt, *removed, *healthy], csv)
    for table in tables:
        print_table(table)
    for sentence in (seen := [*_alone(healthy, finder), *_seen(names, inpainter, finder)]):
        out_console.print(sentence, soft_wrap=True)
    if markdown:
        write_text(markdown, as_markdown(tables) + "".join(f"\n{sentence}\n" for sentence in seen))


def _alone(rows: list[Row], finder: Any) -> list[str]:
    """What the segmenter calls lesion where there is none, in a sentence; none where no case has such slices."""
    if not rows:
        return []
    called, body = (sum(row[name] for row in rows) for name in ("found_ml", "body_ml"))
    most = max(row["found_ml"] for row in rows)
    where = f"Shown the healthy slices of {len(rows)} cases alone, {finder.record.id} calls"
    return [f"{where} {called:.0f} mL of {body:.0f} mL of body lesion, at most {most:.0f} mL in a case."]


def _seen(names: list[str], *models: Any) -> list[str]:
    """A sentence for each model that was trained on some of these cases."""
    both = [(m.record.id, [n for n in names if n in m.record.patients]) for m in models]
    return [f"{model} was trained on {len(some)} of these {len(names)} cases." for model, some in both if some]


def _rebuilt_table(rows: list[Row], features: Any, seed: int) -> Table:
    table = Table("method", "modality", "PSNR, dB", "SSIM", "Frechet distance", title="Healthy tissue rebuilt")
    for method, modality in dict.fromkeys((row["method"], row["modality"]) for row in rows):
        some = [row for row in rows if (row["method"], row["modality"]) == (method, modality)]
        cells = [_mean([row[key] for row in some], seed, digits) for key, digits in (("psnr", 2), ("ssim", 3))]
        table.add_row(method, modality, *cells, f"{features.distance(method, modality):.3f}")
    return table


def _removed_table(rows: list[Row], seed: int) -> Table:
    table = Table("method", "margin, mm", "share found", "found, mL", "drawn, mL", title="Lesions removed")
    for method, margin in dict.fromkeys((row["method"], row["margin_mm"]) for row in rows):
        some = [row for row in rows if (row["method"], row["margin_mm"]) == (method, margin)]
        columns = (("found", 3), ("found_ml", 1), ("drawn_ml", 1))
        cells = [_mean([row[key] for row in some], seed, digits) for key, digits in columns]
        table.add_row(method, str(margin), *cells)
    return table


def _mean(values: list[float], seed: int, digits: int) -> str:
    """The mean over cases with its bootstrap interval, of those that have a value."""
    from math import isfinite

    from ..metrics import mean_interval

    there = [value for value in values if isfinite(value)]
    if not there:
        raise input_error("cases without healthy tissue to rebuild", "at least one with some", "choose other cases")
    if len(there) == 1:
        return f"{there[0]:.{digits}f}"
    mean, low, high = mean_interval(there, seed)
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
