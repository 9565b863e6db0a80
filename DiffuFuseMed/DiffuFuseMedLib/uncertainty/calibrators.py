"""Ways to correct a network's probability by patients that it never saw, to be held beside each other.

Each but the isotonic one is a logistic regression on columns of a voxel. Platt scaling is what models ship with
(platt.py): the others are here so that it is measured, and not believed, whether more than it pays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import isotonic_regression, minimize
from scipy.special import expit, logit

LIMIT = 1e-4  # probabilities are kept this far from 0 and 1: beyond it eight samples tell nothing
REACH_MM, FARTHEST = 10.0, 3.0  # a distance is told in tens of mm, three of them at most
FARTHEST_CASE = 2.0  # spreads of the other patients
RIDGE = 0.1  # on what is told of the case: there are tens of patients
VOXELS = 2000  # of each patient that a fit sees

Calibrator = Callable[["Band"], np.ndarray]
Column = Callable[["Band"], np.ndarray]


@dataclass(frozen=True)
class Band:
    """One patient's voxels: probability (n,), the samples' mean; reference (n,) bool; distance_mm (n,) to the predicted
    border, negative inside; case: by name what is known of the patient beside the voxels."""

    name: str
    probability: np.ndarray
    reference: np.ndarray
    distance_mm: np.ndarray
    case: Mapping[str, float]

    @property
    def logit(self) -> np.ndarray:
        return logit(np.clip(self.probability.astype(np.float64), LIMIT, 1 - LIMIT))

    def some(self, generator: np.random.Generator) -> Band:
        """VOXELS of them at most, drawn by the generator."""
        count = len(self.probability)
        if count <= VOXELS:
            return self
        at = generator.choice(count, VOXELS, replace=False)
        return Band(self.name, self.probability[at], self.reference[at], self.distance_mm[at], self.case)


def kinds(case_numbers: Sequence[str]) -> dict[str, Callable[[Sequence[Band]], Calibrator]]:
    """By name what fits a Calibrator to patients. case_numbers: the names in Band.case.

    Temperature: Guo et al., ICML 2017; Platt 1999; beta: Kull, Silva Filho, Flach, AISTATS 2017; isotonic: Zadrozny,
    Elkan, KDD 2002.
    """
    made: dict[str, Callable[[Sequence[Band]], Calibrator]] = {
        "none": lambda bands: lambda band: band.probability,
        "temperature": lambda bands: _logistic(bands, [_logit]),
        "Platt": lambda bands: _logistic(bands, [_logit, _one]),
        "beta": lambda bands: _logistic(bands, [_log_p, _log_not_p, _one]),
        "isotonic": _isotonic,
        "Platt, distance to the border": lambda bands: _logistic(bands, [_logit, _one, _distance, _logit_by_distance]),
    }
    for name in case_numbers:
        made[f"Platt, {name}"] = partial(_of_case, names=[name])
    if len(case_numbers) > 1:
        made["Platt, all of the case"] = partial(_of_case, names=case_numbers)
    return made


def _of_case(bands: Sequence[Band], names: Sequence[str]) -> Calibrator:
    """Platt scaling whose slope and offset move with numbers of the case, each in spreads of these patients."""
    columns: list[Column] = []
    for name in names:
        values = np.array([band.case[name] for band in bands])
        number = _standardised(name, float(values.mean()), max(float(values.std()), 1e-9))
        columns += [number, partial(_times_logit, number)]
    return _logistic(bands, [_logit, _one], columns)


def _standardised(name: str, mean: float, spread: float) -> Column:
    def number(band: Band) -> np.ndarray:
        value = np.clip((band.case[name] - mean) / spread, -FARTHEST_CASE, FARTHEST_CASE)
        return np.full(len(band.probability), value)

    return number


def _times_logit(number: Column, band: Band) -> np.ndarray:
    return band.logit * number(band)


def _logistic(bands: Sequence[Band], columns: Sequence[Column], ridged: Sequence[Column] = ()) -> Calibrator:
    """Of least negative log-likelihood, every patient weighing the same, with RIDGE on the weights of `ridged`."""
    table = lambda band: np.stack([column(band) for column in (*columns, *ridged)], axis=1)  # noqa: E731
    tables, labels = [table(band) for band in bands], [band.reference.astype(np.float64) for band in bands]
    ridge = np.array([0.0] * len(columns) + [RIDGE] * len(ridged))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = float(ridge @ weights**2) / 2, ridge * weights
        for x, y in zip(tables, labels, strict=True):
            z = x @ weights
            value += float(np.mean(np.logaddexp(0, z) - y * z)) / len(tables)
            slope = slope + x.T @ (expit(z) - y) / len(y) / len(tables)
        return value, slope

    weights = minimize(loss, np.zeros(len(ridge)), jac=True, method="L-BFGS-B").x
    return lambda band: expit(table(band) @ weights)


def _isotonic(bands: Sequence[Band]) -> Calibrator:
    """The rising curve of least squares, every patient weighing the same."""
    p = np.concatenate([band.probability for band in bands])
    y = np.concatenate([band.reference.astype(np.float64) for band in bands])
    weight = np.concatenate([np.full(len(band.probability), 1 / len(band.probability)) for band in bands])
    order = np.argsort(p, kind="stable")
    fitted = isotonic_regression(y[order], weights=weight[order]).x
    return lambda band: np.interp(band.probability, p[order], fitted)


def _one(band: Band) -> np.ndarray:
    return np.ones(len(band.probability))


def _logit(band: Band) -> np.ndarray:
    return band.logit


def _log_p(band: Band) -> np.ndarray:
    return np.log(np.clip(band.probability, LIMIT, 1.0))


def _log_not_p(band: Band) -> np.ndarray:
    return -np.log(np.clip(1 - band.probability, LIMIT, 1.0))


def _distance(band: Band) -> np.ndarray:
    return np.clip(band.distance_mm / REACH_MM, -FARTHEST, FARTHEST)


def _logit_by_distance(band: Band) -> np.ndarray:
    return band.logit * np.abs(_distance(band))
