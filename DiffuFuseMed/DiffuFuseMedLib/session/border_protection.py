"""BorderProtection: the lesion whose border gamma draws, in the engine or owed to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..engine.client.engine import EngineError
from .context import SessionContext


class BorderProtection:
    """failed(error): the engine did not take it; requests are answered with the lesion before."""

    def __init__(self, context: SessionContext, failed: Callable[[BaseException], None]) -> None:
        self._context, self._failed = context, failed
        self._owed: tuple[np.ndarray | None] | None = None  # until the engine has said that it has it

    def send(self, lesion: np.ndarray | None) -> bool:
        """lesion: bool [k, j, i], None for none. True when requests from now on are answered with it."""
        context, owed = self._context, (lesion,)
        self._owed = owed
        try:
            handle = context.engine.replace_rois(context.opened_id, lesion=lesion)
        except EngineError as error:
            self._refused(owed, error)
            return False
        context.then(handle.future, lambda _: self._taken(owed), lambda error: self._refused(owed, error))
        return True

    @property
    def is_owed(self) -> bool:
        """Whether there is one that the engine may never have got."""
        return self._owed is not None

    def send_again(self) -> bool:
        """What an engine that died did not take; as send()."""
        return self._owed is not None and self.send(*self._owed)

    def forget(self) -> None:
        """Another case."""
        self._owed = None

    def _taken(self, owed: tuple) -> None:
        if self._owed is owed:
            self._owed = None

    def _refused(self, owed: tuple, error: BaseException) -> None:
        if self._owed is not owed:
            return
        if getattr(error, "code", "") != "died":
            self._owed = None
        self._failed(error)
