"""CursorProbe: the values under the mouse, no more often than anybody reads."""

from __future__ import annotations

from collections.abc import Callable

from ..mrml.views import watch_cursor
from .alarm import Alarm
from .context import SessionContext

PROBE_S = 0.06  # between two readings: the mouse moves far more often

Place = tuple[float, float, float]


class CursorProbe:
    """probe(RAS mm): the values of a place; show(place, values): the place is None where the mouse left the views."""

    def __init__(
        self,
        context: SessionContext,
        probe: Callable[[Place], dict[str, str]],
        show: Callable[[Place | None, dict[str, str]], None],
    ) -> None:
        self._probe, self._show = probe, show
        self._place: Place | None = None
        self._alarm = Alarm(context)
        self._forget = watch_cursor(context.scene, self.moved)

    def moved(self, place: Place | None) -> None:
        """For a host whose views do not tell when the mouse left them."""
        self._place = place
        if not self._alarm.is_set:
            self._alarm.set(PROBE_S, self._read)

    def stop(self) -> None:
        """Follow the mouse no longer."""
        self._forget()

    def _read(self) -> None:
        place = self._place
        self._show(place, self._probe(place) if place else {})
