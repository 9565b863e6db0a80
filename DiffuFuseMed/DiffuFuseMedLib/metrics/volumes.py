"""How well the volumes of samples foretell a measured one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.errors import input_error


def crps(samples_ml: Sequence[float], reference_ml: float) -> float:
    """Continuous ranked probability score of an ensemble, E|X - y| - E|X - X'| / 2, in mL; 0 is best.

    T. Gneiting and A. Raftery, JASA 2007, eq. (21), with the samples' own distribution: both expectations over all of
    them, so that of a single sample it is the absolute error. Raises InputError without a sample.
    """
    x = np.asarray(samples_ml, dtype=float)
    if not x.size:
        raise input_error("a score without a sample's volume", "at least one", "choose a model that gives samples")
    return float(np.abs(x - reference_ml).mean() - np.abs(x[:, None] - x).mean() / 2)
