"""prediction.json: every number of a run with its unit, and where it came from."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from ...core.agreement import Agreement
from ...core.case import Case
from ...core.prediction import Prediction
from ...core.suv_units import BODY_WEIGHT, SuvScale

TOTALS, OF_UPTAKE, IN_ML = ("tlg_g",), ("suv_max", "suv_mean", "suv_peak"), ("volume_ml", "mtv_ml", "mtv_2_5_ml")


def record(
    prediction: Prediction,
    case: Case,
    quality: list[str],
    measures: dict[str, float | None],
    scores: dict[str, Any] | None = None,
    suv: SuvScale = BODY_WEIGHT,
    annotators: Agreement | None = None,
) -> dict[str, Any]:
    """All that is known of the run as plain JSON values; a number that is not finite becomes None.

    measures: from core.lesion.quantify, in the unit `suv`; intervals: of the lesion as it was predicted, SUV by body
    weight; scores: against the case's reference mask, absent when None;
    annotators: how far they agree, where there are several.
    """
    entries = {
        "case": case.name,
        "modalities": list(case.modalities),
        "grid": prediction.grid,
        "volume": prediction.volume_ml,
        "sample_volumes_ml": prediction.sample_volumes_ml,
        "suv": suv.told.name,
        "intervals": prediction.uptake,
        "measures": {key: {"value": value, "unit": _unit(key, suv)} for key, value in measures.items()},
        "gates": prediction.gates,
        "quality": quality,
        "provenance": prediction.provenance,
    }
    told = {"scores": scores, "annotators": annotators}
    return plain(entries | {name: value for name, value in told.items() if value is not None})


def _unit(key: str, suv: SuvScale) -> str:
    if key in IN_ML:
        return "mL"
    return suv.told.unit if key in OF_UPTAKE else suv.told.total_unit if key in TOTALS else ""


def plain(value: Any) -> Any:
    """value as dicts, lists, strings, numbers and None: what JSON (RFC 8259, which has no NaN) can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)
