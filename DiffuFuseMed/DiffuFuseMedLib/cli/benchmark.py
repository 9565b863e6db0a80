"""`diffufusemed benchmark`: the papers' tables and figures, as anyone can make them again."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ..core.errors import input_error
from .benchmark_progress import BenchmarkProgress
from .console import STOPPED, err_console, out_console, print_table
from .inputs import check_folder
from .options import SEED, DeviceOption, SplitOption
from .synthesize import INPAINTER, SYNTHESIZER

if TYPE_CHECKING:
    from ..benchmark.executor import Executor
    from ..benchmark.jobs import Job
    from ..benchmark.request import Request
    from ..benchmark.results import Results


class SuiteName(StrEnum):
    """The suites of benchmark/suites.py, which a test holds this against: help needs no torch."""

    sts = "sts"
    robustness = "robustness"
    missing = "missing"
    ablation = "ablation"
    calibration = "calibration"
    efficiency = "efficiency"
    fusion = "fusion"
    raters = "raters"
    synthesis = "synthesis"
    drgo = "drgo"


def benchmark(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    suite: Annotated[SuiteName, typer.Option(help="Which tables and figures.")],
    out: Annotated[Path, typer.Option(help="Folder for the page, the jobs' results and trained models.")],
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, help="Train each recipe from scratch for so long; else score what is there."),
    ] = None,
    seeds: Annotated[str, typer.Option(help="Of training and sampling, such as 0,1.")] = "0",
    models: Annotated[
        str | None, typer.Option(help="Ids or folders to score, with --minutes recipes; the first is compared with.")
    ] = None,
    split: SplitOption = None,
    fold: Annotated[int, typer.Option(help="The fold that is held out and scored.")] = 0,
    only: Annotated[str | None, typer.Option("--cases", help="Only these of it, such as STS_005,STS_018.")] = None,
    samples: Annotated[int, typer.Option(min=1, max=64, help="Samples of the lesion.")] = 8,
    readers: Annotated[int, typer.Option(min=2, help="Raters: simulated readers where a case has one drawing.")] = 4,
    cores: Annotated[int, typer.Option(min=1, help="That each training works on.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="Jobs at a time, each in a process of its own.")] = 1,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="By many: the HOST:PORT of a Ray cluster, or local, which starts one here."
        ),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try jobs again that failed before.")] = False,
    synthesizer: Annotated[str, typer.Option(help="What draws synthetic tumors: an id or a folder.")] = SYNTHESIZER,
    inpainter: Annotated[str, typer.Option(help="Of them too: what takes lesions out first.")] = INPAINTER,
    device: DeviceOption = "auto",
) -> None:
    """Make a suite's tables and figures, the paper's figures beside ours, as one HTML page and as Markdown.

    What is done is kept in OUT/jobs: the same command goes on where it was stopped, and computes nothing twice. Exit
    code 1 if any job failed.
    """
    check_folder(out)
    from ..benchmark.request import Request
    from ..benchmark.run import run_benchmark
    from ..models.devices import choose

    _check_many(suite, processes, cluster)
    request = Request(
        suite.value, cases, out, split, fold, _named("--cases", only), _named("--models", models), minutes,
        _numbers(seeds), samples,
        readers, cores, choose(device), synthesizer, inpainter,
    )  # fmt: skip
    executor = _executor(request, processes, cluster)
    with _progress() as shown:
        results, files = run_benchmark(request, executor, _command(), retry, shown.announce, shown.tell)
    _say(results, files)


def _check_many(suite: SuiteName, processes: int, cluster: str | None) -> None:
    """Raises InputError for options that do not go together."""
    if processes > 1 and cluster:
        raise input_error("--processes with --cluster", "one of the two", "leave out --processes")
    many = "--cluster" if cluster else "--processes" if processes > 1 else ""
    if many and suite is SuiteName.efficiency:
        raise input_error(
            f"{many} for the suite efficiency", "one at a time, here", "leave it out: they slow each other"
        )


def _executor(request: Request, processes: int, cluster: str | None) -> Executor:
    """A cluster's nodes see cases, results and models under the paths that they have here."""
    from ..benchmark.executor import LocalExecutor

    if cluster is None:
        return LocalExecutor(processes)
    from ..cluster.executor import RayExecutor
    from ..models.registry import models_folder

    request.out.mkdir(parents=True, exist_ok=True)
    folders = tuple(path.resolve() for path in (request.cases, request.out, models_folder()))
    device = "cuda" if request.device.startswith("cuda") else "cpu"
    return RayExecutor(cluster, device, request.cores, folders, say=lambda sentence: err_console.print(sentence))


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))


def _named(option: str, text: str | None) -> tuple[str, ...]:
    """() where the option is left out. Raises InputError for one that names nothing: all would be taken."""
    found = _listed(text)
    if text is not None and not found:
        raise input_error(f"{option} {text!r}", "at least one", "leave it out")
    return found


def _numbers(text: str) -> tuple[int, ...]:
    told = _named("--seeds", text)
    try:
        found = tuple(dict.fromkeys(map(int, told)))
    except ValueError as error:
        raise input_error(f"--seeds {text!r}", "whole numbers such as 0,1", "correct it") from error
    if wrong := [seed for seed in found if not SEED[0] <= seed <= SEED[1]]:
        raise input_error(f"the seed {wrong[0]}", f"one from {SEED[0]} to {SEED[1]}", "correct --seeds")
    return found


def _command() -> str:
    """As a shell takes it."""
    return shlex.join(["diffufusemed", *sys.argv[1:]])


@contextmanager
def _progress() -> Iterator[BenchmarkProgress]:
    """The table of jobs while they are done; a stop is a sentence that says how to go on."""
    shown = BenchmarkProgress()
    try:
        with shown.live(err_console):
            yield shown
    except KeyboardInterrupt as stopped:
        told = f"Stopped: {shown.done} of {shown.total} planned jobs are done and kept; the same command goes on."
        err_console.print(told, soft_wrap=True)
        raise typer.Exit(STOPPED) from stopped


def _say(results: Results, files: Sequence[Path]) -> None:
    """The first table of scores on the console, what failed, and where the rest is."""
    from ..benchmark.parts import Table as Told
    from ..benchmark.suites import SUITES

    for part in SUITES[results.request.suite].parts(results):
        if isinstance(part, Told):
            print_table(_as_rich(part))
            break
    for done in results.failed:
        out_console.print(f"Failed: {_what(done.job)}: {done.reason}", markup=False, soft_wrap=True)
    for path in files:
        out_console.print(str(path), markup=False, soft_wrap=True)
    if results.failed:
        raise typer.Exit(1)


def _what(job: Job) -> str:
    """Which job it is, as the page's table of those that failed has it."""
    told = (job.spec.get(name) for name in ("method", "recipe", "case", "condition"))
    return ", ".join([job.kind, *(str(word) for word in told if word)])


def _as_rich(part: object) -> Table:
    columns: Callable[[str], tuple[str, ...]] = lambda name: getattr(part, name)  # noqa: E731
    table = Table(*columns("columns"), title=str(getattr(part, "title")))  # noqa: B009
    for row in columns("rows"):
        table.add_row(*row)
    return table
