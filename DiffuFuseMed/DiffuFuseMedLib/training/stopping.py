"""A clean stop: the step under way is finished and what the run needs to go on is written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class TrainingStoppedError(Exception):
    """The run was stopped by its user. Its message is one sentence that says how to go on."""


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """A function that tells whether SIGINT or SIGTERM came; a second one ends the process as it would without this.

    Outside the main thread, where Python handles no signals, it always tells False.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, _frame: object) -> None:
        came.append(number)
        restore()

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: bool(came)
    finally:
        restore()
