"""Which values of an image are shown, found in the image itself, with ends that a reader can keep in mind."""

from __future__ import annotations

from math import floor, log10

import numpy as np

from .modalities import ModalitySpec

STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)  # upper ends of tracers, times a power of ten
UPTAKE_PERCENT = 99.9  # of the body: a few voxels of noise or a full bladder's core may lie above
LEAST_TOP_SUV = 2.0  # background is not made to look hot where nothing is
AUTO_PERCENT = (1.0, 99.5)
MOST_LOOKED_AT = 200_000  # values
NOTHING = (0.0, 1.0)


def shown_range(spec: ModalitySpec, values: np.ndarray, per_shown: float = 1.0) -> tuple[float, float]:
    """Black and white, or the first and the last color, in the values' unit. values: those that say something, in any
    shape; per_shown: what they are multiplied by before they are shown, since what is shown is to be a round number."""
    seen = values.reshape(-1)
    if not seen.size:
        return NOTHING
    return _of_uptake(spec, seen, per_shown) if spec.tracer else _by_percentiles(seen)


def rounded_up(value: float) -> float:
    """The next of STEPS times a power of ten; 1 for what is not above 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in STEPS if step * power >= value * (1 - 1e-9))


def _of_uptake(spec: ModalitySpec, values: np.ndarray, per_shown: float) -> tuple[float, float]:
    """From zero to what the body takes up at most."""
    body = values[values > (spec.body_above or 0.0)]
    top = float(np.percentile(_some(body), UPTAKE_PERCENT)) * per_shown if body.size else 0.0
    least = LEAST_TOP_SUV if spec.scale == "SUV" else 0.0
    return 0.0, rounded_up(max(top, least * per_shown)) / per_shown


def _by_percentiles(values: np.ndarray) -> tuple[float, float]:
    low, high = (float(v) for v in np.percentile(_some(values), AUTO_PERCENT))
    return (low, high) if high > low else (low, low + 1.0)


def _some(values: np.ndarray) -> np.ndarray:
    return values[:: max(1, values.size // MOST_LOOKED_AT)]
