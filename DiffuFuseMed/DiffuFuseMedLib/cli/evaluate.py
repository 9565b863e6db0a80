"""`diffufusemed evaluate`: a model over many cases, beside the trivial rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..core.errors import input_error
from .console import as_markdown, err_console, out_console, print_table
from .inputs import case_names, load_model
from .inputs import cross_fitted as networks
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
from .raters import check_raters, say_trained_on, score_raters, tables_of, with_readers


def evaluate(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    csv: Annotated[Path, typer.Option(help="Where the table goes.")],
    markdown: Annotated[Path | None, typer.Option(help="Where the means go as a Markdown table too.")] = None,
    model: ModelOption = DEFAULT_MODEL,
    cross_fitted: CrossFittedOption = None,
    split: SplitOption = None,
    fold: FoldOption = None,
    corruptions: Annotated[bool, typer.Option(help="The paper's Tables 3 and 4 too.")] = False,
    ablations: Annotated[
        Path | None, typer.Option(help="The paper's Table 2: a folder of ablation models made by `train --recipe`.")
    ] = None,
    raters: Annotated[
        bool, typer.Option("--raters", help="CalDiff's Tables I and II: samples against the masks of several readers.")
    ] = False,
    simulated_readers: Annotated[
        int, typer.Option(help="With --raters: so many simulated readers around the reference of each case.")
    ] = 0,
    paper: Annotated[str, typer.Option(help="With --raters: the paper's figures on lidc or ms.")] = "lidc",
    steps: Annotated[
        list[int] | None,
        typer.Option(min=1, help="A mask diffusion's numbers of steps to compare, deterministic and stochastic."),
    ] = None,
    samples: SamplesOption = 8,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Score a model on every case, beside the trivial rows, with bootstrap 95 % intervals of the means."""
    check_raters(raters, simulated_readers, paper, corruptions)
    if raters and steps:
        raise input_error("--steps with --raters", "one of the two", "leave one out")
    if cross_fitted and (raters or ablations):
        other = "--raters" if raters else "--ablations"
        raise input_error(f"--cross-fitted with {other}", "one of the two", "leave one out")
    from ..io.split import read_split
    from ..models.registry import models
    from ..tasks.segment.evaluate import (
        conditions_of,
        read_cases,
        said_of_intervals,
        sampler_conditions,
        summary,
        writable,
        write_csv,
        write_text,
    )
    from ..tasks.segment.evaluate import evaluate as score
    from ..tasks.segment.settings import Settings

    path = split or cases / "split.json"
    plan = read_split(path) if split or path.is_file() else None
    names = case_names(cases, plan, fold)
    variants = [str(ablations / record.id) for record in models(ablations)] if ablations else []
    if ablations and not variants:
        raise input_error("--ablations without models", "a folder of model folders", "make them with `train --recipe`")
    ready = [load_model(name, device) for name in (model, *variants)]
    asked = networks(ready[0], cross_fitted, device, names)
    sampled = sampler_conditions(ready[0], steps) if steps else []
    rows = []
    loaded = read_cases(cases, names, plan)
    for path in (csv, markdown) if markdown else (csv,):
        writable(path)
    if raters:
        rows = score_raters(ready, with_readers(loaded, simulated_readers, seed), Settings(samples, seed))
        write_csv(rows, csv)
        tables = tables_of(rows, ready, paper)
        for table in tables:
            print_table(table)
        if markdown:
            write_text(markdown, as_markdown(tables))
        return
    with err_console.status("evaluating") as status:
        for each in ready:
            if not asked.others:
                say_trained_on(each, names)
            which = conditions_of(each, corruptions and each is ready[0], seed)
            which += sampled if each is ready[0] else []
            new = score(each, loaded, which, Settings(samples, seed), status.update, asked.others)
            rows += [row for row in new if each is ready[0] or row["method"] == each.record.id]
    means = summary(rows)
    write_csv([*rows, *means], csv)
    table = _table(means)
    print_table(table)
    for each in ready:
        for sentence in said_of_intervals(rows, each.record.id):
            out_console.print(sentence, markup=False, soft_wrap=True)
    if markdown:
        write_text(markdown, as_markdown([table]))


def _table(means: list[dict]) -> Table:
    columns = [*("dice", "hd95_mm", "nsd_2mm", "precision", "recall", "ece", "brier", "coverage", "seconds")]
    table = Table("method", "condition", *columns)
    for mean, low, high in zip(means[::3], means[1::3], means[2::3], strict=True):
        cells = [f"{mean[c]:.3f} [{low[c]:.3f}, {high[c]:.3f}]" if c in mean else "" for c in columns]
        table.add_row(mean["method"], mean["condition"], *cells)
    return table
