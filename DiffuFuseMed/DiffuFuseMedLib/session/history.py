"""Undo and redo: one history of all that a reader changes, one step for what the hand did in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

TOGETHER_S = 0.8  # changes of the same parameter closer than this are one drag, where nobody says when it ends
DEEPEST = 100

Values = Mapping[str, Any]  # by part of what a reader changes: a value that never changes itself


@dataclass(frozen=True)
class Step:
    """One action: what it was, in words, and the parts that it changed, before and after it."""

    what: str
    before: Values
    after: Values

    def without(self, parts: frozenset[str]) -> Step:
        """The same step on the other parts."""
        before, after = ({k: v for k, v in values.items() if k not in parts} for values in (self.before, self.after))
        return replace(self, before=before, after=after)


class History:
    """Steps that were done, and those undone; clock: seconds that never run backwards."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._past: list[Step] = []
        self._future: list[Step] = []
        self._last: tuple[frozenset[str], float] | None = None
        self._held = False

    def hold(self, held: bool) -> None:
        """Whether a hand is on a widget: what it changes until it lets go is one step, however long that takes."""
        if held != self._held:
            self._held, self._last = held, None

    @property
    def past(self) -> tuple[Step, ...]:
        """What can be undone, the last step at the end."""
        return tuple(self._past)

    @property
    def future(self) -> tuple[Step, ...]:
        """What can be done again, the next step at the end."""
        return tuple(self._future)

    def note(self, step: Step, dragged: frozenset[str] = frozenset()) -> None:
        """A step was done. dragged: names that a hand may be moving: what it moves in one go is one step."""
        now, last = self._clock(), self._last
        same_drag = last is not None and last[0] == dragged and (self._held or now - last[1] < TOGETHER_S)
        self._last = (dragged, now) if dragged else None
        self._future.clear()
        if same_drag and self._past:
            step = replace(step, before=self._past.pop().before)
        self._past = [*self._past, step][-DEEPEST:]

    def undo(self) -> Step | None:
        """The step to take back, None at the start."""
        return self._move(self._past, self._future)

    def redo(self) -> Step | None:
        """The step to do again, None at the end."""
        return self._move(self._future, self._past)

    def forget(self, *parts: str) -> None:
        """Steps say nothing of these parts any more; one that says nothing at all is none."""
        gone = frozenset(parts)
        kept = ([step.without(gone) for step in steps] for steps in (self._past, self._future))
        self._past, self._future = ([step for step in steps if step.before] for steps in kept)
        self._last = None

    def _move(self, source: list[Step], target: list[Step]) -> Step | None:
        if not source:
            return None
        self._last = None
        target.append(source.pop())
        return target[-1]
