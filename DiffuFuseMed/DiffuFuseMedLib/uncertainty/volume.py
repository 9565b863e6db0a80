"""A prediction interval for the lesion volume, from the samples' spread and the errors on patients not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student

from ..core.prediction import Interval


def log_ratio_errors(references_ml: Sequence[float], predictions_ml: Sequence[float]) -> dict[str, float]:
    """Mean and standard deviation of ln(reference / predicted volume) over n patients."""
    ratio = np.log(np.asarray(references_ml) / np.maximum(np.asarray(predictions_ml), 1e-3))
    return {"mean": float(ratio.mean()), "sd": float(ratio.std(ddof=1)), "patients": len(ratio)}


def volume_interval(
    volume_ml: float, sample_volumes_ml: Sequence[float], errors: dict[str, float] | None, level: float = 0.95
) -> Interval:
    """Student's prediction interval of the log ratio about volume_ml, widened by the samples' own spread.

    With few calibration patients no distribution-free 95 % interval exists (it needs 19), so the log ratio is taken as
    normal. Without calibration only the samples' spread is left, which is too narrow: their range is returned.
    """
    if volume_ml <= 0:
        return Interval(0.0, 0.0, float(max(sample_volumes_ml, default=0.0)), "mL", level)
    logs = np.log(np.maximum(sample_volumes_ml, 1e-3)) if len(sample_volumes_ml) else np.zeros(1)
    if not errors:
        all_ml = (volume_ml, *sample_volumes_ml)
        return Interval(volume_ml, min(all_ml), max(all_ml), "mL", level)
    n = errors["patients"]
    spread = np.sqrt(errors["sd"] ** 2 * (1 + 1 / n) + logs.var())
    reach = student.ppf((1 + level) / 2, n - 1) * spread
    low, high = (volume_ml * float(np.exp(errors["mean"] + side * reach)) for side in (-1, 1))
    return Interval(volume_ml, min(low, volume_ml), max(high, volume_ml), "mL", level)
