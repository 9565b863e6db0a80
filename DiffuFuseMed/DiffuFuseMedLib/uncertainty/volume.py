"""A prediction interval for the lesion volume, from the samples' spread and the errors on patients not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

from ..core.prediction import Interval

LEAST_DIFFERENCE = 1.1
NOTHING_FOUND = "No range of the volume is shown: nothing was found, and how often that is wrong was not measured."
NOT_MEASURED = (
    "No range of the volume is shown: the model's errors in volume on patients that it never saw were not measured."
)
ONE_FACTOR = (
    "No range of the volume is shown: on the calibration patients its width did not depend on the case, so it "
    "would be the same factor for every case."
)


def log_ratio_errors(
    references_ml: Sequence[float], predictions_ml: Sequence[float], spreads: Sequence[float] = ()
) -> dict[str, Any]:
    """Mean and standard deviation of ln(reference / predicted volume) over n patients; spreads: log_spread() of each
    one's samples, which says whether the interval is one of the case."""
    ratio = np.log(np.asarray(references_ml) / np.maximum(np.asarray(predictions_ml), 1e-3))
    fitted = {"mean": float(ratio.mean()), "sd": float(ratio.std(ddof=1)), "patients": len(ratio)}
    return {**fitted, "spreads": [round(float(s), 5) for s in spreads]} if len(spreads) else fitted


def log_spread(sample_volumes_ml: Sequence[float]) -> float:
    """Standard deviation of the logarithm of the samples' volumes."""
    return float(np.log(np.maximum(sample_volumes_ml, 1e-3)).std()) if len(sample_volumes_ml) else 0.0


def depends_on_case(errors: Mapping[str, Any]) -> bool:
    """Whether the interval's width differs from patient to patient: over the calibration patients, by a tenth at least
    between the quartiles. Otherwise it is one factor for every case, which tells nothing of any of them."""
    spreads = np.asarray(errors.get("spreads", ()), dtype=float)
    if spreads.size < 2:
        return False
    reach = np.sqrt(errors["sd"] ** 2 * (1 + 1 / errors["patients"]) + spreads**2)
    low, high = np.quantile(reach, (0.25, 0.75))
    return bool(high > LEAST_DIFFERENCE * low)


def volume_interval(
    volume_ml: float, sample_volumes_ml: Sequence[float], errors: Mapping[str, Any] | None, level: float = 0.95
) -> Interval:
    """Student's prediction interval of the log ratio about volume_ml, widened by the samples' own spread.

    With few calibration patients no distribution-free 95 % interval exists (it needs 19), so the log ratio is taken as
    normal. Withheld, with a sentence, where nothing was found, no errors were measured, or the interval would not
    depend on the case.
    """
    why = NOTHING_FOUND if volume_ml <= 0 else NOT_MEASURED if not errors else ""
    if why or not errors or not depends_on_case(errors):
        return Interval(max(volume_ml, 0.0), None, None, "mL", level, why or ONE_FACTOR)
    n = errors["patients"]
    spread = np.sqrt(errors["sd"] ** 2 * (1 + 1 / n) + log_spread(sample_volumes_ml) ** 2)
    reach = student.ppf((1 + level) / 2, n - 1) * spread
    low, high = (volume_ml * float(np.exp(errors["mean"] + side * reach)) for side in (-1, 1))
    return Interval(volume_ml, min(low, volume_ml), max(high, volume_ml), "mL", level)
