"""Agreement: how far several annotators' masks of one lesion agree, as panel, report and command line show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """names: of the R annotators; dice, nsd: (R, R) of every pair, nsd the surface Dice at 2 mm; volumes_ml: of each;
    majority, staple: bool [k, j, i], where more than half drew lesion, and the STAPLE consensus; voxel_ml: of a voxel.
    """

    names: tuple[str, ...]
    dice: np.ndarray
    nsd: np.ndarray
    volumes_ml: tuple[float, ...]
    majority: np.ndarray
    staple: np.ndarray
    voxel_ml: float

    @property
    def mean_dice(self) -> float:
        return float(self._pairs(self.dice).mean())

    @property
    def mean_nsd(self) -> float:
        return float(self._pairs(self.nsd).mean())

    @property
    def volume_spread(self) -> float:
        """Standard deviation of the annotators' volumes as a share of their mean; nan where nobody drew anything."""
        mean = float(np.mean(self.volumes_ml))
        return float(np.std(self.volumes_ml, ddof=1)) / mean if mean else float("nan")

    @property
    def majority_ml(self) -> float:
        return float(np.count_nonzero(self.majority)) * self.voxel_ml

    @property
    def staple_ml(self) -> float:
        return float(np.count_nonzero(self.staple)) * self.voxel_ml

    def with_others(self, measure: np.ndarray) -> tuple[float, ...]:
        """Of each annotator the mean with the others; measure: dice or nsd."""
        others = len(self.names) - 1
        return tuple(float((row.sum() - row[n]) / others) for n, row in enumerate(measure))

    def _pairs(self, measure: np.ndarray) -> np.ndarray:
        return measure[np.triu_indices(len(self.names), k=1)]
