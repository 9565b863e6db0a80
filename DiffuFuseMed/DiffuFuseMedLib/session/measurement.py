"""MeasurementLogic: what the lesion says as it stands, found off the host's thread after every change of a voxel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.case import Case
from ..core.prediction import Prediction
from ..mrml.views import watch_segmentation
from .context import SessionContext
from .numbers import contour_ends, number_rows

EDITED_S = 0.2  # the brush was lifted


@dataclass(frozen=True)
class Measured:
    """rows: as number_rows(); edited: it is another than the network drew."""

    rows: tuple[dict[str, str], ...]
    edited: bool


class MeasurementLogic:
    """mask(): the lesion, bool [k, j, i], or None; changed(lesion): told of one that differs from the last."""

    def __init__(
        self, context: SessionContext, mask: Callable[[], np.ndarray | None], changed: Callable[[np.ndarray], None]
    ) -> None:
        self._context, self._mask, self._changed = context, mask, changed
        self._seen: np.ndarray | None = None
        self._ends: tuple[Prediction, list[dict[str, float | None]]] | None = None
        self._turn = 0
        self._timer: Any = None
        self._unwatch: Callable[[], None] | None = None

    def watch(self) -> None:
        """Look whenever the lesion in the scene is touched."""
        if self._unwatch is None:
            self._unwatch = watch_segmentation(self._context.nodes["lesion"], self._touched)

    def forget(self) -> None:
        """Another case, or none."""
        if self._unwatch:
            self._unwatch()
        if self._timer:
            self._timer.cancel()
        self._unwatch = self._timer = self._seen = self._ends = None
        self._turn += 1
        self._context.view_state.counting = False

    def adopt(self, mask: np.ndarray | None) -> None:
        """The lesion of a scene that was opened: counted, but nobody has to hear that it changed."""
        self._seen = None
        self._measure(mask, tell=False)

    def renew(self) -> None:
        """A new result: its numbers, even where its voxels are those of the last."""
        self._seen = None
        self._context.view_state.numbers = ()
        self.look()

    def look(self) -> None:
        """Count the lesion again if a voxel of it changed."""
        self._measure(self._mask(), tell=True)

    def _touched(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._context.later(EDITED_S, self.look)

    def _measure(self, mask: np.ndarray | None, tell: bool) -> None:
        context, seen = self._context, self._seen
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if mask is None or context.case is None:
            return
        self._turn += 1
        turn, case, prediction = self._turn, context.case, context.prediction
        context.view_state.counting = True
        future = context.host.work(lambda: self._measured(mask, seen, case, prediction))
        context.then(future, lambda found: self._take(turn, mask, found, tell), lambda error: self._failed(turn, error))

    def _measured(
        self, mask: np.ndarray, seen: np.ndarray | None, case: Case, prediction: Prediction | None
    ) -> Measured | None:
        """On a thread of its own; None for a lesion that was seen already, such as when a helper segment came."""
        if seen is not None and np.array_equal(mask, seen):
            return None
        known = self._ends
        if prediction is not None and (known is None or known[0] is not prediction):
            self._ends = known = (prediction, contour_ends(case, prediction))
        edited = prediction is None or bool((mask != (prediction.labels == 1)).any())
        return Measured(number_rows(mask, case, prediction, known[1] if known else []), edited)

    def _take(self, turn: int, mask: np.ndarray, found: Measured | None, tell: bool) -> None:
        if turn != self._turn:
            return
        view_state = self._context.view_state
        view_state.counting = False
        if found is not None:
            self._seen, view_state.numbers, view_state.edited = mask, found.rows, found.edited
            if tell:
                self._changed(mask)
        self._context.tell("numbers")

    def _failed(self, turn: int, error: BaseException) -> None:
        if turn == self._turn:
            self._context.view_state.counting = False
            self._context.complain(error)
