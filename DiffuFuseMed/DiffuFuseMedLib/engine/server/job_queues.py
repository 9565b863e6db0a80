"""Lanes of work, each a thread with a queue: what the hand waits for never stands behind what takes minutes."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)
LOOK_S = 0.05  # how often a waiting job looks whether it was stopped


@dataclass(eq=False)
class Job:
    """A request in a lane. key: jobs of one key supersede each other (None: never); after: a job, in whichever lane,
    that has to end first; stopped: the error code it is to be answered with once it was stopped."""

    request: Any
    key: tuple | None = None
    after: Job | None = None
    stopped: str | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> bool:
        """Whether to stop: what the computation asks between its steps."""
        return self.stopped is not None


class JobQueue(threading.Thread):
    """run: does and answers a job, never raises; refuse: answers a job that will not be run, by its `stopped`."""

    def __init__(self, name: str, run: Callable[[Job], None], refuse: Callable[[Job], None]) -> None:
        super().__init__(name=f"engine-{name}", daemon=True)
        self._run_job, self._refuse = run, refuse
        self._queue: deque[Job] = deque()
        self._running: Job | None = None
        self._changed = threading.Condition()
        self.idle = threading.Event()
        self.idle.set()

    def submit(self, job: Job, stop_running: bool = False) -> None:
        """Queue a job. Older queued ones of its key are refused as superseded, and the running one if stop_running."""
        with self._changed:
            older = [o for o in self._queue if job.key is not None and o.key == job.key]
            self._drop(older, "superseded")
            running = self._running
            if stop_running and running and job.key is not None and running.key == job.key:
                running.stopped = running.stopped or "superseded"
            self._queue.append(job)
            self.idle.clear()
            self._changed.notify()

    def stop(self, wanted: Callable[[Job], bool], code: str = "cancelled") -> str:
        """Refuse queued jobs and stop the running one where wanted; "queued", "running" or "unknown"."""
        with self._changed:
            running = self._running if self._running and wanted(self._running) else None
            queued = [job for job in self._queue if wanted(job)]
            self._drop(queued, code)
            if running:
                running.stopped = running.stopped or code
            return "running" if running else "queued" if queued else "unknown"

    def owed(self) -> list[Job]:
        """Those that have not been answered; none of a lane whose thread has ended."""
        with self._changed:
            running = [self._running] if self._running else []
            return [*running, *self._queue] if self.is_alive() else []

    def run(self) -> None:
        while True:
            job = self._next()
            try:
                self._do(job)
            except BaseException:  # the next job has nothing to do with it
                log.exception("a job could not be answered")
            finally:
                job.after = None  # else every opening of a case would keep the one before
                job.done.set()

    def _do(self, job: Job) -> None:
        while job.after and not job.cancel() and not job.after.done.wait(LOOK_S):
            pass
        if job.cancel():
            self._refuse(job)
        else:
            self._run_job(job)

    def _next(self) -> Job:
        with self._changed:
            self._running = None
            if not self._queue:
                self.idle.set()
            self._changed.wait_for(lambda: self._queue)
            self._running = self._queue.popleft()
            return self._running

    def _drop(self, jobs: list[Job], code: str) -> None:
        for job in jobs:
            self._queue.remove(job)
            job.stopped = code
            self._refuse(job)
            job.done.set()
