"""Alarm: one call to come; setting it again takes the place of the last."""

from __future__ import annotations

from collections.abc import Callable

from .context import SessionContext
from .host import Timer


class Alarm:
    """On the host's thread, and never after the session is closed."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._timer: Timer | None = None

    @property
    def is_set(self) -> bool:
        return self._timer is not None

    def set(self, seconds: float, call: Callable[[], object]) -> None:
        """Call once, these seconds from now."""
        self.cancel()

        def ring() -> None:
            self._timer = None
            call()

        self._timer = self._context.later(seconds, ring)

    def cancel(self) -> bool:
        """Whether there was one to come."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        return timer is not None
