"""Which correction of the probability is worth it: each fitted to the other patients and asked of the one left out."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np

from ...core.case import Case
from ...core.lesion import uptake_totals
from ...metrics.calibration import BAND_MM, band, calibration_scores
from ...metrics.detection import auroc
from ...models.zoo import ModelRecord
from ...preprocessing.likeness import distance, features
from ...training.dataset import border_distance_mm
from ...uncertainty.calibrators import Band, kinds
from ...uncertainty.intervals import LEAST, log_spread
from .calibrate import check_patients, on_network
from .drawn import Drawn
from .predict import labels_and_uncertainty

SIZE, SPREAD, UPTAKE, UNLIKE = "size", "samples' spread", "uptake", "distance from the training data"


def band_of(case: Case, drawn: Drawn, record: ModelRecord) -> Band:
    """The voxels within 20 mm of the drawn border, on the network's grid, and what is known of the case without it."""
    reference, spacing = on_network(case, drawn.grid), drawn.grid.spacing_kji_mm
    near, mean = band(reference, spacing, BAND_MM), drawn.mean()
    return Band(
        case.name, mean[near], reference[near], _to_border(mean > 0.5, spacing)[near], numbers(case, drawn, record)
    )


def numbers(case: Case, drawn: Drawn, record: ModelRecord) -> dict[str, float]:
    """Of the prediction and the images, nothing of the drawn lesion: logarithms of the lesion's mL and SUVmean,
    log_spread() of the samples' volumes, and with a domain how far the least usual image lies from the training's."""
    labels, _ = labels_and_uncertainty(case, drawn)
    volume_ml = float(np.count_nonzero(labels)) * case.grid.voxel_mm3 / 1000
    told = {
        SIZE: log(max(volume_ml, LEAST)),
        SPREAD: log_spread([float(np.count_nonzero(sample > 0.5)) for sample in drawn.samples]),
    }
    if "PET" in case.volumes:
        told[UPTAKE] = log(max(uptake_totals(labels, case)["suv_mean"], LEAST))
    known = record.domain.get("likeness", {})
    looks = {key: features(case.volumes[key], case.valid[key]) for key in known if key in case.volumes}
    if found := [distance(look, known[key])[0] for key, look in looks.items() if look]:
        told[UNLIKE] = max(found)
    return told


def left_out(bands: Sequence[Band], seed: int = 0) -> dict[str, list[dict[str, float]]]:
    """By kind of correction, for each patient by the others: ece, brier, and auroc of the expected error, which is how
    far the corrected probability lies from the label that the network gave. Raises InputError for fewer than three."""
    check_patients(len(bands))
    generator = np.random.default_rng(seed)
    some = [one.some(generator) for one in bands]
    shared = [name for name in bands[0].case if all(name in one.case for one in bands)]
    return {
        name: [_scores(one, fit([*some[:n], *some[n + 1 :]])(one)) for n, one in enumerate(bands)]
        for name, fit in kinds(shared).items()
    }


def _scores(one: Band, corrected: np.ndarray) -> dict[str, float]:
    corrected = np.clip(corrected, 0.0, 1.0)
    row = np.s_[None, None, :]  # the scores are of images
    scores = calibration_scores(corrected[row], one.reference[row], np.ones((1, 1, corrected.size), bool))
    label = one.probability > 0.5
    return {
        "ece": scores["ece"],
        "brier": scores["brier"],
        "auroc": auroc(np.abs(label - corrected), label != one.reference),
    }


def _to_border(mask: np.ndarray, spacing_kji_mm: tuple[float, float, float]) -> np.ndarray:
    """Distance in mm to the mask's border, negative inside; as far as can be where there is none."""
    if not mask.any() or mask.all():
        return np.full(mask.shape, -np.inf if mask.any() else np.inf)
    return np.where(mask, -1, 1) * border_distance_mm(mask, spacing_kji_mm)
