"""BorderProtection: the lesion whose border gamma holds, in the engine or owed to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..engine.client.engine import EngineError
from .context import SessionContext


class BorderProtection:
    """sent(): requests from now on are answered with the new lesion; failed(error): they are not."""

    def __init__(
        self, context: SessionContext, sent: Callable[[], None], failed: Callable[[BaseException], None]
    ) -> None:
        self._context, self._sent, self._failed = context, sent, failed
        self._owed: tuple[np.ndarray | None] | None = None  # until the engine has said that it has it

    def send(self, lesion: np.ndarray | None) -> None:
        """lesion: bool [k, j, i], None for none."""
        context, owed = self._context, (lesion,)
        self._owed = owed
        try:
            handle = context.engine.replace_rois(context.case_id, lesion=lesion)
        except EngineError as error:
            self._refused(owed, error)
            return
        context.then(handle.future, lambda _: self._taken(owed), lambda error: self._refused(owed, error))
        self._sent()

    def again(self) -> bool:
        """Send what an engine that died did not take; False when it has taken all."""
        if self._owed is None:
            return False
        self.send(self._owed[0])
        return True

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
