"""What a tumor looks like in numbers, so that synthetic ones can be held against real ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields

import numpy as np
from scipy.ndimage import distance_transform_edt

RIM, CENTER = 1 / 3, 2 / 3  # of the largest depth: what lies less deep is rim, what lies deeper is center
SHELL_MM = (2.0, 12.0)  # from the tumor's border: the tissue that its MR contrast is told against


@dataclass(frozen=True)
class Appearance:
    """suv_max and suv_mean of the tumor; rim_to_center: mean SUV of its rim over that of its center, above 1 where the
    center is necrotic; t1_contrast: its mean T1 signal over that of the tissue around; ct_hu: its mean. NaN where the
    image is missing."""

    suv_max: float
    suv_mean: float
    rim_to_center: float
    t1_contrast: float
    ct_hu: float

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(f.name for f in fields(cls))

    def values(self) -> np.ndarray:
        """(5,) float64 in the order of names()."""
        return np.array(astuple(self), dtype=float)


def appearance(
    images: Mapping[str, np.ndarray],
    valid: Mapping[str, np.ndarray],
    tumor: np.ndarray,
    body: np.ndarray,
    spacing_kji_mm: tuple[float, float, float],
) -> Appearance:
    """images: HU, SUV and MR units by CT, PET, MR_T1, any of them, [k, j, i]; valid: bool by the same keys; tumor and
    body: bool. Raises ValueError for an empty tumor."""
    if not tumor.any():
        raise ValueError("an empty tumor has no appearance")
    where = _around(tumor, SHELL_MM[1], spacing_kji_mm)
    tumor, body = tumor[where], body[where]
    depth = distance_transform_edt(np.pad(tumor, 1), sampling=spacing_kji_mm)[1:-1, 1:-1, 1:-1]
    outside = distance_transform_edt(~tumor, sampling=spacing_kji_mm)
    shell = (outside > SHELL_MM[0]) & (outside <= SHELL_MM[1]) & body
    parts = {"tumor": tumor, "rim": tumor & (depth < RIM * depth.max())}
    parts |= {"center": tumor & (depth > CENTER * depth.max()), "shell": shell}

    def of(modality: str, part: str) -> np.ndarray:
        if modality not in images:
            return np.empty(0)
        return images[modality][where][parts[part] & valid[modality][where]]

    suv = of("PET", "tumor")
    return Appearance(
        float(suv.max()) if suv.size else np.nan,
        _mean(suv),
        _ratio(_mean(of("PET", "rim")), _mean(of("PET", "center"))),
        _ratio(_mean(of("MR_T1", "tumor")), _mean(of("MR_T1", "shell"))),
        _mean(of("CT", "tumor")),
    )


def _around(mask: np.ndarray, margin_mm: float, spacing_kji_mm: tuple[float, float, float]) -> tuple[slice, ...]:
    margins = [int(np.ceil(margin_mm / s)) + 1 for s in spacing_kji_mm]
    found = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    return tuple(slice(max(0, int(f[0]) - m), int(f[-1]) + m + 1) for f, m in zip(found, margins, strict=True))


def _mean(values: np.ndarray) -> float:
    return float(values.mean(dtype=np.float64)) if values.size else np.nan


def _ratio(over: float, under: float) -> float:
    return over / under if under > 0 else np.nan
