"""`diffufusemed run --cohort`: each case of a folder, here one after the other, or on the nodes of a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..cluster.outcomes import outcomes_on
from ..cluster.work import Outcome, Want, Work
from ..core.errors import input_error, reason_of
from ..core.staging import settle
from ..models import registry
from .cohort_tables import Crew, print_summary
from .console import err_console, progress
from .inputs import case_names, check_folder
from .one_case import Asked, Ran, Tools, run_case

if TYPE_CHECKING:
    from ..tasks.fuse.predict import Progress

MODELS = "DIFFUFUSEMED_MODELS"
FAILED = 2  # the exit code when any case failed, as that of a run of such a case alone


@dataclass(frozen=True)
class Told:
    """What the table says of a case. dice: None without a drawn lesion; words: what its run said beside."""

    volume_ml: float
    dice: float | None
    files: int
    words: str = ""


def run_cohort(cohort: Path, out: Path, asked: Asked, cluster: str | None, cores: int) -> None:
    """Every case, its results in out/<name>; a case that fails is a row of the table, and the others go on.

    cluster: the address of a Ray cluster, "local" for one that is started here, None for this process alone. Raises
    InputError for what no case could be run with, typer.Exit when one failed.
    """
    cohort, out = cohort.absolute(), out.absolute()
    names = case_names(cohort, None, None)
    _check(cohort, out, asked)
    out.mkdir(parents=True, exist_ok=True)
    over: dict[str, Outcome] = {}
    try:
        with closing(_outcomes(cohort, out, asked, names, cluster, cores)) as outcomes:
            for outcome in outcomes:
                over[outcome.item] = outcome
    finally:
        _tidy(out, [name for name in names if name not in over or over[name].failed])
        if over:
            print_summary(names, over, out)
    if any(outcome.failed for outcome in over.values()):
        raise typer.Exit(FAILED)


def _check(cohort: Path, out: Path, asked: Asked) -> None:
    if cohort.resolve() in (out.resolve(), *out.resolve().parents):
        raise input_error("an --out inside the cohort", "a folder beside it", "choose another one")
    if asked.dicom_series is not None:
        given = "--dicom-series with a cohort"
        raise input_error(given, "cases that were read from DICOM", "leave it out, or run the cases one by one")
    check_folder(out)


def _outcomes(
    cohort: Path, out: Path, asked: Asked, names: Sequence[str], cluster: str | None, cores: int
) -> Generator[Outcome, None, None]:
    if cluster is None:
        return _here(cohort, out, asked, names)
    record = registry.read_record(registry.model_folder(asked.model))
    work = Work(partial(_tools, asked, os.environ.get(MODELS), record), partial(_told, cohort, out, asked))
    return _there(cluster, names, work, Want(asked.device, cores, (cohort, out)))


def _here(cohort: Path, out: Path, asked: Asked, names: Sequence[str]) -> Generator[Outcome, None, None]:
    """What a run says of a case is printed at once."""
    with progress() as step:
        step(0.0, "loading the model")
        tools = Tools(asked)
        for number, name in enumerate(names):
            err_console.print(f"{name}:", markup=False)
            yield _outcome_here(cohort, out, asked, tools, name, _part(step, number, len(names)))


def _outcome_here(cohort: Path, out: Path, asked: Asked, tools: Tools, name: str, step: Progress) -> Outcome:
    from time import monotonic

    began = monotonic()
    try:
        ran = run_case(cohort / name, out / name, asked, tools, step)
    except Exception as error:  # a case's fault is a row of the table, whatever it is
        return Outcome(name, reason=reason_of(error), seconds=monotonic() - began)
    return Outcome(name, _told_of(ran), seconds=monotonic() - began)


def _part(step: Progress, number: int, count: int) -> Progress:
    return lambda share, what: step((number + share) / count, f"case {number + 1} of {count}: {what}")


def _there(cluster: str, names: Sequence[str], work: Work, want: Want) -> Generator[Outcome, None, None]:
    with Crew(len(names)) as crew, closing(outcomes_on(cluster, names, work, want, crew.show, crew.say)) as outcomes:
        for outcome in outcomes:
            crew.over(outcome)
            yield outcome


def _tools(asked: Asked, models: str | None, record: registry.ModelRecord, device: str) -> Tools:
    """On a node, once. Raises InputError where it has another model under this name: results would depend on who made
    them."""
    if models is not None:
        os.environ[MODELS] = models
    tools = Tools(replace(asked, device=device))
    if tools.model.record != record:
        given = f"a node with another model {record.id}"
        raise input_error(given, "the one that is installed where the run was begun", "install one version everywhere")
    return tools


def _told(cohort: Path, out: Path, asked: Asked, tools: Tools, name: str) -> Told:
    """On a node, for each case. What the run says is kept for whoever looks at the table."""
    with err_console.capture() as said:
        ran = run_case(cohort / name, out / name, asked, tools)
    return _told_of(ran, said.get())  # which is not there before the block's end


def _told_of(ran: Ran, words: str = "") -> Told:
    dice = ran.scores["dice"] if ran.scores else None
    return Told(ran.prediction.volume_ml.value, dice, ran.count, words)


def _tidy(out: Path, names: Sequence[str]) -> None:
    """Of cases without results, what a worker left that was killed while it wrote; and no empty folder."""
    for name in names:
        settle(out / name)
    for folder in (*(out / name for name in names), out):
        with suppress(OSError):
            folder.rmdir()
