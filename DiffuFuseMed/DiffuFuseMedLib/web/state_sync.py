"""StateSync: the session's parameters and view state as the page's state, and the page's changes back to the session.

State names: p_<parameter> and s_<entry of the view state>; holding: whether the hand is on a slider. It is a state like
the values, since these come in one order, and an event could overtake them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from ..session import FUSED, Parameters, Session, Topic, ViewState, window_choices

PARAMETERS = tuple(entry.name for entry in fields(Parameters))
SHOWN = tuple(entry.name for entry in fields(ViewState))
LISTS = ("lambdas", "ct_window_hu")
TOLD_ELSEWHERE = ("modalities", "preset", "windows", "registered", "moved")  # by an action of their own, not by a value


class StateSync:
    """state: trame's. Everything is written once at the start, then what a topic touches."""

    def __init__(self, state: Any, session: Session) -> None:
        self._state, self._session = state, session
        self._writing = False
        state.holding = False
        self.write_all()
        session.listen(self._told)
        state.change("holding", *[f"p_{name}" for name in PARAMETERS if name not in TOLD_ELSEWHERE])(self._changed)

    def write_all(self) -> None:
        """Only what differs is sent: trame compares."""
        for topic in (Topic.PARAMETERS, Topic.CASE):
            self._told(topic)

    def _told(self, topic: Topic) -> None:
        """The view state may change with any topic; parameters and windows with their own alone."""
        self._writing = True
        try:
            for name in SHOWN:
                self._put(f"s_{name}", _plain(getattr(self._session.view_state, name)))
            if topic is Topic.PARAMETERS:
                self._write_parameters()
            if topic in (Topic.CASE, Topic.PARAMETERS):
                self._put("window_choices", self._window_choices())
        finally:
            self._writing = False

    def _write_parameters(self) -> None:
        for name in PARAMETERS:
            self._put(f"p_{name}", _plain(getattr(self._session.parameters, name)))

    def _window_choices(self) -> dict[str, list[str]]:
        """By modality, and of the fused picture where there can be one."""
        session, chosen = self._session, self._session.parameters.windows
        pictures = [*session.view_state.modalities, *([] if session.fusion.why_not() else [FUSED])]
        return {key: list(window_choices(key, chosen.get(key, ""))) for key in pictures}

    def _put(self, name: str, value: Any) -> None:
        if not self._state.has(name) or self._state[name] != value:
            self._state[name] = value

    def _changed(self, **state: Any) -> None:
        """The page changed a parameter: hand it to the session, which refuses what cannot be."""
        if self._writing:
            return
        if state["holding"]:
            self._session.hold()
        self._set(state)
        if not state["holding"]:
            self._session.hold(False)  # after the last value of the drag

    def _set(self, state: dict[str, Any]) -> None:
        now = self._session.parameters
        changed = {}
        for name in PARAMETERS:
            if name in TOLD_ELSEWHERE:
                continue
            value = _typed(state[f"p_{name}"], getattr(now, name))
            if value != getattr(now, name):
                changed[name] = value
        if changed:
            self._session.set(**changed)


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return asdict(value)
    return list(value) if isinstance(value, tuple) else value


def _typed(value: Any, like: Any) -> Any:
    """A value of the page as the type that the parameter has: the page knows one kind of number."""
    if isinstance(like, tuple):
        return tuple(value)
    if isinstance(like, bool) or value is None:
        return like if value is None else bool(value)
    if isinstance(like, int):
        return _number(value, int, like)
    return _number(value, float, like) if isinstance(like, float) else value


def _number(value: Any, kind: Callable[[Any], Any], otherwise: Any) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError):
        return otherwise
