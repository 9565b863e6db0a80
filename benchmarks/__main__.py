"""`python -m benchmarks`, `live` and `web`: seconds, memory and size."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from DiffuFuseMedLib.cli import main
from DiffuFuseMedLib.cli.console import err_console, out_console, print_table
from DiffuFuseMedLib.cli.inputs import load_model
from DiffuFuseMedLib.cli.options import DEFAULT_MODEL, DeviceOption, ModelOption, SamplesOption
from DiffuFuseMedLib.core.errors import InputError
from rich.table import Table

SHIPPED = Path(__file__).resolve().parents[1] / "Resources" / "SampleData" / "STS_010"
JsonOption = Annotated[Path | None, typer.Option("--json", help="Where the figures go too.")]
CaseOption = Annotated[Path | None, typer.Option(help="A case folder; the shipped one by default.")]
PairsOption = Annotated[Path | None, typer.Option(help="CT/ and MRI/: real 256 x 256 pictures instead of resampled.")]
ValuesOption = Annotated[int, typer.Option(min=2, help="Length of each drag.")]
FolderArgument = Annotated[Path | None, typer.Argument(help="A case folder; the shipped one by default.")]
SoakOption = Annotated[float, typer.Option(min=0.05, help="Of reading, whose slider values are made at full speed.")]
LargeOption = Annotated[bool, typer.Option("--large", help="Also on 512 x 512 x 300, made by tiling the case.")]

bench_app = typer.Typer()


@bench_app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    json_file: JsonOption = None,
    case: CaseOption = None,
    model: ModelOption = DEFAULT_MODEL,
    samples: SamplesOption = 8,
    device: DeviceOption = "auto",
) -> None:
    """Measure a model: seconds, memory, milliseconds a slice, FLOPs; `live` measures the fusion, `web` the page."""
    from benchmarks.segmentation import bench as measure

    if context.invoked_subcommand is None:
        _told(json_file, lambda _: measure(case or SHIPPED, load_model(model, device), samples))


@bench_app.command()
def live(
    json_file: JsonOption = None,
    case: CaseOption = None,
    pairs: PairsOption = None,
    device: DeviceOption = "auto",
    values: ValuesOption = 100,
) -> None:
    """Measure the fusion through the engine: slider to slice, a volume, a guided slice, peak memory."""
    from DiffuFuseMedLib.engine.client.engine import EngineError

    from benchmarks.live import bench_live

    try:
        _told(json_file, lambda _: bench_live(case or SHIPPED, pairs, device, values))
    except EngineError as error:  # one sentence as well
        raise InputError(str(error)) from error


@bench_app.command()
def web(
    case: FolderArgument = None,
    json_file: JsonOption = None,
    values: ValuesOption = 60,
    soak_minutes: SoakOption = 60.0,
    large: LargeOption = False,
) -> None:
    """Measure the workspace in headless Chromium: start, slider to picture, run, switch, memory, a soak."""
    from benchmarks.web import bench_web

    def say(words: str) -> None:
        err_console.print(f"bench: {words}", markup=False, highlight=False)

    _told(json_file, lambda keep: bench_web(case or SHIPPED, values, soak_minutes, large, say, keep), _as_table)


def _as_table(figures: dict[str, Any]) -> None:
    from benchmarks.web.table import rows_of

    head, *rows = rows_of(figures)
    table = Table(*head, title=f"{figures['machine']}; {figures['page']}")
    for row in rows:
        table.add_row(*row)
    print_table(table)
    for sentence in figures["missed"]:
        out_console.print(f"misses its aim: {sentence}", markup=False)


def _as_json(figures: dict[str, Any]) -> None:
    out_console.print_json(json.dumps(figures))


def _told(
    json_file: Path | None,
    measure: Callable[[Callable[[dict], None]], dict],
    show: Callable[[dict[str, Any]], None] = _as_json,
) -> None:
    """The figures on the screen, and in the file when there is to be one; whether it can be is seen first.

    measure: gets what writes the figures that there are so far."""
    from DiffuFuseMedLib.tasks.segment.evaluate import writable

    def keep(figures: dict[str, Any]) -> None:
        if json_file:
            json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")

    if json_file:
        writable(json_file)
    figures = measure(keep)
    keep(figures)
    show(figures)


if __name__ == "__main__":
    main(bench_app)
