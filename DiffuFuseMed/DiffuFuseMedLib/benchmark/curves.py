"""ROC, precision and recall of one case, from the numbers of its voxels by probability, and their means over cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..metrics import reliability_curve

BINS = 200  # of probability: a curve of as many points
GRID = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Counts:
    """Voxels inside and outside the reference by probability of lesion, in equal bins from 0 to 1; (bins,) each."""

    lesion: np.ndarray
    other: np.ndarray

    @classmethod
    def of(cls, probability: np.ndarray, reference: np.ndarray, bins: int = BINS) -> Counts:
        """probability: [k, j, i] from 0 to 1; reference: bool [k, j, i]."""
        index = np.minimum((probability * bins).astype(int), bins - 1)
        lesion, other = (np.bincount(index[mask], minlength=bins) for mask in (reference, ~reference))
        return cls(lesion, other)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Counts:
        return cls(np.asarray(told["lesion"]), np.asarray(told["other"]))

    def as_json(self) -> dict[str, list[int]]:
        return {"lesion": self.lesion.tolist(), "other": self.other.tolist()}

    def found(self) -> tuple[np.ndarray, np.ndarray]:
        """Lesion voxels that are found and others that are taken for some, (bins + 1,) each, from the highest threshold
        on, at which none is."""
        lesion, other = (np.concatenate([[0], np.cumsum(counted[::-1])]) for counted in (self.lesion, self.other))
        return lesion, other

    def roc(self) -> tuple[np.ndarray, np.ndarray]:
        """False and true positive rate, (bins + 1,) each, rising."""
        lesion, other = self.found()
        return other / max(other[-1], 1), lesion / max(lesion[-1], 1)

    def area(self) -> float:
        """Under the ROC curve, voxels of one bin counting half; nan without lesion or without anything else."""
        if not self.lesion.sum() or not self.other.sum():
            return float("nan")
        return float(np.trapezoid(*self.roc()[::-1]))

    def precision_recall(self) -> tuple[np.ndarray, np.ndarray]:
        """Precision and recall, (bins,) each, from the highest threshold on; precision is 1 where nothing is found."""
        lesion, other = (x[1:] for x in self.found())
        marked = lesion + other
        return np.where(marked > 0, lesion / np.maximum(marked, 1), 1.0), lesion / max(lesion[-1], 1)

    def average_precision(self) -> float:
        """The sum of each threshold's precision times the recall that it adds; nan without lesion."""
        if not self.lesion.sum():
            return float("nan")
        precision, recall = self.precision_recall()
        return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def mean_roc(cases: Sequence[Counts]) -> np.ndarray:
    """True positive rate at the false positive rates of GRID, (101,): a mean over cases, so that a large one counts no
    more than a small one."""
    return np.mean([np.interp(GRID, *counts.roc()) for counts in cases], axis=0)


def mean_precision(cases: Sequence[Counts]) -> np.ndarray:
    """Precision at the recalls of GRID, (101,), the best that any threshold with at least this recall has (as VOC's
    interpolated precision); a mean over cases."""
    curves = []
    for counts in cases:
        precision, recall = counts.precision_recall()
        best = np.maximum.accumulate(precision[::-1])[::-1]
        curves.append(best[np.minimum(np.searchsorted(recall, GRID - 1e-12), len(best) - 1)])
    return np.mean(curves, axis=0)


def reliability(probability: np.ndarray, reference: np.ndarray, near: np.ndarray) -> dict[str, list[float]]:
    """metrics.reliability_curve() as JSON; probability: [k, j, i], reference and near, where it is taken: bool."""
    return {name: value.tolist() for name, value in reliability_curve(probability, reference, near).items()}


def pooled(curves: Sequence[dict[str, list[float]]], bins: int) -> dict[str, np.ndarray]:
    """Reliability curves of several cases as one: confidence, frequency, voxels of each bin that any has, (bins,)."""
    voxels, confidence, frequency = np.zeros((3, bins))
    for curve in curves:
        index = np.minimum((np.asarray(curve["confidence"]) * bins).astype(int), bins - 1)
        count = np.asarray(curve["voxels"], float)
        np.add.at(voxels, index, count)
        np.add.at(confidence, index, count * curve["confidence"])
        np.add.at(frequency, index, count * curve["frequency"])
    seen = voxels > 0
    shares = {"confidence": confidence[seen] / voxels[seen], "frequency": frequency[seen] / voxels[seen]}
    return {**shares, "voxels": voxels[seen]}
