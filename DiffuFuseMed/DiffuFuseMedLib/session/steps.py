"""Steps: what the reader did at this case, step by step, each with all that has to go back with it.

A part is one thing that a reader changes: the parameters, the lesion, the decisions, the place in the worklist. Its
value never changes itself, so a step is what its parts were before and are after, and to undo one is to put that back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .context import SessionContext
from .events import Topic
from .history import History, Step, Values

PARAMETERS, LESION, DECISIONS, PLACE = "parameters", "lesion", "decisions", "place"
ACCEPTANCE = "acceptance"
OF_A_RESULT = (LESION, DECISIONS, PLACE, ACCEPTANCE)


@dataclass(frozen=True)
class Part:
    """take(): the value as it is; put(value): make it so again."""

    take: Callable[[], Any]
    put: Callable[[Any], None]


class Steps:
    """unnoted(): called before anything is noted or undone, for what was done and is no step yet."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._history = History()
        self._parts: dict[str, Part] = {}
        self.unnoted: Callable[[], None] = lambda: None

    def add(self, name: str, take: Callable[[], Any], put: Callable[[Any], None]) -> None:
        """A part; those of one step are put back in the order in which they were added."""
        self._parts[name] = Part(take, put)

    def taken(self, *names: str) -> Values:
        """These parts as they are."""
        return {name: self._parts[name].take() for name in names}

    def hold(self, held: bool) -> None:
        """Whether a hand is on a widget."""
        self._history.hold(held)

    def note(self, what: str, before: Values, after: Values, dragged: frozenset[str] = frozenset()) -> None:
        """A step was done. what: of it in words, such as "a decision"."""
        if before != after:
            self._history.note(Step(what, before, after), dragged)
            self._show()

    @contextmanager
    def one(self, what: str, *names: str) -> Iterator[None]:
        """What is done inside is one step on these parts."""
        self.unnoted()
        before = self.taken(*names)
        yield
        self.note(what, before, self.taken(*names))

    def undo(self) -> None:
        self.unnoted()
        if step := self._history.undo():
            self._put(step.before)

    def redo(self) -> None:
        self.unnoted()
        if step := self._history.redo():
            self._put(step.after)

    def forget(self, *names: str) -> None:
        """These parts cannot go back any more, such as after a new result."""
        self._history.forget(*names)
        self._show()

    def clear(self) -> None:
        """Another case."""
        self._history = History()
        self._show()

    def _put(self, values: Values) -> None:
        for name, part in self._parts.items():
            if name in values:
                part.put(values[name])
        self._show()

    def _show(self) -> None:
        view_state, past, future = self._context.view_state, self._history.past, self._history.future
        view_state.steps, view_state.can_undo, view_state.can_redo = len(past), bool(past), bool(future)
        view_state.undo_words = past[-1].what if past else ""
        view_state.redo_words = future[-1].what if future else ""
        self._context.tell(Topic.STEPS)
