"""Fit the simulated readers (uncertainty/readers.py) to the masks of several radiologists, and check them on others.

Usage: python scripts/fit_readers.py RATERS.npz. Every second patient is fitted on; for the others, real readers and
simulated ones around the same mean border are compared by pairwise Dice, spread of the volume, and GED (CalDiff 25).
RATERS.npz: bits (packed masks), offset (N + 1), shape (N, 4) of (raters, k, j, i), spacing_kji_mm (N, 3), patient (N).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from DiffuFuseMedLib.metrics.sets import ged_squared, mean_pairwise_dice
from DiffuFuseMedLib.uncertainty.readers import ReaderModel, ball_radius_mm, redrawn
from numpy.polynomial import polynomial
from rich.console import Console
from rich.table import Table
from scipy.ndimage import distance_transform_edt

PAD, BINS, PAIRS = 4, 8, 400
MATCHED_ON, ROUNDS = 150, 8


@dataclass(frozen=True)
class Drawn:
    """One lesion: signed distances (R, K, J, I) in mm to the border of each reader, negative inside; masks alike."""

    masks: np.ndarray
    signed_mm: np.ndarray
    spacing: tuple[float, float, float]
    radius_mm: float
    fitted_on: bool


def read(path: str) -> Iterator[Drawn]:
    """The lesions that at least two readers drew something of."""
    data = np.load(path)
    number = {name: n for n, name in enumerate(sorted(set(data["patient"].tolist())))}
    for n, shape in enumerate(data["shape"]):
        packed = data["bits"][data["offset"][n] : data["offset"][n + 1]]
        masks = np.unpackbits(packed)[: int(shape.prod())].reshape(shape).astype(bool)
        if len(masks) < 2 or not masks.any(axis=(1, 2, 3)).all():
            continue
        masks = np.pad(masks, ((0, 0), *[(PAD, PAD)] * 3))
        spacing = tuple(float(x) for x in data["spacing_kji_mm"][n])
        signed = np.stack([_signed(mask, spacing) for mask in masks])
        radius = ball_radius_mm(float(masks.sum(axis=(1, 2, 3)).mean() * np.prod(spacing)))
        yield Drawn(masks, signed, spacing, radius, number[str(data["patient"][n])] % 2 == 0)


def _signed(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    return distance_transform_edt(~mask, sampling=spacing) - distance_transform_edt(mask, sampling=spacing)


def fit(lesions: list[Drawn]) -> ReaderModel:
    """Standard deviations over the readers at the mean border, by radius, and how fast they change along it."""
    rng = np.random.default_rng(0)
    rows, near, alike = [], [], []
    for lesion in lesions:
        mean = lesion.signed_mm.mean(axis=0)
        at = np.abs(mean) < 0.5 * min(lesion.spacing) + 0.35
        if np.count_nonzero(at) < 20:
            continue
        readers = len(lesion.masks)
        off = (lesion.signed_mm - mean)[:, at] * np.sqrt(readers / (readers - 1))
        bias = off.mean(axis=1, keepdims=True)
        local = off - bias
        rows.append((lesion.radius_mm, (bias**2).mean(), (local**2).mean()))
        places = np.argwhere(at) * lesion.spacing
        one, other = rng.integers(0, len(places), (2, PAIRS))
        near.append(np.linalg.norm(places[one] - places[other], axis=1) / lesion.radius_mm)
        alike.append((local[:, one] * local[:, other]).mean(axis=0) / (local.var() + 1e-9))
    radius, bias2, local2 = np.array(rows).T
    reach = _reach(np.concatenate(near), np.concatenate(alike))
    return ReaderModel(*_power(radius, bias2), *_power(radius, local2), reach)


def _power(radius: np.ndarray, squares: np.ndarray) -> tuple[float, float]:
    """(a, b) of a R^b for the root mean square, over bins with as many lesions each."""
    order = np.array_split(np.argsort(radius), BINS)
    x = [np.log(radius[part].mean()) for part in order]
    y = [np.log(np.sqrt(squares[part].mean())) for part in order]
    first, slope = polynomial.polyfit(x, y, 1)
    return round(float(np.exp(first)), 3), round(float(slope), 3)


def _reach(share: np.ndarray, correlation: np.ndarray) -> float:
    """The reach, in radii, whose exp(-d^2 / (2 reach)^2) is nearest to what was measured within one radius."""
    places = np.arange(0.1, 1.0, 0.1)
    found = [correlation[np.abs(share - d) < 0.05].mean() for d in places]
    tried = np.arange(0.1, 0.6, 0.01)
    wrong = [np.square(np.exp(-(places**2) / (2 * r) ** 2) - found).sum() for r in tried]
    return round(float(tried[int(np.argmin(wrong))]), 2)


def matched(lesions: list[Drawn], model: ReaderModel) -> ReaderModel:
    """The model with both sizes changed until simulated readers differ in volume and overlap as real ones do.

    A few lesions that readers saw quite differently make up most of the mean squares, and a smooth local part has a
    mean of its own on a small lesion: by the squares alone simulated readers would differ by far too much.
    """
    some = lesions[:: max(1, len(lesions) // MATCHED_ON)]
    real = np.mean([_measures(lesion.masks) for lesion in some], axis=0)
    for _ in range(ROUNDS):
        made = np.mean([_measures(_simulated(lesion, model, np.random.default_rng(0))) for lesion in some], axis=0)
        local = model.local_mm * (1 - real[0]) / (1 - made[0])
        model = replace(model, local_mm=float(local), bias_mm=float(model.bias_mm * real[1] / made[1]))
    return replace(model, local_mm=round(model.local_mm, 3), bias_mm=round(model.bias_mm, 3))


def _simulated(lesion: Drawn, model: ReaderModel, rng: np.random.Generator) -> np.ndarray:
    """As many masks as there are real ones, around their mean border, (R, K, J, I)."""
    mean, step = lesion.signed_mm.mean(axis=0), float(np.cbrt(np.prod(lesion.spacing)))
    moves = [model.displacement_mm(mean.shape, lesion.spacing, lesion.radius_mm, rng) for _ in lesion.masks]
    return np.stack([redrawn(mean, move, step) > 0.5 for move in moves])


def compare(lesions: list[Drawn], model: ReaderModel) -> list[tuple[str, float, float]]:
    """(measure, of real readers, of simulated ones) as means over the lesions."""
    rng = np.random.default_rng(1)
    real, made, apart = [], [], []
    for lesion in lesions:
        simulated = _simulated(lesion, model, rng)
        real.append(_measures(lesion.masks))
        made.append(_measures(simulated))
        apart.append((_chance_ged(lesion.masks), ged_squared(simulated, lesion.masks)))
    names = ("pairwise Dice", "sd of the volume / mean")
    rows = list(zip(names, np.mean(real, axis=0).tolist(), np.mean(made, axis=0).tolist(), strict=True))
    own, simulated_ged = np.mean(apart, axis=0).tolist()
    return [*rows, ("GED^2 to the real readers", own, simulated_ged)]


def _measures(masks: np.ndarray) -> tuple[float, float]:
    volumes = masks.sum(axis=(1, 2, 3))
    return mean_pairwise_dice(list(masks)), float(volumes.std(ddof=1) / max(volumes.mean(), 1))


def _chance_ged(masks: np.ndarray) -> float:
    """Of half of the real readers to the other half: what two sets drawn alike give."""
    half = len(masks) // 2
    return ged_squared(masks[:half], masks[half:])


def main(path: str) -> None:
    """Print the fitted numbers and the check."""
    lesions = list(read(path))
    fitted, held_out = ([x for x in lesions if x.fitted_on is on] for on in (True, False))
    model = matched(fitted, fit(fitted))
    console = Console()
    console.print(f"{len(fitted)} lesions fitted on, {len(held_out)} of other patients compared: {model}")
    table = Table("measure", "real readers", "simulated readers")
    for name, *values in compare(held_out, model):
        table.add_row(name, *[f"{x:.3f}" for x in values])
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1])
