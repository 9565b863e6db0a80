"""Who does a benchmark's jobs: this process, or several beside it. Others, such as a cluster, fit the same Protocol."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..core.errors import reason_of
from ..core.strict_json import finite
from .jobs import Done, Job, JobStore, Work
from .pool import DIED, in_pool


class Executor(Protocol):
    """Does jobs that do not depend on each other, in any order."""

    def run(self, jobs: Sequence[Job], work: Work) -> Iterator[Done]:
        """Each job's Done as soon as it is over; a job that fails is one with its reason, and costs no other. A stop
        (KeyboardInterrupt), in the work or here, is none: it goes through, and no further Done comes."""


@dataclass(frozen=True)
class LocalExecutor:
    """This machine: one job after the other in this process, or so many processes beside it."""

    processes: int = 1

    def run(self, jobs: Sequence[Job], work: Work) -> Iterator[Done]:
        if self.processes <= 1:
            yield from (done_of(job, work) for job in jobs)
            return
        left = {job.key: job for job in jobs}
        for done in in_pool(jobs, done_of, work, self.processes):
            if done.reason != DIED:
                del left[done.job.key]
                yield done
        for job in left.values():  # a process died: whose fault it was is seen once each job has one of its own
            yield from in_pool([job], done_of, work, 1)


def done_of(job: Job, work: Work) -> Done:
    """The work on one job, here and now; whatever it raises is the reason of a failure, and so is a result that is no
    plain JSON. Numbers that JSON cannot hold become None."""
    began = time.monotonic()
    try:
        done = Done(job, finite(work(job)))
        json.dumps(done.result)
    except Exception as error:  # a job's fault is a row of the table, whatever it is
        done = Done(job, reason=reason_of(error))
    return replace(done, seconds=time.monotonic() - began)


def run_jobs(
    jobs: Sequence[Job],
    work: Work,
    executor: Executor,
    store: JobStore,
    retry: bool = False,
    tell: Callable[[Done], None] = lambda done: None,
) -> list[Done]:
    """What came of all of them, in their order: what the store has is not done again, what is new is kept at once.

    retry: a job that failed before is done again. tell: called with each as it is known.
    """
    found = {job.key: done for job in jobs if (done := store.get(job)) and not (retry and done.failed)}
    for done in found.values():
        tell(done)
    new = {job.key: job for job in jobs if job.key not in found}
    for done in executor.run(list(new.values()), work):
        found[done.job.key] = store.put(done)
        tell(found[done.job.key])
    return [found[job.key] for job in jobs]
