"""What a session asks of its host: one thread for scene and view state, timers, and threads for reading files."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol


class Timer(Protocol):
    def cancel(self) -> Any: ...


class Host(Protocol):
    """asyncio in the browser host, Qt's event loop in desktop Slicer."""

    def post(self, call: Callable[[], None]) -> None:
        """Run `call` soon on the thread of scene and view state; may be called from any thread."""

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Run `call` on that thread after these seconds unless the timer is cancelled; called on that thread."""

    def work(self, call: Callable[[], Any]) -> Future:
        """Run `call` on another thread, which touches neither scene nor view state."""

    def write(self, call: Callable[[], Any]) -> Future:
        """work() for what is saved: it does not stand behind what is read, nor that behind it."""
