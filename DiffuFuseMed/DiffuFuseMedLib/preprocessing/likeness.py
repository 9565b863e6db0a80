"""How like the training's images an image is: a few robust numbers of it, and how far they lie from the usual ones.

Features are taken inside the body, coarsely, and without any learning; the distance is Mahalanobis' with a covariance
that is shrunk towards its diagonal, since there are tens of patients and not thousands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.modalities import spec_of
from ..core.volume import Volume
from .intensity import body_mask

COARSE_MM = 2.0  # voxels finer than that are left out
MOST_SLICES = 40
APART_MM = 4.0  # of two voxels whose likeness tells an image from noise
SHRINKAGE = 0.5  # towards the diagonal
LEAST_SPREAD = 0.02  # of a feature: below it, patients differ by nothing that matters
FARTHEST = 30.0  # a feature's deviation in spreads, beyond which more says no more
ENDS = 0.1  # share of the slices
OF_THE_BODY = ("width of the body", "taper", "smoothness")
FEWEST = 500  # voxels of body, below which nothing can be told
TISSUES_HU = {
    "air within the body": (-1000.0, -500.0),
    "fat": (-150.0, -30.0),
    "soft tissue": (0.0, 90.0),
    "bone": (250.0, 3000.0),
}


def feature_names(modality: str) -> tuple[str, ...]:
    """What features() may tell of a modality, by its key; () of pictures in color, which have no body in air."""
    return (*NAMES[spec_of(modality).scale], *OF_THE_BODY) if spec_of(modality).scale in NAMES else ()


def features(volume: Volume, valid: np.ndarray) -> dict[str, float]:
    """Name and value of each feature of one modality; {} where there is too little body to tell.

    volume: HU, SUVbw, or MR units, of which only ratios count; valid: bool [k, j, i] on its grid.
    """
    spacing_mm = volume.grid.spacing_kji_mm
    steps = [max(1, round(COARSE_MM / s)) for s in spacing_mm]
    steps[0] = max(steps[0], -(-volume.grid.shape[0] // MOST_SLICES))
    every = tuple(slice(None, None, step) for step in steps)
    coarse = volume.thinned((steps[0], steps[1], steps[2]))
    seen = np.asarray(valid, dtype=bool)[every]
    body = body_mask(coarse, seen)
    if np.count_nonzero(body) < FEWEST:
        return {}
    kind = _OF_SCALE[spec_of(volume.modality).scale]
    own = kind(coarse.array, body)
    areas = np.count_nonzero(body, axis=(1, 2))
    own["width of the body"] = float(np.log(areas.max() * coarse.grid.spacing_mm[0] * coarse.grid.spacing_mm[1]) / 2)
    own["taper"] = float(
        np.quantile(areas[areas > 0], ENDS) / areas.max()
    )  # a head ends within the image, a limb goes on
    own["smoothness"] = _correlation(coarse.array, body, coarse.grid.spacing_kji_mm)
    return {name: round(float(value), 5) for name, value in own.items()}


def _of_ct(array_hu: np.ndarray, body: np.ndarray) -> dict[str, float]:
    """Square roots of the shares of body that each tissue has, and the middle of the gray values, in 100 HU."""
    inside = array_hu[body]
    shares = {
        name: float(np.sqrt(np.mean((inside > low) & (inside < high)))) for name, (low, high) in TISSUES_HU.items()
    }
    return {**shares, "median HU": float(np.median(inside)) / 100}


def _of_pet(array_suv: np.ndarray, body: np.ndarray) -> dict[str, float]:
    """Logarithms of 1 + SUV at some quantiles of the body."""
    quantiles = np.quantile(array_suv[body], (0.5, 0.9, 0.99))
    return {f"SUV at {name}": float(np.log1p(max(q, 0))) for name, q in zip(_QUANTILES, quantiles, strict=True)}


def _relative(array: np.ndarray, body: np.ndarray) -> dict[str, float]:
    """Logarithms of quantiles over the median: what no factor on the whole image changes."""
    low, quarter, middle, upper, high = np.quantile(array[body], (0.05, 0.25, 0.5, 0.75, 0.95))
    ratio = lambda q: float(np.log(max(q, 1e-3 * abs(middle), 1e-12) / max(middle, 1e-12)))  # noqa: E731
    return dict(zip(_PARTS, map(ratio, (low, quarter, upper, high)), strict=True))


_QUANTILES = ("50 %", "90 %", "99 %")
_PARTS = ("dark part", "darker half", "brighter half", "bright part")
NAMES = {"HU": (*TISSUES_HU, "median HU"), "SUV": tuple(f"SUV at {name}" for name in _QUANTILES), "relative": _PARTS}
_OF_SCALE = {"HU": _of_ct, "SUV": _of_pet, "relative": _relative}


def _correlation(array: np.ndarray, body: np.ndarray, spacing_kji_mm: Sequence[float]) -> float:
    """Of voxels APART_MM apart along the image's rows, both within the body: near 1 in a scan, near 0 in noise."""
    step = max(1, round(APART_MM / spacing_kji_mm[2]))
    both = body[..., step:] & body[..., :-step]
    one, other = array[..., step:][both].astype(np.float64), array[..., :-step][both].astype(np.float64)
    if one.size < FEWEST or one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def usual(found: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """names, median and spread of each feature over these images, and the inverse of their shrunk correlation."""
    names = list(found[0])
    table = np.array([[image[name] for name in names] for image in found])
    median = np.median(table, axis=0)
    low, high = np.quantile(table, (0.1, 0.9), axis=0)
    spread = np.maximum((high - low) / 2.563, LEAST_SPREAD)  # a normal's standard deviation
    off = ((table - median) / spread).clip(-FARTHEST, FARTHEST)
    off = (off - off.mean(axis=0)) / np.maximum(off.std(axis=0), LEAST_SPREAD)
    correlation = off.T @ off / len(off)
    np.fill_diagonal(correlation, 1.0)  # also of a feature that is the same in all
    shrunk = (1 - SHRINKAGE) * correlation + SHRINKAGE * np.eye(len(names))
    return {
        "names": names,
        "median": [round(float(m), 5) for m in median],
        "spread": [round(float(s), 5) for s in spread],
        "precision": [[round(float(x), 4) for x in row] for row in np.linalg.inv(shrunk)],
    }


def distance(image: Mapping[str, float], known: Mapping[str, Any]) -> tuple[float, str]:
    """How far an image's features are from the usual ones, in spreads, and the feature that deviates most."""
    values = np.array([image[name] for name in known["names"]])
    off = ((values - np.array(known["median"])) / np.array(known["spread"])).clip(-FARTHEST, FARTHEST)
    square = float(off @ np.array(known["precision"]) @ off) / len(off)
    return float(np.sqrt(max(square, 0.0))), known["names"][int(np.abs(off).argmax())]
