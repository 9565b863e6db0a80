"""From a request to a page: train what is to be trained, score, and write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from .alone import alone_in
from .executor import Executor, run_jobs
from .jobs import Done, Job, JobStore
from .page import Page, facts_of, write_page
from .papers.caldiff import paper_row
from .plan import Contender, contenders, is_there, scoring_jobs, suite_of, training_jobs
from .request import Request
from .results import Results
from .suites import failures
from .work import do

JOBS = "jobs"
Tell = Callable[[Done], None]
Announce = Callable[[Sequence[Job]], None]


def run_benchmark(
    request: Request,
    executor: Executor,
    command: str,
    retry: bool = False,
    announce: Announce = lambda jobs: None,
    tell: Tell = lambda done: None,
) -> tuple[Results, list[Path]]:
    """What came of every job, and the files that were written.

    announce: called with jobs before they are done, trainings first, since what is scored depends on them; tell: with
    each that is over. A stop (KeyboardInterrupt) goes through: what was done is kept, and the same request goes on.
    Raises InputError for a request that cannot be met.
    """
    training = training_jobs(request)
    request.case_names()  # what is refused leaves nothing behind
    if not training:
        contenders(request, [])
    with alone_in(request.out / JOBS):
        return _run(request, training, executor, command, retry, announce, tell)


def _run(
    request: Request,
    training: Sequence[Job],
    executor: Executor,
    command: str,
    retry: bool,
    announce: Announce,
    tell: Tell,
) -> tuple[Results, list[Path]]:
    store = JobStore(request.out / JOBS)
    for job in training:
        made = store.get(job)
        if made and not made.failed and not is_there(made):
            store.forget(job)  # somebody took the model away
    announce(training)
    trained = run_jobs(training, do, executor, store, retry, tell)
    ready = contenders(request, trained)
    scoring = scoring_jobs(request, ready)
    announce(scoring)
    scored = run_jobs(scoring, do, executor, store, retry, tell)
    results = results_of(request, [*trained, *scored], ready)
    return results, write_page(page_of(request, results, command), request.suite, request.out)


def results_of(request: Request, done: Sequence[Done], ready: Sequence[Contender]) -> Results:
    """The jobs' results with what is known of the models."""
    systems = {contender.method: contender.record.system for contender in ready}
    names = {one.job.spec["case"] for one in done if "case" in one.job.spec and not one.failed}
    seen = {c.method: len(names & set(c.record.patients)) for c in ready}
    rows = {contender.method: paper_row(contender.record) for contender in ready}
    return Results(request, tuple(done), systems, seen, rows)


def page_of(request: Request, results: Results, command: str) -> Page:
    """The suite's tables and figures, and the jobs that failed."""
    suite = suite_of(request)
    failed = failures(results)
    return Page(
        suite.title, facts_of(request, results, command), (*suite.parts(results), *([failed] if failed else ()))
    )
