"""WindowLevelDrag: a window dragged in a view, or changed in another module of the host, is the reader's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..mrml import display
from .context import SessionContext
from .window_level import by_hand

TAKEN_S = 0.15  # between two values that are taken from a drag


class WindowLevelDrag:
    """choose(windows by role): makes them the parameters'."""

    def __init__(self, context: SessionContext, choose: Callable[[dict[str, str]], None]) -> None:
        self._context, self._choose = context, choose
        self._watched: dict[str, tuple[Any, Callable[[], None]]] = {}
        self._told: dict[str, tuple[float, float]] = {}
        self._timer: Any = None

    def show(self, role: str, low: float, high: float) -> None:
        """The window of a volume of the scene, unless a hand is about to change it."""
        node = self._context.nodes[role]
        if self._watched.get(role, (None,))[0] is not node:
            self._watch(role, node)
        elif self._timer and self._moved(role):
            return
        display.set_window(node, low, high)
        self._told[role] = display.window_of(node)

    def forget(self) -> None:
        """The volumes are about to go."""
        for _node, unwatch in self._watched.values():
            unwatch()
        if self._timer:
            self._timer.cancel()
        self._watched, self._told, self._timer = {}, {}, None

    def _watch(self, role: str, node: Any) -> None:
        if role in self._watched:
            self._watched[role][1]()
        self._watched[role] = (node, display.watch_window(node, lambda: self._changed(role, node)))

    def _changed(self, role: str, node: Any) -> None:
        if self._timer is None and self._context.nodes.get(role) is node and self._moved(role):
            self._timer = self._context.later(TAKEN_S, self._take)

    def _moved(self, role: str) -> bool:
        """Whether its window is another one than it was shown in."""
        return role in self._told and display.window_of(self._context.nodes[role]) != self._told[role]

    def _named(self, role: str) -> str:
        """In the unit that its values are shown in."""
        per_shown = self._context.per_shown(role)
        low, high = display.window_of(self._context.nodes[role])
        return by_hand(low * per_shown, high * per_shown)

    def _take(self) -> None:
        self._timer = None
        nodes = self._context.nodes
        moved = [role for role in self._watched if role in nodes and self._moved(role)]
        if moved and self._context.case is not None:
            self._choose({role: self._named(role) for role in moved})
