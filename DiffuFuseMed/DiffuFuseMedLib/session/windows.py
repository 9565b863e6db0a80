"""Windows by modality, in the modality's unit, as readers know them."""

from __future__ import annotations

import numpy as np

from ..data.case import Case

# Hounsfield units: width and level as in common PACS presets; SUV: g/mL.
CT = {"soft tissue": (-160.0, 240.0), "bone": (-450.0, 1050.0), "brain": (0.0, 80.0), "lung": (-1350.0, 150.0)}
PET = {"0-5": (0.0, 5.0), "0-10": (0.0, 10.0), "0-20": (0.0, 20.0)}
AUTO = "auto"
AUTO_PERCENT = (1.0, 99.5)
UNITS = {"CT": "HU", "PET": "SUV", "SPECT": "counts"}
GRAY = (0.0, 1.0)  # of the fused picture

MOST_LOOKED_AT = 4_000_000  # voxels, for a window by percentiles


def choices(modality: str) -> tuple[str, ...]:
    """Names of the windows of a modality, its default first."""
    if modality == "CT":
        return tuple(CT)
    if modality == "PET":
        return ("0-10", "0-5", "0-20")
    return (AUTO,)


def range_of(case: Case, modality: str, name: str | None) -> tuple[float, float]:
    """Black and white in the modality's unit. A name that the modality does not have is its default."""
    known = {**(CT if modality == "CT" else PET if modality == "PET" else {})}
    chosen = name if name in known or name == AUTO else choices(modality)[0]
    return known[chosen] if chosen in known else _auto(case, modality)


def unit_of(key: str) -> str:
    return UNITS.get(key, "")


def _auto(case: Case, modality: str) -> tuple[float, float]:
    array, valid = (a.reshape(-1) for a in (case.volumes[modality].array, case.valid[modality]))
    step = max(1, array.size // MOST_LOOKED_AT)
    values = array[::step][valid[::step]]
    if not values.size:
        return GRAY
    low, high = (float(v) for v in np.percentile(values[:: max(1, values.size // 200_000)], AUTO_PERCENT))
    return (low, high) if high > low else (low, low + 1.0)
