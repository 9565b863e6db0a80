"""AsyncioHost: what a session asks of its host, on an asyncio loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

READERS = 2


class AsyncioHost:
    """after: called on the loop after each call, so that the page is told of what changed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, after: Callable[[], None] = lambda: None) -> None:
        self._loop, self._after = loop, after
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="reading")
        self._writers = ThreadPoolExecutor(1, thread_name_prefix="saving")

    def post(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._run, call)

    def later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, self._run, call)

    def work(self, call: Callable[[], Any]) -> Future:
        return self._pool.submit(call)

    def write(self, call: Callable[[], Any]) -> Future:
        return self._writers.submit(call)

    def close(self) -> None:
        for pool in (self._pool, self._writers):
            pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, call: Callable[[], None]) -> None:
        try:
            call()
        finally:
            self._after()
