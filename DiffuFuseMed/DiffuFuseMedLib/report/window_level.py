"""Windows: which intensities become black and white, per modality, and what the caption says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.modalities import spec_of
from ..core.suv_units import BODY_WEIGHT, SuvScale


@dataclass(frozen=True)
class Window:
    """low is shown black and high white, or the other way when inverted."""

    low: float
    high: float
    caption: str
    inverted: bool = False

    def gray(self, image: np.ndarray) -> np.ndarray:
        """float [0, 1] of the same shape."""
        scaled = np.clip((image - self.low) / (self.high - self.low), 0, 1)
        return 1 - scaled if self.inverted else scaled


def window_of(modality: str, image: np.ndarray, valid: np.ndarray, suv: SuvScale = BODY_WEIGHT) -> Window:
    """The modality's own for print, else percentiles of the valid voxels."""
    spec = spec_of(modality)
    if spec.report_window is not None:
        low, high = spec.report_window
        inverted = ", inverted" if spec.inverted else ""
        what, unit = (suv.told.name, suv.told.unit) if spec.scale == "SUV" else (spec.quantity, spec.report_unit)
        caption = f"{what} {low:g} to {high:g} {unit}{inverted}"
        return Window(low, high, caption, spec.inverted)
    seen = image[valid] if valid.any() else np.zeros(1)
    low, high = (float(p) for p in np.percentile(seen, (1, 99.5)))
    return Window(low, max(high, low + 1e-6), "1st to 99.5th percentile")
