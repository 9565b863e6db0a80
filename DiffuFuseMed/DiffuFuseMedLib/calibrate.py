"""Fit on patients that were not trained on what makes a model's numbers honest: Platt, contour width, volume errors.

Each patient's own calibration is fitted without it ("without" in model.json): predict() uses that one for it, so
coverage and calibration printed for these patients are not numbers of their own fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .data.case import Case
from .data.errors import input_error
from .data.grid import Grid
from .data.resample import resample_smoothly
from .evaluation.calibration import band
from .evaluation.scores import BAND_MM
from .predict import LEVEL, Drawn, Settings, draw, probability_and_labels
from .uncertainty import critical_widths, doubt, log_ratio_errors, smallest_width
from .uncertainty.platt import apply, fit
from .zoo import Model, ModelRecord


@dataclass(frozen=True)
class Evidence:
    """What one validation patient contributes: its case, its samples, and the voxels of its band with their labels."""

    case: Case
    drawn: Drawn
    samples_in_band: np.ndarray
    reference_in_band: np.ndarray


def calibrate(
    model: Model, cases: Sequence[Case], settings: Settings, progress: Callable[[float, str], None] | None = None
) -> ModelRecord:
    """The model's record with its calibration fitted on these cases, which it must not have seen in training.

    Raises InputError for fewer than three cases (each is left out once, and one alone has no spread) and for one
    without a drawn lesion.
    """
    _check(cases)
    evidence = []
    for index, case in enumerate(cases):
        if progress:
            progress(index / (2 * len(cases)), f"case {index + 1} of {len(cases)}")
        evidence.append(gather(case, draw(case, model, settings)))
    without = {}
    for index, item in enumerate(evidence):
        if progress:
            progress((index + len(cases)) / (2 * len(cases)), f"leaving out case {index + 1}")
        without[item.case.name] = fit_all([e for e in evidence if e is not item])
    fitted = {
        "level": LEVEL,
        "samples": settings.samples,
        "patients": [case.name for case in cases],
        "all": fit_all(evidence),
        "without": without,
    }
    return replace(model.record, calibration=fitted)


def _check(cases: Sequence[Case]) -> None:
    if len(cases) < 3:
        raise input_error(f"{len(cases)} patients", "at least 3", "choose a fold with more")
    for case in cases:
        if case.reference_mask is None or not case.reference_mask.array.any():
            raise input_error(
                f"the case {case.name} without a drawn lesion", "one to compare with", "add a GTV file or leave it out"
            )


def gather(case: Case, drawn: Drawn) -> Evidence:
    """The samples at the voxels within 20 mm of the reference border, on the network's grid."""
    reference = on_network(case, drawn.grid)
    near = band(reference, drawn.grid.spacing_kji_mm, BAND_MM)
    return Evidence(case, drawn, drawn.samples[:, near], reference[near])


def on_network(case: Case, grid: Grid) -> np.ndarray:
    """The reference lesion on the network's grid, bool."""
    return resample_smoothly(case.reference_mask.array > 0, case.grid, grid) > 0.5


def fit_all(evidence: Sequence[Evidence]) -> dict[str, Any]:
    """scale and offset (Platt), contour_width, and the volume's log-ratio errors."""
    scale, offset = fit([e.samples_in_band for e in evidence], [e.reference_in_band for e in evidence])
    critical, references_ml, predictions_ml = [], [], []
    for item in evidence:
        widths, volume_ml = _critical(item, scale, offset)
        critical.append(widths)
        predictions_ml.append(volume_ml)
        references_ml.append(_reference_ml(item.case))
    return {
        "scale": scale,
        "offset": offset,
        "contour_width": smallest_width(critical, LEVEL),
        "volume": log_ratio_errors(references_ml, predictions_ml),
    }


def _critical(item: Evidence, scale: float, offset: float) -> tuple[np.ndarray, float]:
    case = item.case
    probability, labels = probability_and_labels(case, item.drawn.grid, apply(item.drawn.samples, scale, offset))
    doubt_map = doubt(probability)
    volume_ml = float(np.count_nonzero(labels)) * case.grid.voxel_mm3 / 1000
    return critical_widths(case.reference_mask.array > 0, labels, doubt_map), volume_ml


def _reference_ml(case: Case) -> float:
    return float(np.count_nonzero(case.reference_mask.array)) * case.grid.voxel_mm3 / 1000
