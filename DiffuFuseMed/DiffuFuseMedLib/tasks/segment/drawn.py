"""What a network drew of a case, before anything is calibrated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.grid import Grid


@dataclass
class Drawn:
    """The samples of a case before calibration: (k, *grid.shape) probabilities on the network's grid.

    gates: weight per modality, {} of a system without gates; maps: further maps of uncertainty on the same grid;
    deciding: of a panel how many of the samples, the first ones, decide on the lesion; 0 for all.
    """

    grid: Grid
    samples: np.ndarray
    gates: dict[str, float]
    provenance: dict[str, Any]
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    deciding: int = 0

    def mean(self) -> np.ndarray:
        """The mean probability of all samples, (*grid.shape)."""
        return self.samples.mean(axis=0)

    def deciding_mean(self) -> np.ndarray:
        """That of the samples that decide on the lesion."""
        return self.samples[: self.deciding or None].mean(axis=0)
