"""Undo and redo of parameter changes: one step for what the hand did in one go."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from .parameters import Parameters

TOGETHER_S = 0.8  # changes of the same parameter closer than this are one drag, where nobody says when it ends
DEEPEST = 100


class History:
    """States before each step, and those undone; clock: seconds that never run backwards."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._past: list[Parameters] = []
        self._future: list[Parameters] = []
        self._last: tuple[frozenset[str], float] | None = None
        self._held = False

    def hold(self, held: bool) -> None:
        """Whether a hand is on a widget: what it changes until it lets go is one step, however long that takes."""
        if held != self._held:
            self._held, self._last = held, None

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def note(self, before: Parameters, names: frozenset[str]) -> None:
        """before: the parameters before these names were changed."""
        now, last = self._clock(), self._last
        same_drag = last is not None and last[0] == names and (self._held or now - last[1] < TOGETHER_S)
        self._last = (names, now)
        self._future.clear()
        if not (same_drag and self._past):
            self._past = [*self._past, before][-DEEPEST:]

    def undo(self, now: Parameters) -> Parameters | None:
        """The parameters one step back, None at the start; `now` can be brought back by redo()."""
        return self._step(self._past, self._future, now)

    def redo(self, now: Parameters) -> Parameters | None:
        return self._step(self._future, self._past, now)

    def _step(self, source: list[Parameters], target: list[Parameters], now: Parameters) -> Parameters | None:
        if not source:
            return None
        self._last = None
        target.append(now)
        return source.pop()
