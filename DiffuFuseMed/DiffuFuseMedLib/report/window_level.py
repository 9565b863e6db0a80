"""Windows: which intensities become black and white, per modality, and what the caption says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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


def window_of(modality: str, image: np.ndarray, valid: np.ndarray) -> Window:
    """Soft tissue for CT, SUV 0 to 7 inverted for PET, percentiles of the valid voxels for the rest."""
    if modality == "CT":
        return Window(-160, 240, "window -160 to 240 HU")
    if modality == "PET":
        return Window(0, 7, "SUV 0 to 7 g/mL, inverted", inverted=True)
    seen = image[valid] if valid.any() else np.zeros(1)
    low, high = (float(p) for p in np.percentile(seen, (1, 99.5)))
    return Window(low, max(high, low + 1e-6), "1st to 99.5th percentile")
