"""Guarded: a fault in what a button calls is told to the reader in one sentence; the page goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any


class Guarded:
    """The methods of `actions`, each of which tells `complain` what it raises."""

    def __init__(self, actions: Any, complain: Callable[[BaseException], None]) -> None:
        self._actions, self._complain = actions, complain

    def __getattr__(self, name: str) -> Callable[..., None]:
        action = getattr(self._actions, name)

        @wraps(action)
        def call(*arguments: Any) -> None:
            try:
                action(*arguments)
            except Exception as error:
                self._complain(error)

        return call
