"""Processes beside this one that do jobs and that one Ctrl-C stops, each at a place where it can go on from."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from typing import Any

from .jobs import Done, Job, Work

DIED = "The process that did it ended before its time (was there too little memory?)."
Doing = Callable[[Job, Work], Done]
_stopped = threading.Event()  # of a process of the pool: jobs that it was already handed are not begun


def in_pool(jobs: Sequence[Job], doing: Doing, work: Work, processes: int) -> Iterator[Done]:
    """doing(job, work) by so many processes; each job that was under way or waiting when one of them died is a Done
    with the reason DIED.

    They are begun afresh (spawn): a fork of a process in which torch has threads may hang. An exception here, such as
    Ctrl-C, stops them, and so does SIGTERM, by which schedulers end what they began.
    """
    before, on_term = active_children(), _as_ctrl_c()
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin)
    try:
        futures = {pool.submit(_in_process, job, doing, work): job for job in jobs}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield Done(futures[future], reason=DIED)
    except BaseException:
        for pid in [process.pid for process in active_children() if process not in before]:
            if pid:
                os.kill(pid, signal.SIGINT)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if signal.getsignal(signal.SIGTERM) is _stop_once:
            signal.signal(signal.SIGTERM, on_term)


def _as_ctrl_c() -> Any:
    """SIGTERM is a KeyboardInterrupt from here on; returns how it was handled, None where Python handles no signals."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, _stop_once)


def _stop_once(number: int, _frame: object) -> None:
    """A second one, from here to the process' end, would cut the clean end short: `timeout` sends it to the process and
    to its group."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _begin() -> None:
    """A process that a terminal's Ctrl-C does not reach, so that it is told once, and that ends with its parent."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    signal.signal(signal.SIGINT, lambda *_: _stopped.set())
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os._exit(1)


def _in_process(job: Job, doing: Doing, work: Work) -> Done:
    """One job, which a stop ends; after one no other begins."""
    if _stopped.is_set():
        raise KeyboardInterrupt
    waiting = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return doing(job, work)
    except KeyboardInterrupt:
        _stopped.set()
        raise
    finally:
        signal.signal(signal.SIGINT, waiting)
