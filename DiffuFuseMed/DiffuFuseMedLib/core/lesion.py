"""What a clinic asks of a lesion: its volume and its PET uptake.

SUVpeak: Wahl et al., J Nucl Med 2009, 50 Suppl 1, 122S (PERCIST); 41 % isocontour: Boellaard et al.,
Eur J Nucl Med Mol Imaging 2015, 42, 328 (EANM guideline 2.0).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import find_objects

from .case import Case
from .checks import check_masks
from .errors import input_error
from .prediction import Interval
from .suv_units import BODY_WEIGHT, SuvScale

MTV_FRACTION = 0.41
MTV_SUV = 2.5
OF_PET = ("suv_mean", "mtv_ml", "tlg_g")  # what hangs on all of the border; suv_max and suv_peak do on one place
BY_SUV = ("suv_mean", "tlg_g")  # of these, what is in proportion to the unit of SUV
PEAK_RADIUS_MM = float((3 * 1000 / (4 * np.pi)) ** (1 / 3))  # a sphere of 1 mL: 6.2 mm


def quantify(labels: np.ndarray, case: Case, suv: SuvScale = BODY_WEIGHT) -> dict[str, float | None]:
    """Numbers of the lesion `labels`, bool [k, j, i] on the case's grid.

    volume_ml: all its voxels. With PET, over its voxels inside the PET's field of view only:
    suv_max, suv_mean; suv_peak: the highest mean in a 1 mL sphere (voxels whose center is within 6.2 mm) centered on a
    lesion voxel, the sphere may reach past the lesion; mtv_ml: metabolic tumor volume, the lesion voxels with SUV >=
    41 % of the lesion's SUVmax; mtv_2_5_ml: those with SUV > 2.5; tlg_g: total lesion glycolysis, mean SUV over the
    mtv_ml voxels times mtv_ml. All SUV in the unit `suv`, by body weight in g/mL.
    An empty lesion, or one outside the PET's view, has the three SUVs None and the rest 0. Without PET: volume_ml only.
    Raises InputError for labels that are no mask of the case's shape.
    """
    check_masks(labels)
    if labels.shape != case.grid.shape:
        raise input_error(f"labels of shape {labels.shape}", f"the case's {case.grid.shape}", "resample the labels")
    volume: dict[str, float | None] = {"volume_ml": float(np.count_nonzero(labels) * case.grid.voxel_mm3 / 1000)}
    return {**volume, **_uptake(labels, case, suv.factor)} if "PET" in case.volumes else volume


def uptake_totals(labels: np.ndarray, case: Case) -> dict[str, float]:
    """OF_PET of the lesion `labels`, bool [k, j, i], as quantify() has them, SUV by body weight; 0 of an empty lesion
    or one outside the PET's view. The case has a PET."""
    seen = labels & case.valid["PET"]
    if not seen.any():
        return dict.fromkeys(OF_PET, 0.0)
    return _totals(case.volumes["PET"].array[seen].astype(np.float64), case.grid.voxel_mm3 / 1000)


def ends_in(suv: SuvScale, key: str, interval: Interval | None) -> tuple[float, float] | None:
    """The ends of the interval of the number `key`, which are by body weight, in the unit `suv`; None where it is
    withheld or there is none."""
    ends = interval.ends if interval else None
    factor = suv.factor if key in BY_SUV else 1.0
    return (factor * ends[0], factor * ends[1]) if ends else None


def _totals(suv: np.ndarray, voxel_ml: float) -> dict[str, float]:
    metabolic = suv[suv >= MTV_FRACTION * suv.max()]
    return {
        "suv_mean": float(suv.mean()),
        "mtv_ml": float(metabolic.size * voxel_ml),
        "tlg_g": float(metabolic.sum() * voxel_ml),
    }


def _uptake(labels: np.ndarray, case: Case, factor: float) -> dict[str, float | None]:
    seen = labels & case.valid["PET"]
    if not seen.any():
        nothing = {"mtv_ml": 0.0, "mtv_2_5_ml": 0.0, "tlg_g": 0.0}
        return {"suv_max": None, "suv_mean": None, "suv_peak": None, **nothing}
    suv = case.volumes["PET"].array[seen].astype(np.float64) * factor
    voxel_ml = case.grid.voxel_mm3 / 1000
    totals = _totals(suv, voxel_ml)
    return {
        "suv_max": float(suv.max()),
        "suv_mean": totals["suv_mean"],
        "suv_peak": _peak(seen, case) * factor,
        "mtv_ml": totals["mtv_ml"],
        "mtv_2_5_ml": float(np.count_nonzero(suv > MTV_SUV) * voxel_ml),
        "tlg_g": totals["tlg_g"],
    }


def _peak(seen: np.ndarray, case: Case) -> float:
    from scipy.signal import fftconvolve  # half a second, which no workspace that starts has to wait for

    sphere = _sphere(case.grid.spacing_kji_mm)
    margin = tuple(n // 2 for n in sphere.shape)
    found = find_objects(seen.astype(np.uint8))[0]
    box = tuple(slice(max(0, s.start - m), s.stop + m) for s, m in zip(found, margin, strict=True))
    valid = case.valid["PET"][box].astype(np.float64)
    suv = np.where(case.valid["PET"][box], case.volumes["PET"].array[box], 0.0).astype(np.float64)
    total, count = (fftconvolve(a, sphere, mode="same")[seen[box]] for a in (suv, valid))
    # Counts are whole numbers; the transform leaves rounding in them.
    return float((total / np.round(count)).max())


def _sphere(spacing_kji_mm: tuple[float, float, float]) -> np.ndarray:
    half = [int(PEAK_RADIUS_MM // s) for s in spacing_kji_mm]
    axes = np.meshgrid(*[np.arange(-h, h + 1) * s for h, s in zip(half, spacing_kji_mm, strict=True)], indexing="ij")
    return (sum(a**2 for a in axes) <= PEAK_RADIUS_MM**2).astype(np.float64)
