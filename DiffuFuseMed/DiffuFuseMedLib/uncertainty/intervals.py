"""A prediction interval for a number of the lesion, such as its volume, from the network's own doubt about it and the
errors on patients not trained on.

Residuals are divided by a width of the case's own (nested conformal sets: Gupta, Kuchibhotla, Ramdas, Pattern
Recognition 2022, 127, 108496). With enough patients the interval is jackknife+ (Barber, Candes, Ramdas, Tibshirani, Ann
Stat 2021, 49, 486); with fewer none without a distribution exists, and errors are taken as log-normal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

import numpy as np
from scipy.stats import t as student

from ..core.prediction import IS_SHOWN, NO_RANGE, Interval

LEAST = 1e-3  # what is less is taken for so much: a logarithm is wanted of it
LEAST_SHARE = 0.1  # of a number, as which an outline counts that holds less or nothing
LEAST_DIFFERENCE = 1.1
NOTHING_FOUND = "nothing was found, and how often that is wrong was not measured."
NOT_MEASURED = "the model's errors in it on patients that it never saw were not measured."
ONE_FACTOR = (
    "on the calibration patients its width did not depend on the case, so it would be the same factor for every case."
)
EARLIER = (
    "the model was calibrated by an earlier version, which measured another spread; run `diffufusemed calibrate` once "
    "more."
)
LOG_NORMAL = "from the errors on {} patients, taken as log-normal"
DISTRIBUTION_FREE = "from the errors on {} patients whatever their distribution: in {:g} % of cases like these at least"


def log_ratio_errors(
    references: Sequence[float], predictions: Sequence[float], spreads: Sequence[float] = ()
) -> dict[str, Any]:
    """Mean and standard deviation of ln(reference / prediction) over n patients; spreads: level_spread() of each one,
    which says whether the interval is one of the case, and each one's own ratio beside it."""
    ratios = np.log(np.maximum(np.asarray(references), LEAST) / np.maximum(np.asarray(predictions), LEAST))
    return _errors(ratios, spreads)


def errors_without(errors: Mapping[str, Any], patient: int) -> dict[str, Any]:
    """log_ratio_errors() of all its patients but the one at this place."""
    ratios, spreads = (np.delete(errors[name], patient) for name in ("ratios", "level_spreads"))
    return _errors(ratios, spreads)


def _errors(ratios: np.ndarray, spreads: Sequence[float] | np.ndarray) -> dict[str, Any]:
    fitted = {"mean": float(ratios.mean()), "sd": float(ratios.std(ddof=1)), "patients": len(ratios)}
    if not len(spreads):
        return fitted
    return {**fitted, "level_spreads": _rounded(spreads), "ratios": _rounded(ratios)}


def level_spread(value: float, wide: float, narrow: float) -> float:
    """How far a number may be off by the network's own doubt: half the logarithm of its ratio between a wide and a
    narrow outline of the lesion. What is below a tenth of the value, such as that of an empty outline, counts as a
    tenth."""
    least = max(LEAST_SHARE * value, LEAST)
    return abs(float(np.log(max(wide, least) / max(narrow, least)))) / 2


def log_spread(values: Sequence[float]) -> float:
    """Standard deviation of the logarithm of what the samples measure."""
    return float(np.log(np.maximum(values, LEAST)).std()) if len(values) else 0.0


def depends_on_case(errors: Mapping[str, Any]) -> bool:
    """Whether the interval's width differs from patient to patient: over the calibration patients, by a tenth at least
    between the quartiles. Otherwise it is one factor for every case, which tells nothing of any of them."""
    widths = [width(errors["sd"], spread) for spread in errors.get("level_spreads", ())]
    if len(widths) < 2:
        return False
    low, high = np.quantile(widths, (0.25, 0.75))
    return bool(high > LEAST_DIFFERENCE * low)


def prediction_interval(
    value: float,
    spread: float,
    errors: Mapping[str, Any] | None,
    level: float = 0.95,
    unit: str = "mL",
    name: str = "the volume",
) -> Interval:
    """About value, wider the further its level_spread() is; its ends always hold it.

    Withheld, with a sentence that calls the number `name`, where nothing was found, no errors were measured, or the
    interval would not depend on the case.
    """
    why = _withheld(value, errors)
    if why or not errors:
        return Interval(max(value, 0.0), None, None, unit, level, f"{NO_RANGE}{name}{IS_SHOWN}{why}")
    low, high, basis = _log_ends(errors, spread, level)
    ends = sorted(value * float(np.exp(end)) for end in (low, high))
    return Interval(value, min(ends[0], value), max(ends[1], value), unit, level, basis=basis)


def _withheld(value: float, errors: Mapping[str, Any] | None) -> str:
    """Why no interval can be stood for; "" where one can."""
    if value <= 0:
        return NOTHING_FOUND
    if not errors:
        return NOT_MEASURED
    if "spreads" in errors and "level_spreads" not in errors:
        return EARLIER
    return "" if depends_on_case(errors) else ONE_FACTOR


def _log_ends(errors: Mapping[str, Any], spread: float, level: float) -> tuple[float, float, str]:
    """Of the log ratio, and in words what they rest on."""
    ratios, spreads = (np.asarray(errors[name], dtype=float) for name in ("ratios", "level_spreads"))
    count = len(ratios)
    if count >= 3 and floor((1 - level) * (count + 1) + 1e-9) >= 1:
        told = DISTRIBUTION_FREE.format(count, 100 * (1 - 2 * (1 - level)))
        return *jackknife_plus(ratios, spreads, spread, level), told
    mean, sd = errors["mean"], errors["sd"]
    in_widths = (ratios - mean) / [width(sd, s) for s in spreads]
    off = float(np.sqrt(np.square(in_widths).sum() / (count - 1) * (1 + 1 / count)))
    reach = student.ppf((1 + level) / 2, count - 1) * off * width(sd, spread)
    return mean - reach, mean + reach, LOG_NORMAL.format(count)


def jackknife_plus(ratios: np.ndarray, spreads: np.ndarray, spread: float, level: float) -> tuple[float, float]:
    """Ends of the log ratio of a case of this level_spread(): eq. (1.3) of Barber et al., residuals of patients
    left out divided by width(). ratios, spreads: (n,), n at least 1 / (1 - level) - 1."""
    count = len(ratios)
    rank = (floor((1 - level) * (count + 1) + 1e-9), ceil(level * (count + 1) - 1e-9))
    lows, highs = [], []
    for left_out in range(count):
        others = np.delete(ratios, left_out)
        mean, sd = float(others.mean()), float(others.std(ddof=1))
        residual = abs(float(ratios[left_out]) - mean) / width(sd, float(spreads[left_out]))
        lows.append(mean - residual * width(sd, spread))
        highs.append(mean + residual * width(sd, spread))
    return sorted(lows)[rank[0] - 1], sorted(highs)[rank[1] - 1]


def width(sd: float, spread: float) -> float:
    """How far a case's log ratio is expected to lie from the mean, up to a factor: errors of the others, and its own
    level_spread()."""
    return max(float(np.hypot(sd, spread)), LEAST)


def _rounded(values: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(v), 5) for v in values]
