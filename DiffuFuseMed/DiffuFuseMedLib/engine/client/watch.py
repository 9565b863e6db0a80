"""Watch: looks after an engine for as long as it owes an answer, so that no request waits for one that never comes."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

LOOK_S = 5.0  # between two looks
DEAF_S = 60.0  # without an answer to a question that takes no work; an import of PyTorch on a busy machine takes 20


class Watch:
    """later(seconds, call): a timer; look(): asks the engine, False when there is nothing to look after any more."""

    def __init__(self, later: Callable[[float, Callable[[], None]], Any], look: Callable[[], bool]) -> None:
        self._later = later
        self._look = weakref.WeakMethod(look)  # a timer must not keep an engine that nobody has any more
        self._lock = threading.Lock()
        self._timer: Any = None

    def begin(self) -> None:
        """Something is owed."""
        with self._lock:
            if self._timer is None:
                self._timer = self._later(LOOK_S, self._tick)

    def end(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        with self._lock:
            self._timer = None
        look = self._look()
        if look is not None and look():
            self.begin()
