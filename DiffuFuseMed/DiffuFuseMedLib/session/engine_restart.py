"""EngineRestart: an engine that died is started again, unless it does nothing but die.

What the reader is told of it is one message, which changes with the engine: it was lost, it works again, and then the
message goes.
"""

from __future__ import annotations

from time import monotonic

from ..engine.client.engine import EngineError
from .context import SessionContext
from .view_state import Message

MOST_STARTS, STARTS_S = 3, 60.0  # an engine that dies more often than this is not started again by itself
SHOWN_S = 10.0  # that it works again
STOPPED = "The engine stopped and is being started again; nothing on screen was lost."
WORKS = "The engine stopped and was started again; nothing on screen was lost."
GAVE_UP = "The engine stops again and again, so it waits for your next action."


class EngineRestart:
    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._deaths: list[float] = []
        self._said: Message | None = None  # of an engine that does not work, while it does not

    def start(self) -> None:
        """Ahead of the first request; nobody waits for it. Raises EngineError."""
        self._context.engine.start().future.add_done_callback(lambda future: future.exception())

    def start_again(self, error: EngineError) -> None:
        """What it owed is asked for again by who waits for it; a run is the reader's affair."""
        now = monotonic()
        self._deaths = [at for at in self._deaths if now - at < STARTS_S] + [now]
        if len(self._deaths) > MOST_STARTS:
            self.give_up(GAVE_UP, error.detail)
            return
        self._said = self._context.say("warning", STOPPED, error.detail)
        try:
            self.start()
        except EngineError as failure:
            self._context.complain(failure)

    def give_up(self, sentence: str, detail: str) -> None:
        """It is not started again by itself; the sentence stays until it works or something else is said."""
        self._said = self._context.say("error", sentence, detail)

    @property
    def is_told(self) -> bool:
        """Whether the reader was told of an engine that does not work."""
        return self._said is not None

    def works(self) -> None:
        """It answered: that it was lost is no longer so."""
        context, said, self._said = self._context, self._said, None
        if said is None or context.view_state.message is not said:
            return
        told = context.say("info", WORKS, said.detail)
        context.later(SHOWN_S, lambda: context.unsay(told))
