"""QtHost: what a session asks of its host, on Qt's event loop."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import qt

TICK_MS = 20
YIELD_S = 0.001


class QtTimer:
    """One call after some time; cancel() before that makes it none."""

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.connect("timeout()", call)
        self._timer.start(round(1000 * seconds))

    @property
    def pending(self) -> bool:
        return self._timer.active

    def cancel(self) -> None:
        self._timer.stop()


class QtHost:
    """complain(error): told of what a call raises; what was posted later goes on.

    Slicer's main thread keeps Python's lock while it waits for events, so threads of work() would stand still: the tick
    gives the lock away for a moment as long as there are any.
    """

    def __init__(self, complain: Callable[[BaseException], None]) -> None:
        self._complain = complain
        self._calls: deque[Callable[[], None]] = deque()
        self._main = threading.get_ident()
        self._working = 0
        self._timers: set[QtTimer] = set()
        self._closed = False
        self._soon = qt.QTimer()
        self._soon.setSingleShot(True)
        self._soon.connect("timeout()", self._empty)
        self._tick = qt.QTimer()
        self._tick.connect("timeout()", self._ticked)
        self._tick.start(TICK_MS)

    def post(self, call: Callable[[], None]) -> None:
        """Run `call` soon on the main thread; from any thread."""
        self._calls.append(call)
        if threading.get_ident() == self._main and not self._closed:
            self._soon.start(0)  # a thread must not touch the timer: its call waits for the tick

    def later(self, seconds: float, call: Callable[[], None]) -> QtTimer:
        """Run `call` on the main thread after these seconds, unless the timer is cancelled."""

        def end() -> None:
            self._timers.discard(timer)
            if not self._closed:
                self._run(call)

        timer = QtTimer(seconds, end)
        self._timers.add(timer)  # Qt deletes a timer that nobody holds
        self._timers = {held for held in self._timers if held.pending or held is timer}
        return timer

    def work(self, call: Callable[[], Any]) -> Future:
        """Run `call` on a thread of its own."""
        future: Future = Future()
        future.set_running_or_notify_cancel()
        self._working += 1
        threading.Thread(target=self._work, args=(call, future), name="diffufusemed-work", daemon=True).start()
        return future

    def write(self, call: Callable[[], Any]) -> Future:
        """The same: no thread waits for another."""
        return self.work(call)

    def close(self) -> None:
        """Nothing runs any more."""
        self._closed = True
        self._tick.stop()
        self._soon.stop()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._calls.clear()

    def _work(self, call: Callable[[], Any], future: Future) -> None:
        try:
            result = call()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        self._calls.append(self._worked)

    def _worked(self) -> None:
        self._working -= 1

    def _ticked(self) -> None:
        if self._working:
            time.sleep(YIELD_S)
        self._empty()

    def _empty(self) -> None:
        """What was posted before now; what that posts in turn has its turn later, so that events come between."""
        for _ in range(len(self._calls)):
            if self._closed or not self._calls:
                return
            self._run(self._calls.popleft())
        if self._calls:
            self._soon.start(0)

    def _run(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            self._complain(error)
