"""Measurement: what a lesion says, counted on a thread of its own; it touches neither scene nor view state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.case import Case
from ..core.prediction import Prediction
from ..core.suv_units import SuvScale
from .numbers import contour_ends, number_rows


@dataclass(frozen=True)
class Measured:
    """rows: as number_rows(); edited: it is another than the network drew."""

    rows: tuple[dict[str, str], ...]
    edited: bool


class Measurement:
    """Keeps what is the same however the lesion is edited: the numbers of the inner and the outer contour."""

    def __init__(self) -> None:
        self._ends: tuple[Prediction, SuvScale, list[dict[str, float | None]]] | None = None

    def of(
        self, mask: np.ndarray, seen: np.ndarray | None, case: Case, prediction: Prediction | None, suv: SuvScale
    ) -> Measured | None:
        """Of a mask, bool [k, j, i]; None where it is the one that was seen, such as when a helper segment came."""
        if seen is not None and np.array_equal(mask, seen):
            return None
        known = self._ends
        if prediction is not None and (known is None or known[0] is not prediction or known[1] != suv):
            self._ends = known = (prediction, suv, contour_ends(case, prediction, suv))
        edited = prediction is None or bool((mask != (prediction.labels == 1)).any())
        return Measured(number_rows(mask, case, prediction, known[2] if known else [], suv), edited)
