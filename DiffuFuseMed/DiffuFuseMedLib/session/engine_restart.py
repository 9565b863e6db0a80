"""EngineRestart: an engine that died is started again, unless it does nothing but die."""

from __future__ import annotations

from time import monotonic

from ..engine.client.engine import EngineError
from .context import SessionContext

MOST_STARTS, STARTS_S = 3, 60.0  # an engine that dies more often than this is not started again by itself


class EngineRestart:
    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._deaths: list[float] = []

    def start(self) -> None:
        """Ahead of the first request; nobody waits for it. Raises EngineError."""
        self._context.engine.start().future.add_done_callback(lambda future: future.exception())

    def start_again(self, error: EngineError) -> None:
        """What it owed is asked for again by who waits for it; a run is the reader's affair."""
        now = monotonic()
        self._deaths = [at for at in self._deaths if now - at < STARTS_S] + [now]
        if len(self._deaths) > MOST_STARTS:
            self._context.say(
                "error", "The engine stops again and again, so it waits for your next action.", error.detail
            )
            return
        self._context.say(
            "warning", "The engine stopped and was started again; nothing on screen was lost.", error.detail
        )
        try:
            self.start()
        except EngineError as failure:
            self._context.complain(failure)
