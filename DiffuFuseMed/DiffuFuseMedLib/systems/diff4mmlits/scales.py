"""Gray values as the inpainter sees them, and the way back: about -1 to 1 in soft tissue, every value of its own.

Unlike the curves of preprocessing/intensity.py nothing is clipped that lies in a body: what is filled in is written
back as HU, SUV and MR units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.modalities import spec_of
from ...core.volume import Volume
from ...preprocessing.intensity import PET_KNEE_SUV, body_percentiles

CT_CENTER_HU, CT_KNEE_HU = 0.0, 150.0  # nearly linear from fat to muscle, bone and air by their logarithm
RELATIVE_LIMITS = (-1.5, 3.0)  # of what was scaled by percentiles


@dataclass(frozen=True)
class Scale:
    """center and half_range: of "relative" (MR, SPECT) its body's 1st to 99th percentile; fixed for HU and SUV."""

    kind: str
    center: float = 0.0
    half_range: float = 1.0

    def forward(self, array: np.ndarray) -> np.ndarray:
        """Units of the modality, of any shape, to network units, float32."""
        if self.kind == "HU":
            scaled = np.arcsinh((array - CT_CENTER_HU) / CT_KNEE_HU)
        elif self.kind == "SUV":
            scaled = np.log1p(np.maximum(array, 0)) / np.log1p(PET_KNEE_SUV) - 0.5
        else:
            scaled = np.clip((array - self.center) / self.half_range, *RELATIVE_LIMITS)
        return np.asarray(scaled, dtype=np.float32)

    def inverse(self, scaled: np.ndarray) -> np.ndarray:
        """Network units, of any shape, to units of the modality, float32; no SUV and no MR signal below 0."""
        if self.kind == "HU":
            array = np.sinh(scaled) * CT_KNEE_HU + CT_CENTER_HU
        elif self.kind == "SUV":
            array = np.maximum(np.expm1((scaled + 0.5) * np.log1p(PET_KNEE_SUV)), 0)
        else:
            array = np.maximum(scaled * self.half_range + self.center, 0)
        return np.asarray(array, dtype=np.float32)


def scale_of(volume: Volume, valid: np.ndarray) -> Scale:
    """The scale of this image; valid: bool [k, j, i]."""
    kind = spec_of(volume.modality).scale
    if kind in ("HU", "SUV"):
        return Scale(kind)
    low, high = body_percentiles(volume.array, valid & np.isfinite(volume.array)) or (0.0, 2.0)
    return Scale(kind, (low + high) / 2, max((high - low) / 2, float(np.finfo(np.float32).tiny)))
