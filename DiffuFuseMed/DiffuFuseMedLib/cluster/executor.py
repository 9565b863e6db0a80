"""A benchmark's jobs on a cluster: the same jobs with the same keys, whoever does them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..benchmark.executor import done_of
from ..benchmark.jobs import Done, Job
from ..benchmark.jobs import Work as JobWork
from .outcomes import outcomes_on
from .work import Member, Want, Work


@dataclass(frozen=True)
class RayExecutor:
    """Executor of DiffuFuseMedLib.benchmark on the Ray cluster at an address, "local" for one that is started here.

    device, cores: what a worker gets, as cluster.work.Want has it; a job that keeps more cores busy gets as many.
    folders: where cases, models and results lie, which every node has to see under the same path.
    """

    address: str
    device: str = "auto"
    cores: int = 1
    folders: tuple[Path, ...] = ()
    tell: Callable[[list[Member]], None] = lambda members: None
    say: Callable[[str], None] = lambda sentence: None

    def run(self, jobs: Sequence[Job], work: JobWork) -> Iterator[Done]:
        """Each job's Done as soon as it is over; one whose worker dies twice is a failure with that reason. Raises
        InputError for a cluster that cannot do them, KeyboardInterrupt for a stop."""
        if not jobs:
            return
        cores = max(self.cores, *(job.cores for job in jobs))
        want = Want(self.device, cores, self.folders)
        found = outcomes_on(self.address, jobs, Work(_nothing, partial(_done, work)), want, self.tell, self.say)
        with closing(found) as outcomes:
            for outcome in outcomes:
                yield Done(outcome.item, reason=outcome.reason) if outcome.failed else outcome.result


def _nothing(device: str) -> None:
    """Jobs load for themselves what they need."""


def _done(work: JobWork, prepared: Any, job: Job) -> Done:
    return done_of(job, work)
