"""Prediction: what a system says of a case, with how sure it is and how it came to be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .grid import Grid
from .voxels import Voxels

NO_RANGE, IS_SHOWN = "No range of ", " is shown: "


@dataclass(frozen=True)
class Interval:
    """A point estimate with its interval at the nominal level, in the stated unit.

    low, high: None where no interval can be stood for; withheld: then, in one sentence, why; basis: what the interval
    rests on, in a phrase.
    """

    value: float
    low: float | None
    high: float | None
    unit: str
    level: float = 0.95
    withheld: str = ""
    basis: str = ""

    @property
    def ends(self) -> tuple[float, float] | None:
        """low and high; None where the interval is withheld."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def without_ends(self, why: str) -> Interval:
        """The estimate alone. why: one sentence."""
        return replace(self, low=None, high=None, withheld=why, basis="")


@dataclass(frozen=True)
class Prediction:
    """All arrays are [k, j, i] on `grid`.

    probability: float32, calibrated mean over the samples; labels: uint8 (0 background, 1 lesion), the network's own
    decision, whose border need not lie at a calibrated probability of one half;
    uncertainty: float32 maps by their key in core.maps.MAPS, in its unit;
    inner, outer: bool masks, the contours between which the border lies at the nominal level;
    gates: weight per modality, summing to one, {} of a system without gates; volume_ml: lesion volume with its
    interval; sample_volumes_ml: one per sample; provenance: model id, sha256, config, seed, versions, timings, notes;
    samples: each sample's own lesion, packed, () of a prediction that was saved before they were kept;
    uptake: the numbers of core.lesion.OF_PET with their intervals, SUV by body weight; {} without a PET, or of a model
    whose errors in them were not measured.
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
    samples: tuple[Voxels, ...] = ()
    uptake: dict[str, Interval] = field(default_factory=dict)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the system saw."""
        return tuple(self.provenance.get("modalities", self.gates))

    @property
    def outside(self) -> tuple[str, ...]:
        """Why the case is not one of those that the model is for, in sentences: then no range holds, of any number."""
        return tuple(self.provenance.get("domain", {}).get("outside", ()))

    @property
    def withheld(self) -> tuple[str, ...]:
        """Why numbers of the lesion have no range: a sentence for each reason, with the names of all that it is of."""
        names: dict[str, list[str]] = {}
        for interval in (self.volume_ml, *self.uptake.values()):
            named, told, why = interval.withheld.partition(IS_SHOWN)
            if interval.withheld:
                names.setdefault(why if told else interval.withheld, []).append(
                    named.removeprefix(NO_RANGE) if told else ""
                )
        return tuple(f"{NO_RANGE}{_and(who)}{IS_SHOWN}{why}" if who[0] else why for why, who in names.items())


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
