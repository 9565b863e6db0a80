"""worklist(): from a prediction to the regions a reader should look at first.

The expected error of a voxel is the probability that its label is wrong, |label - p|, with p calibrated; summed over
voxels and times their volume it is the volume that is expected to carry the wrong label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from ..data.errors import input_error
from ..data.grid import Grid
from ..data.prediction import Prediction
from .patches import patches, smoothed
from .place import Landmarks
from .reasons import reason
from .regions import Region, Worklist

UNCERTAIN = 0.2  # a voxel whose label is wrong more often than one time in five is uncertain
SMALLEST_MM3 = 100.0  # a smaller patch, a cube of less than 5 mm, is left over
MARGIN_MM = 12.0  # around what is uncertain, three times the smoothing
ENTROPY = "predictive_entropy"


def worklist(
    prediction: Prediction,
    modalities_without: Mapping[str, np.ndarray] | None = None,
    most: int = 20,
    inside: np.ndarray | None = None,
) -> Worklist:
    """At most `most` regions of the prediction, those with the largest expected error volume, worst first.

    modalities_without: by modality, the calibrated probability [k, j, i] predicted with that one switched off; without
    any, no region has a reason. inside: bool [k, j, i], voxels outside it are left out of everything (outside the
    body). Raises InputError when an array does not fit the prediction.
    """
    without = dict(modalities_without or {})
    _check(prediction, without, most, inside)
    seen = _seen(prediction, inside)
    total_mm3 = seen.error * prediction.grid.voxel_mm3
    labels = np.zeros(prediction.grid.shape, np.uint16)
    if not seen.uncertain:
        return Worklist((), labels, prediction.grid, total_mm3, 0.0)
    box = _grown(seen.box, prediction.grid)
    error = _error(prediction, inside, box)
    cut = _Cut.of(prediction, error, without, box)
    regions, labels[box] = cut.ranked(most)
    left_over = error[(error > UNCERTAIN) & (labels[box] == 0)].sum(dtype=np.float64)
    return Worklist(regions, labels, prediction.grid, total_mm3, float(left_over) * prediction.grid.voxel_mm3)


def _error(prediction: Prediction, inside: np.ndarray | None, where: Any) -> np.ndarray:
    """The expected error of the voxels in a part of the image, float32."""
    error = np.abs((prediction.labels[where] == 1) - prediction.probability[where]).astype(np.float32, copy=False)
    return error if inside is None else error * inside[where]


@dataclass(frozen=True)
class _Seen:
    """Sum of the expected error in voxels; whether any is uncertain; the box around those and the lesion."""

    error: float
    uncertain: bool
    box: tuple[slice, ...]


def _seen(prediction: Prediction, inside: np.ndarray | None) -> _Seen:
    """Slice by slice, which a large image is gone through in a tenth of the time."""
    total, uncertain, planes = 0.0, False, []
    in_slice = np.zeros(prediction.grid.shape[1:], bool)
    for k in range(prediction.grid.shape[0]):
        error = _error(prediction, inside, k)
        doubtful, lesion = error > UNCERTAIN, prediction.labels[k] == 1
        total += float(error.sum(dtype=np.float64))
        uncertain = uncertain or bool(doubtful.any())
        if (doubtful | lesion).any():
            planes.append(k)
            in_slice |= doubtful | lesion
    ends = [planes] + [np.flatnonzero(in_slice.any(axis=axis)) for axis in (1, 0)]
    return _Seen(total, uncertain, tuple(slice(int(at[0]), int(at[-1]) + 1) if len(at) else slice(0) for at in ends))


@dataclass(frozen=True)
class _Cut:
    """What is needed of a prediction in a box around what is uncertain; image: the grid of the whole."""

    image: Grid
    grid: Grid
    error: np.ndarray
    lesion: np.ndarray
    probability: np.ndarray
    entropy: np.ndarray
    without: dict[str, np.ndarray]

    @classmethod
    def of(
        cls, prediction: Prediction, error: np.ndarray, without: dict[str, np.ndarray], box: tuple[slice, ...]
    ) -> _Cut:
        start, stop = zip(*((part.start, part.stop) for part in box), strict=True)
        arrays = (prediction.labels[box] == 1, prediction.probability[box], prediction.uncertainty[ENTROPY][box])
        kept = {modality: array[box] for modality, array in without.items()}
        return cls(prediction.grid, prediction.grid.cropped(start, stop), error, *arrays, kept)

    def ranked(self, most: int) -> tuple[tuple[Region, ...], np.ndarray]:
        """The regions by rank, and their labels in the box."""
        hills = smoothed(self.error, self.grid.spacing_kji_mm)
        parts = patches(self.error > UNCERTAIN, hills, self.grid.spacing_kji_mm)
        counts = np.bincount(parts.ravel())
        errors = np.bincount(parts.ravel(), weights=self.error.ravel())
        large = np.nonzero(counts * self.grid.voxel_mm3 >= SMALLEST_MM3)[0]
        chosen = sorted(large[large > 0], key=lambda part: (-errors[part], part))[:most]
        rank = np.zeros(len(counts), np.uint16)
        rank[chosen] = np.arange(1, len(chosen) + 1)
        labels, landmarks = rank[parts], Landmarks(self.lesion, self.grid, self.image)
        places = ndimage.value_indices(labels, ignore_value=0)
        return tuple(self._region(n, places[n], landmarks) for n in range(1, len(chosen) + 1)), labels

    def _region(self, number: int, at: tuple[np.ndarray, ...], landmarks: Landmarks) -> Region:
        voxels, error = np.stack(at, axis=1), self.error[at]
        center = voxels[self._middle(voxels, error)]
        means = {modality: float(array[at].mean()) for modality, array in self.without.items()}
        found = reason(float(self.probability[at].mean()), means)
        return Region(
            id=number,
            center_lps=tuple(float(x) for x in self.grid.to_physical(center[::-1])),
            volume_mm3=len(voxels) * self.grid.voxel_mm3,
            expected_error_mm3=float(error.sum(dtype=np.float64)) * self.grid.voxel_mm3,
            uncertainty=float(self.entropy[at].mean()),
            place=landmarks.place(voxels),
            why=found.words,
            why_modality=found.modality,
        )

    def _middle(self, voxels: np.ndarray, error: np.ndarray) -> int:
        """Which voxel is the nearest to the centroid (which may lie outside) among the more doubtful half."""
        distance_mm = np.linalg.norm((voxels - voxels.mean(axis=0)) * self.grid.spacing_kji_mm, axis=1)
        return int(np.where(error >= np.median(error), distance_mm, np.inf).argmin())


def _grown(box: tuple[slice, ...], grid: Grid) -> tuple[slice, ...]:
    """The box with MARGIN_MM around it, as far as the image goes."""
    steps = [int(np.ceil(MARGIN_MM / s)) for s in grid.spacing_kji_mm]
    ends = zip(box, steps, grid.shape, strict=True)
    return tuple(slice(max(0, part.start - n), min(size, part.stop + n)) for part, n, size in ends)


def _check(prediction: Prediction, without: dict[str, np.ndarray], most: int, inside: np.ndarray | None) -> None:
    if most < 1:
        raise input_error(f"a worklist of at most {most} regions", "at least one", "ask for more")
    if ENTROPY not in prediction.uncertainty:
        raise input_error(
            "a prediction without its predictive entropy", "the map in nats", "run the segmentation again"
        )
    maps = {
        "probability": prediction.probability,
        "labels": prediction.labels,
        ENTROPY: prediction.uncertainty[ENTROPY],
    }
    maps |= {f"probability without {modality}": array for modality, array in without.items()}
    maps |= {} if inside is None else {"inside": inside}
    for name, array in maps.items():
        if array.shape != prediction.grid.shape:
            wanted = f"{prediction.grid.shape}, as the prediction's grid has"
            raise input_error(f"the array {name} of shape {array.shape}", wanted, "run the segmentation again")
    if not np.isfinite(prediction.probability).all():
        raise input_error("a probability that is not a number", "values from 0 to 1", "run the segmentation again")
