"""Numbers: what the lesion measures, with the range that the contours leave open."""

from __future__ import annotations

import numpy as np

from ..core.case import Case
from ..core.lesion import OF_PET, PEAK_RADIUS_MM, ends_in, quantify
from ..core.prediction import Prediction
from ..core.suv_units import BODY_WEIGHT, SuvScale
from ..core.triples import triple
from ..core.voxels import box_around

CALIBRATED = ("volume_ml", *OF_PET)


def _shown(suv: SuvScale) -> tuple[tuple[str, str, str, int], ...]:
    """Key, label, unit and digits, in the order shown."""
    unit = suv.told.unit
    return (
        ("volume_ml", "Volume", "mL", 1),
        ("suv_max", suv.label("max"), unit, 1),
        ("suv_peak", suv.label("peak"), unit, 1),
        ("suv_mean", suv.label("mean"), unit, 1),
        ("mtv_ml", "MTV (41 %)", "mL", 1),
        ("tlg_g", "TLG" if suv == BODY_WEIGHT else f"{suv.told.name} TLG", suv.told.total_unit, 0),
    )


def number_rows(
    lesion: np.ndarray,
    case: Case,
    prediction: Prediction | None,
    ends: list[dict[str, float | None]] | None = None,
    suv: SuvScale = BODY_WEIGHT,
) -> tuple[dict[str, str], ...]:
    """label, value, range of each number of the lesion, bool [k, j, i].

    The range of the volume, SUVmean, MTV and TLG is the Prediction's calibrated interval, where they have one; that of
    the others what they are inside the inner and inside the outer contour, which is how far the drawn border moves
    them; one that does not hold its own value, or in which the value is an end, is not shown. ends: contour_ends() in
    the unit `suv`, where it is known.
    """
    now = quantified(lesion, case, suv)
    if prediction is not None and prediction.outside:
        ends = []  # of a case that the model is not for, the contours tell nothing
    if ends is None:
        ends = contour_ends(case, prediction, suv) if prediction else []
    rows = []
    for key, label, unit, digits in _shown(suv):
        if key in now:
            own = key in CALIBRATED
            reach = _calibrated(prediction, key, suv) if own else _between(_range(ends, key), now[key], digits)
            rows.append(_row(label, now[key], reach, unit, digits))
    return tuple(rows)


def contour_ends(case: Case, prediction: Prediction, suv: SuvScale = BODY_WEIGHT) -> list[dict[str, float | None]]:
    """The numbers inside the inner and inside the outer contour: the same however the lesion is edited."""
    return [quantified(mask, case, suv) for mask in (prediction.inner, prediction.outer)]


def quantified(mask: np.ndarray, case: Case, suv: SuvScale = BODY_WEIGHT) -> dict[str, float | None]:
    """core.lesion.quantify() on the box that its answer depends on."""
    if not mask.any():
        return quantify(mask, case, suv)
    box = box_around(mask, case.grid.spacing_kji_mm, PEAK_RADIUS_MM)
    start = triple(part.start for part in box)
    stop = triple(min(count, part.stop) for part, count in zip(box, mask.shape, strict=True))
    return quantify(mask[box], case.only(("PET",)).cropped(start, stop), suv)


def change_words(case: Case, lesion: np.ndarray, before: np.ndarray | None, modalities: list[str]) -> str:
    """What a run with these modalities changed. lesion, before: bool [k, j, i], before None for a first result."""
    off = [key for key in case.modalities if key not in modalities]
    how = f"without {', '.join(off)}" if off else "with all modalities"
    if before is None:
        return how
    voxel_ml = case.grid.voxel_mm3 / 1000
    difference = (float(lesion.sum()) - float(before.sum())) * voxel_ml
    moved = float(np.count_nonzero(lesion != before)) * voxel_ml
    return f"{how}: {difference:+.1f} mL against the previous contour, {moved:.1f} mL differ"


def _calibrated(prediction: Prediction | None, key: str, suv: SuvScale) -> list[float]:
    """The ends of a number's calibrated interval in the unit `suv`; [] where there is none, or it is withheld."""
    if prediction is None:
        return []
    interval = prediction.volume_ml if key == "volume_ml" else prediction.uptake.get(key)
    return list(ends_in(suv, key, interval) or ())


def _range(ends: list[dict[str, float | None]], key: str) -> list[float]:
    return [value for end in ends if (value := end.get(key)) is not None]


def _between(reach: list[float], value: float | None, digits: int) -> list[float]:
    """The range where it goes on beyond the value on both sides, as it is shown: a border that moves the number one way
    alone, or not at all, says nothing of how sure it is."""
    shown = [round(end, digits) for end in reach]
    return reach if value is not None and shown and min(shown) < round(value, digits) < max(shown) else []


def _row(label: str, value: float | None, reach: list[float], unit: str, digits: int) -> dict[str, str]:
    shown = "none" if value is None else f"{value:.{digits}f} {unit}"
    span = f"{min(reach):.{digits}f} to {max(reach):.{digits}f}" if _tells(value, reach) else ""
    return {"label": label, "value": shown, "range": span}


def _tells(value: float | None, reach: list[float]) -> bool:
    """Whether the range says anything of the value: one that leaves it out is of another lesion."""
    return len(reach) == 2 and value is not None and min(reach) <= value <= max(reach) and max(reach) > 0
