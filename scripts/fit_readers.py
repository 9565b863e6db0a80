"""Fit the simulated readers (uncertainty/readers.py) to the masks of several radiologists, and check them on others.

Usage: python scripts/fit_readers.py RATERS.npz. Every second patient is fitted on; for the others, real readers and
simulated ones around the same mean border are compared by pairwise Dice, spread of the volume, and how often one leaves
out a part that the others drew. Of lesions with four readers two are held back, and the GED (CalDiff 25) of others to
them is told: of the other two, of simulated ones around these two's mean border, or around one of them, as where there
is one reference; and of what is not simulated at all.
RATERS.npz: bits (packed masks), offset (N + 1), shape (N, 4) of (raters, k, j, i), spacing_kji_mm (N, 3), patient (N).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from DiffuFuseMedLib.metrics.sets import ged_squared, mean_pairwise_dice
from DiffuFuseMedLib.uncertainty.readers import ReaderModel, ball_radius_mm
from numpy.polynomial import polynomial
from rich.console import Console
from rich.table import Table
from scipy.ndimage import distance_transform_edt, label

PAD, BINS, PAIRS = 4, 8, 400
MATCHED_ON, ROUNDS = 150, 8
LOST = (0.1, 0.25)  # shares of what the others drew, in one piece: a part that is missed, and a large one
LOST_PER_MISSED = 0.25  # how much more often that is for a chance of one, as first tried: sets the step of matched()


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
    """The model with both sizes and the chance of a missed part changed until simulated readers differ in volume,
    overlap, and leave out parts as real ones do.

    A few lesions that readers saw quite differently make up most of the mean squares, and a smooth local part has a
    mean of its own on a small lesion: by the squares alone simulated readers would differ by far too much.
    """
    some = lesions[:: max(1, len(lesions) // MATCHED_ON)]
    real = _means([_measures(lesion.masks) for lesion in some])
    for _ in range(ROUNDS):
        made = _means([_measures(_around_mean(lesion, model, np.random.default_rng(0))) for lesion in some])
        model = replace(
            model,
            local_mm=model.local_mm * (1 - real[0]) / (1 - made[0]),
            bias_mm=model.bias_mm * real[1] / made[1],
            missed=min(max(model.missed + (real[2] - made[2]) / LOST_PER_MISSED / 2, 0.0), 1.0),
        )
    rounded = {name: round(getattr(model, name), 3) for name in ("local_mm", "bias_mm", "missed")}
    return replace(model, **rounded)


def _around_mean(lesion: Drawn, model: ReaderModel, rng: np.random.Generator) -> np.ndarray:
    """As many masks as there are real ones, around their mean border, (R, K, J, I)."""
    return _around(lesion.signed_mm.mean(axis=0), len(lesion.masks), lesion, model, rng)


def _around(
    signed_mm: np.ndarray, count: int, lesion: Drawn, model: ReaderModel, rng: np.random.Generator
) -> np.ndarray:
    return np.stack([model.draws(signed_mm, lesion.spacing, lesion.radius_mm, rng) > 0.5 for _ in range(count)])


def compare(lesions: list[Drawn], model: ReaderModel) -> list[tuple[str, float, float]]:
    """(measure, of real readers, of simulated ones) as means over the lesions that have it."""
    rng = np.random.default_rng(1)
    real = _means([_measures(lesion.masks) for lesion in lesions])
    made = _means([_measures(_around_mean(lesion, model, rng)) for lesion in lesions])
    parts = [f"readers who miss a part of over {100 * share:.0f} %" for share in LOST]
    return list(zip(("pairwise Dice", "sd of the volume / mean", *parts), real, made, strict=True))


def apart(lesions: list[Drawn], model: ReaderModel) -> list[tuple[str, float]]:
    """(who, mean squared GED to two readers who were held back) over the lesions with four readers."""
    rng, found = np.random.default_rng(2), []
    four = [lesion for lesion in lesions if len(lesion.masks) == 4]
    for lesion in four:
        held, known = lesion.masks[2:], lesion.masks[:2]
        mean, one = lesion.signed_mm[:2].mean(axis=0), lesion.signed_mm[0]
        sets = {
            "the other two readers": known,
            "two simulated around their mean border": _around(mean, 2, lesion, model, rng),
            "that border alone": (mean < 0)[None],
            "two simulated around one of them": _around(one, 2, lesion, model, rng),
            "that one alone": known[:1],
        }
        found.append([ged_squared(masks, held) for masks in sets.values()])
    return list(zip(sets, np.mean(found, axis=0).tolist(), strict=True)) if four else []


def _measures(masks: np.ndarray) -> tuple[float, ...]:
    """Pairwise Dice, spread of the volumes, and the shares of readers who leave out a part of over each of LOST."""
    volumes = masks.sum(axis=(1, 2, 3))
    lost = np.array(_lost(masks))
    parts = [float((lost > share).mean()) if lost.size else np.nan for share in LOST]
    return mean_pairwise_dice(list(masks)), float(volumes.std(ddof=1) / max(volumes.mean(), 1)), *parts


def _lost(masks: np.ndarray) -> list[float]:
    """Of each reader the largest piece that was left out, as a share of what most of the others drew; [] for two."""
    shares: list[float] = []
    for n in range(len(masks) if len(masks) > 2 else 0):
        others = np.delete(masks, n, axis=0)
        drawn = 2 * others.sum(axis=0) > len(others)
        pieces, count = label(drawn & ~masks[n])
        shares.append(float(np.bincount(pieces.ravel())[1:].max() / drawn.sum()) if count else 0.0)
    return shares


def _means(rows: list[tuple[float, ...]]) -> list[float]:
    return np.nanmean(rows, axis=0).tolist()


def main(path: str) -> None:
    """Print the fitted numbers and both checks."""
    lesions = list(read(path))
    fitted, held_out = ([x for x in lesions if x.fitted_on is on] for on in (True, False))
    console = Console()
    console.print(f"{len(fitted)} lesions fitted on, {len(held_out)} of other patients compared")
    for name, model in (("in use", ReaderModel()), ("fitted", matched(fitted, fit(fitted)))):
        console.print(f"{name}: {model}")
        table = Table("measure", "real readers", "simulated readers")
        for measure, *values in compare(held_out, model):
            table.add_row(measure, *[f"{x:.3f}" for x in values])
        console.print(table)
        table = Table("who, of lesions with four readers", "GED^2 to the other two")
        for who, value in apart(held_out, model):
            table.add_row(who, f"{value:.3f}")
        console.print(table)


if __name__ == "__main__":
    main(sys.argv[1])
