"""Prediction: what a system says of a case, with how sure it is and how it came to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .grid import Grid


@dataclass(frozen=True)
class Interval:
    """A point estimate with its interval at the nominal level, in the stated unit."""

    value: float
    low: float
    high: float
    unit: str
    level: float = 0.95


@dataclass(frozen=True)
class Prediction:
    """All arrays are [k, j, i] on `grid`.

    probability: float32, calibrated mean over the samples; labels: uint8 (0 background, 1 lesion), the network's own
    decision, whose border need not lie at a calibrated probability of one half;
    uncertainty: float32 maps by their key in core.maps.MAPS, in its unit;
    inner, outer: bool masks, the contours between which the border lies at the nominal level;
    gates: weight per modality, summing to one, {} of a system without gates; volume_ml: lesion volume with its
    interval; sample_volumes_ml: one per sample; provenance: model id, sha256, config, seed, versions, timings, notes.
    """

    grid: Grid
    probability: np.ndarray
    labels: np.ndarray
    uncertainty: dict[str, np.ndarray]
    inner: np.ndarray
    outer: np.ndarray
    gates: dict[str, float]
    volume_ml: Interval
    sample_volumes_ml: tuple[float, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the system saw."""
        return tuple(self.provenance.get("modalities", self.gates))
