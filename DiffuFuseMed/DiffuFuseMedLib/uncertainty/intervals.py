"""A prediction interval for a number of the lesion, such as its volume, from the samples' spread and the errors on
patients not trained on.

With enough patients it is jackknife+ (Barber, Candes, Ramdas, Tibshirani, Ann Stat 2021, 49, 486), residuals divided
by a width of the case's own (nested conformal sets: Gupta, Kuchibhotla, Ramdas, Pattern Recognition 2022, 127, 108496);
with fewer none without a distribution exists, and errors are taken as log-normal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

import numpy as np
from scipy.stats import t as student

from ..core.prediction import Interval

LEAST = 1e-3  # what is less is taken for so much: a logarithm is wanted of it
LEAST_DIFFERENCE = 1.1
NOTHING_FOUND = "No range of {} is shown: nothing was found, and how often that is wrong was not measured."
NOT_MEASURED = "No range of {} is shown: the model's errors in it on patients that it never saw were not measured."
ONE_FACTOR = (
    "No range of {} is shown: on the calibration patients its width did not depend on the case, so it would be the "
    "same factor for every case."
)
LOG_NORMAL = "from the errors on {} patients, taken as log-normal"
DISTRIBUTION_FREE = "from the errors on {} patients whatever their distribution: in {:g} % of cases like these at least"


def log_ratio_errors(
    references: Sequence[float], predictions: Sequence[float], spreads: Sequence[float] = ()
) -> dict[str, Any]:
    """Mean and standard deviation of ln(reference / prediction) over n patients; spreads: log_spread() of each one's
    samples, which says whether the interval is one of the case, and each one's own ratio beside it."""
    ratio = np.log(np.maximum(np.asarray(references), LEAST) / np.maximum(np.asarray(predictions), LEAST))
    fitted = {"mean": float(ratio.mean()), "sd": float(ratio.std(ddof=1)), "patients": len(ratio)}
    if not len(spreads):
        return fitted
    return {**fitted, "spreads": _rounded(spreads), "ratios": _rounded(ratio)}


def log_spread(values: Sequence[float]) -> float:
    """Standard deviation of the logarithm of what the samples measure."""
    return float(np.log(np.maximum(values, LEAST)).std()) if len(values) else 0.0


def depends_on_case(errors: Mapping[str, Any]) -> bool:
    """Whether the interval's width differs from patient to patient: over the calibration patients, by a tenth at least
    between the quartiles. Otherwise it is one factor for every case, which tells nothing of any of them."""
    spreads = np.asarray(errors.get("spreads", ()), dtype=float)
    if spreads.size < 2:
        return False
    reach = np.sqrt(errors["sd"] ** 2 * (1 + 1 / errors["patients"]) + spreads**2)
    low, high = np.quantile(reach, (0.25, 0.75))
    return bool(high > LEAST_DIFFERENCE * low)


def prediction_interval(
    value: float,
    of_samples: Sequence[float],
    errors: Mapping[str, Any] | None,
    level: float = 0.95,
    unit: str = "mL",
    name: str = "the volume",
) -> Interval:
    """About value, wider the more the samples disagree; its ends always hold it.

    Withheld, with a sentence that calls the number `name`, where nothing was found, no errors were measured, or the
    interval would not depend on the case.
    """
    why = NOTHING_FOUND if value <= 0 else NOT_MEASURED if not errors else ""
    if why or not errors or not depends_on_case(errors):
        return Interval(max(value, 0.0), None, None, unit, level, (why or ONE_FACTOR).format(name))
    low, high, basis = _log_ends(errors, log_spread(of_samples), level)
    ends = sorted(value * float(np.exp(end)) for end in (low, high))
    return Interval(value, min(ends[0], value), max(ends[1], value), unit, level, basis=basis)


def _log_ends(errors: Mapping[str, Any], spread: float, level: float) -> tuple[float, float, str]:
    """Of the log ratio, and in words what they rest on."""
    ratios, spreads = (np.asarray(errors.get(name, ()), dtype=float) for name in ("ratios", "spreads"))
    count = len(ratios)
    if count >= 3 and floor((1 - level) * (count + 1) + 1e-9) >= 1:
        told = DISTRIBUTION_FREE.format(count, 100 * (1 - 2 * (1 - level)))
        return *jackknife_plus(ratios, spreads, spread, level), told
    mean, patients = errors["mean"], errors["patients"]
    reach = student.ppf((1 + level) / 2, patients - 1) * float(
        np.sqrt(errors["sd"] ** 2 * (1 + 1 / patients) + spread**2)
    )
    return mean - reach, mean + reach, LOG_NORMAL.format(patients)


def jackknife_plus(ratios: np.ndarray, spreads: np.ndarray, spread: float, level: float) -> tuple[float, float]:
    """Ends of the log ratio of a case whose samples spread so far: eq. (1.3) of Barber et al., residuals of patients
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
    """How far a case's log ratio is expected to lie from the mean, up to a factor: errors of the others, and how far
    its own samples lie apart."""
    return max(float(np.hypot(sd, spread)), LEAST)


def _rounded(values: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(v), 5) for v in values]
