"""Everything that is said of one prediction on one case, as one row of a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.agreement import Agreement
from ..core.case import Case
from ..core.errors import input_error
from ..core.lesion import uptake_totals
from ..core.prediction import Interval, Prediction
from .agreement import agreement, calibration_of_set, volume_crps, with_lesion
from .calibration import BAND_MM, band, calibration_scores, coverage
from .overlap import overlap_scores

HIT = {"suv_mean": "suv_mean_hit", "mtv_ml": "mtv_hit", "tlg_g": "tlg_hit"}


def score_case(prediction: Prediction, case: Case) -> dict[str, float | bool]:
    """score_mask()'s entries, and how far the prediction's own intervals hold.

    coverage: fraction of the reference surface between the inner and outer contour; volume_ml, volume_low_ml,
    volume_high_ml, reference_volume_ml; volume_hit: whether the reference's volume lies in the interval, ends included;
    volume_high_to_low: the interval's upper end over its lower; where the interval is withheld there is neither of
    these nor volume_low_ml and volume_high_ml; suv_mean_hit, mtv_hit, tlg_hit: volume_hit of the numbers in PET.
    Raises InputError without a reference mask, on another grid, or when the volume is not in mL.
    """
    if not prediction.grid.same_as(case.grid):
        raise input_error(f"a prediction on a grid of {prediction.grid.size}", "the case's grid", "resample it first")
    if prediction.volume_ml.unit.lower() != "ml":
        raise input_error(f"a volume in {prediction.volume_ml.unit!r}", "one in mL", "convert it")
    reference, volume = _reference(case), prediction.volume_ml
    reference_ml = float(np.count_nonzero(reference) * case.grid.voxel_mm3 / 1000)
    covered = coverage(reference, prediction.inner, prediction.outer, case.grid.spacing_kji_mm)
    return {
        **score_mask(prediction.labels > 0, case, prediction.probability),
        "coverage": covered,
        "volume_ml": volume.value,
        "reference_volume_ml": reference_ml,
        **_of_interval(volume, reference_ml),
        **_of_uptake(prediction, reference, case),
    }


def score_set(prediction: Prediction, case: Case) -> Agreement | None:
    """How far the case's annotators agree, and how the prediction stands to each and to all of them; None where there
    are fewer than two. Raises InputError on another grid."""
    if len(case.references) < 2:
        return None
    if not prediction.grid.same_as(case.grid):
        raise input_error(f"a prediction on a grid of {prediction.grid.size}", "the case's grid", "resample it first")
    found = agreement_of(case)
    masks, spacing_mm = _masks(case), case.grid.spacing_kji_mm
    found = with_lesion(found, prediction.labels > 0, masks, spacing_mm)
    of_set = calibration_of_set(prediction.probability, list(masks.values()), spacing_mm)
    if prediction.sample_volumes_ml:
        of_set["crps_ml"] = volume_crps(prediction.sample_volumes_ml, found.volumes_ml)
    return replace(found, of_set=of_set)


def agreement_of(case: Case) -> Agreement:
    """How far the case's annotators agree. Raises InputError for a case with fewer than two."""
    if len(case.references) < 2:
        given = f"a case with {'one drawn lesion' if case.reference_mask is not None else 'no drawn lesion'}"
        remedy = "lay them beside the images, such as GTV_reader1.nii.gz and GTV_reader2.nii.gz"
        raise input_error(given, "the masks of two readers or more", remedy)
    return agreement(_masks(case), case.grid.spacing_kji_mm)


def _masks(case: Case) -> dict[str, np.ndarray]:
    return {name: mask.array > 0 for name, mask in case.references.items()}


def _of_interval(volume: Interval, reference_ml: float) -> dict[str, float | bool]:
    """What is only said of an interval that is not withheld."""
    if volume.ends is None:
        return {}
    low, high = volume.ends
    width = {"volume_high_to_low": high / low} if low > 0 else {}
    return {"volume_low_ml": low, "volume_high_ml": high, "volume_hit": bool(low <= reference_ml <= high), **width}


def _of_uptake(prediction: Prediction, reference: np.ndarray, case: Case) -> dict[str, bool]:
    """Of the intervals that are not withheld whether they hold the reference's numbers, ends included."""
    known = {name: interval.ends for name, interval in prediction.uptake.items() if interval.ends}
    if not known or "PET" not in case.volumes:
        return {}
    drawn = uptake_totals(reference, case)
    return {HIT[name]: bool(low <= drawn[name] <= high) for name, (low, high) in known.items()}


def score_mask(mask: np.ndarray, case: Case, probability: np.ndarray | None = None) -> dict[str, float]:
    """Overlap of a bool mask [k, j, i] with the case's reference, and with a probability its calibration.

    The calibration is taken in the 20 mm band around the reference's border. This is what a trivial row is scored by.
    """
    reference, spacing_mm = _reference(case), case.grid.spacing_kji_mm
    scores = overlap_scores(mask, reference, spacing_mm)
    if probability is None:
        return scores
    return {**scores, **calibration_scores(probability, reference, band(reference, spacing_mm, BAND_MM))}


def _reference(case: Case) -> np.ndarray:
    if case.reference_mask is None:
        raise input_error("a case without a reference mask", "one with it", "load the drawn lesion too")
    return case.reference_mask.array > 0
