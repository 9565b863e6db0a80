"""Doorman: how many may stand at the door, and for how long, before they have shown the token.

Each connection takes one of the files that a process may have open. Whoever opened a thousand and sent half a request
on each would leave none for the reader; aiohttp itself waits for the other half for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from aiohttp import web

log = logging.getLogger(__name__)
WAIT_S = 10.0
MOST = 64
LOOK_EVERY_S = 0.1


class Doorman:
    """runner(): the server's aiohttp runner once there is one; wait_s: until the token has to be shown; most: how many
    may wait for that, where the ones that came first have to go first."""

    def __init__(self, runner: Any, wait_s: float = WAIT_S, most: int = MOST) -> None:
        self._runner, self._wait_s, self._most = runner, wait_s, most
        self._admitted: set[Any] = set()
        self._came: dict[Any, float] = {}

    def admit(self, request: web.Request) -> None:
        """The request came with the cookie: its connection may stay."""
        self._admitted.add(request.protocol)

    async def at_work(self, _: web.Application) -> AsyncIterator[None]:
        """For an application's cleanup_ctx: looks at the door for as long as the application runs."""
        task = asyncio.create_task(self._look())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            runner = self._runner()
            if runner is not None and runner.server is not None:
                self._send_away(runner.server.connections)

    def _send_away(self, connections: list[Any]) -> None:
        now = asyncio.get_running_loop().time()
        self._admitted.intersection_update(connections)
        waiting = [one for one in connections if one not in self._admitted]
        self._came = {one: self._came.get(one, now) for one in waiting}
        late = [one for one in waiting if now - self._came[one] > self._wait_s]
        patient = sorted((one for one in waiting if one not in late), key=self._came.__getitem__)
        for one in late + patient[: max(0, len(patient) - self._most)]:
            if one.transport is not None:
                one.transport.abort()
