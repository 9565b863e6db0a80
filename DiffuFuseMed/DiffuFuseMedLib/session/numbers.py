"""Numbers: what the lesion measures, with the range that the contours leave open."""

from __future__ import annotations

import numpy as np

from ..data.case import Case
from ..data.lesion import quantify
from ..data.prediction import Prediction

SHOWN = (
    ("volume_ml", "Volume", "mL", 1),
    ("suv_max", "SUVmax", "g/mL", 1),
    ("suv_mean", "SUVmean", "g/mL", 1),
    ("mtv_ml", "MTV (41 %)", "mL", 1),
    ("tlg_g", "TLG", "g", 0),
)


def number_rows(lesion: np.ndarray, case: Case, prediction: Prediction | None) -> tuple[dict[str, str], ...]:
    """label, value, range of each number of the lesion, bool [k, j, i].

    The volume's range is the Prediction's calibrated interval; that of the others what they are inside the inner and
    inside the outer contour, which is how far the drawn border moves them.
    """
    now = quantify(lesion, case)
    ends = [quantify(mask, case) for mask in (prediction.inner, prediction.outer)] if prediction else []
    rows = []
    for key, label, unit, digits in SHOWN:
        if key in now:
            reach = _volume_range(prediction) if key == "volume_ml" and prediction else _range(ends, key)
            rows.append(_row(label, now[key], reach, unit, digits))
    return tuple(rows)


def _volume_range(prediction: Prediction) -> list[float]:
    return [prediction.volume_ml.low, prediction.volume_ml.high]


def _range(ends: list[dict[str, float | None]], key: str) -> list[float]:
    return [end[key] for end in ends if end.get(key) is not None]


def _row(label: str, value: float | None, reach: list[float], unit: str, digits: int) -> dict[str, str]:
    shown = "none" if value is None else f"{value:.{digits}f} {unit}"
    span = f"{min(reach):.{digits}f} to {max(reach):.{digits}f}" if len(reach) == 2 else ""
    return {"label": label, "value": shown, "range": span}
