"""How far the lesion's numbers in PET (SUVmean, MTV, TLG) may be off, as the volume's interval says of the volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.case import Case
from ...core.lesion import OF_PET, uptake_totals
from ...core.prediction import Interval
from ...core.suv_units import BODY_WEIGHT
from ...core.triples import triple
from ...core.voxels import Voxels
from ...uncertainty import level_spread, log_ratio_errors, prediction_interval

UNITS = {"suv_mean": BODY_WEIGHT.told.unit, "mtv_ml": "mL", "tlg_g": BODY_WEIGHT.told.total_unit}
NAMES = {"suv_mean": "SUVmean", "mtv_ml": "the MTV", "tlg_g": "the TLG"}
Measured = dict[str, tuple[float, float, float]]  # by name what was predicted, what was drawn, its level_spread()


def measured(case: Case, labels: np.ndarray, by_hand: np.ndarray, at_levels: Sequence[Voxels]) -> Measured:
    """OF_PET of one calibration patient; {} without a PET, or where the drawn lesion lies outside of its view.

    labels, by_hand: bool [k, j, i]; at_levels: level_outlines().
    """
    if "PET" not in case.volumes:
        return {}
    found, drawn = uptake_totals(labels, case), uptake_totals(by_hand, case)
    if not drawn["suv_mean"]:
        return {}
    spreads = _spreads(case, found, at_levels)
    return {name: (found[name], drawn[name], spreads[name]) for name in OF_PET}


def uptake_errors(patients: Sequence[Measured]) -> dict[str, Any]:
    """By name log_ratio_errors() over the patients; {} where one of them has none."""
    if not all(patients):
        return {}
    columns = {name: [patient[name] for patient in patients] for name in OF_PET}
    return {
        name: log_ratio_errors([d for _, d, _ in rows], [p for p, _, _ in rows], [s for _, _, s in rows])
        for name, rows in columns.items()
    }


def uptake_intervals(
    case: Case, labels: np.ndarray, at_levels: Sequence[Voxels], errors: Mapping[str, Any], level: float
) -> dict[str, Interval]:
    """OF_PET of the lesion with their intervals; {} without a PET, or where no errors were measured."""
    if "PET" not in case.volumes or not errors:
        return {}
    found = uptake_totals(labels, case)
    spreads = _spreads(case, found, at_levels)
    return {
        name: prediction_interval(found[name], spreads[name], errors.get(name), level, UNITS[name], NAMES[name])
        for name in OF_PET
    }


def _spreads(case: Case, found: Mapping[str, float], at_levels: Sequence[Voxels]) -> dict[str, float]:
    pet = case.only(("PET",))
    wide, narrow = (_inside(outline, pet) for outline in at_levels)
    return {name: level_spread(found[name], wide[name], narrow[name]) for name in OF_PET}


def _inside(outline: Voxels, pet: Case) -> dict[str, float]:
    """uptake_totals() on the outline's own box: a whole body has a hundred times as many voxels."""
    box = tuple(slice(a, b) for a, b in zip(outline.start, outline.stop, strict=True))
    if any(part.start == part.stop for part in box):
        return dict.fromkeys(OF_PET, 0.0)
    return uptake_totals(outline.part(triple(box)), pet.cropped(outline.start, outline.stop))
