"""worklist(): from a prediction to the regions a reader should look at first.

The expected error of a voxel is the probability that its label is wrong, |label - p|, with p calibrated; summed over
voxels and times their volume it is the volume that is expected to carry the wrong label. A region lies on one side of
the drawn border, for what is to be decided there is one thing: whether that piece goes, or whether it comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import ndimage

from ..core.errors import input_error
from ..core.grid import Grid
from ..core.prediction import Prediction
from ..core.triples import triple
from .clusters import Cluster, clusters
from .patches import patches, reach_mm, smoothed
from .place import Landmarks
from .reasons import reason
from .regions import MISSING, TOO_MUCH, Region, Worklist

UNCERTAIN = 0.1  # a voxel whose label is wrong more often than one time in ten is uncertain
SMALLEST_MM3 = 100.0  # a smaller patch, a cube of less than 5 mm, is left over
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
    seen, voxel_mm3 = _seen(prediction, inside), prediction.grid.voxel_mm3
    labels = np.zeros(prediction.grid.shape, np.uint16)
    found: list[tuple[Region, tuple[slice, ...], np.ndarray]] = []
    uncertain = {n: _uncertain(prediction, inside, cluster) for n, cluster in enumerate(seen.clusters)}
    for n in sorted(uncertain, key=lambda n: (-uncertain[n], n)):
        # the last of a full list is worse than all that is uncertain in this cluster, and in those after it
        if len(found) == most and found[-1][0].expected_error_mm3 >= uncertain[n] * voxel_mm3:
            break
        cluster = seen.clusters[n]
        error = _error(prediction, inside, cluster.box) * cluster.own
        regions, there = _Cut.of(prediction, error, cluster, seen.lesion).ranked(most)
        found += [(region, cluster.box, there) for region in regions]
        found = sorted(found, key=lambda entry: -entry[0].expected_error_mm3)[:most]
    regions = tuple(replace(region, id=rank) for rank, (region, _, _) in enumerate(found, 1))
    for region, (old, box, there) in zip(regions, found, strict=True):
        labels[box][there == old.id] = region.id
    left_over = max(0.0, sum(uncertain.values()) * voxel_mm3 - sum(region.expected_error_mm3 for region in regions))
    listed = Worklist(regions, labels, prediction.grid, seen.error * voxel_mm3, left_over)
    return with_reasons(listed, prediction, without) if without else listed


def with_reasons(found: Worklist, prediction: Prediction, modalities_without: Mapping[str, np.ndarray]) -> Worklist:
    """The same regions of a prediction's worklist, each with what the modalities say of it; arguments and errors as
    worklist()."""
    _check(prediction, dict(modalities_without), 1, None)
    boxes = ndimage.find_objects(found.labels)

    def explained(region: Region) -> Region:
        box = boxes[region.id - 1]
        at = found.labels[box] == region.id
        means = {modality: float(array[box][at].mean()) for modality, array in modalities_without.items()}
        said = reason(float(prediction.probability[box][at].mean()), means)
        return replace(region, why=said.words, why_modality=said.modality)

    return replace(found, regions=tuple(explained(region) for region in found.regions))


def _error(prediction: Prediction, inside: np.ndarray | None, where: Any) -> np.ndarray:
    """The expected error of the voxels in a part of the image, float32."""
    error = np.abs((prediction.labels[where] == 1) - prediction.probability[where]).astype(np.float32, copy=False)
    return error if inside is None else error * inside[where]


def _uncertain(prediction: Prediction, inside: np.ndarray | None, cluster: Cluster) -> float:
    """Sum of the expected error, in voxels, of those that are uncertain."""
    error = _error(prediction, inside, cluster.box)[cluster.own]
    return float(error[error > UNCERTAIN].sum(dtype=np.float64))


@dataclass(frozen=True)
class _Seen:
    """Sum of the expected error in voxels; the lesion's voxels; what is uncertain or lesion, in clusters, where any of
    it is uncertain."""

    error: float
    lesion: int
    clusters: list[Cluster]


def _seen(prediction: Prediction, inside: np.ndarray | None) -> _Seen:
    """Slice by slice, which a large image is gone through in a tenth of the time."""
    total, lesions, uncertain, marked = 0.0, 0, False, []
    for k in range(prediction.grid.shape[0]):
        error = _error(prediction, inside, k)
        doubtful, lesion = error > UNCERTAIN, prediction.labels[k] == 1
        total += float(error.sum(dtype=np.float64))
        lesions += int(np.count_nonzero(lesion))
        uncertain = uncertain or bool(doubtful.any())
        marked.append(doubtful | lesion)
    return _Seen(total, lesions, clusters(marked, prediction.grid) if uncertain else [])


@dataclass(frozen=True)
class _Cut:
    """What is needed of a prediction in a cluster's box; image: the grid of the whole; elsewhere: whether there is
    lesion in other clusters."""

    image: Grid
    grid: Grid
    error: np.ndarray
    lesion: np.ndarray
    entropy: np.ndarray
    elsewhere: bool

    @classmethod
    def of(cls, prediction: Prediction, error: np.ndarray, cluster: Cluster, lesion_voxels: int) -> _Cut:
        box = cluster.box
        lesion = (prediction.labels[box] == 1) & cluster.own
        elsewhere = bool(np.count_nonzero(lesion) < lesion_voxels)
        start, stop = zip(*((part.start, part.stop) for part in box), strict=True)
        arrays = (lesion, prediction.uncertainty[ENTROPY][box])
        return cls(prediction.grid, prediction.grid.cropped(start, stop), error, *arrays, elsewhere)

    def ranked(self, most: int) -> tuple[tuple[Region, ...], np.ndarray]:
        """The regions by rank, and their labels in the box."""
        parts = self._parts()
        counts = np.bincount(parts.ravel())
        errors = np.bincount(parts.ravel(), weights=self.error.ravel())
        large = np.nonzero(counts * self.grid.voxel_mm3 >= SMALLEST_MM3)[0]
        chosen = sorted(large[large > 0], key=lambda part: (-errors[part], part))[:most]
        rank = np.zeros(len(counts), np.uint16)
        rank[chosen] = np.arange(1, len(chosen) + 1)
        labels, landmarks = rank[parts], Landmarks(self.lesion, self.grid, self.image, self.elsewhere)
        places = ndimage.value_indices(labels, ignore_value=0)
        return tuple(self._region(n, places[n], landmarks) for n in range(1, len(chosen) + 1)), labels

    def _parts(self) -> np.ndarray:
        """int32: the patches inside the lesion, then those outside it."""
        spacing, uncertain = self.grid.spacing_kji_mm, self.error > UNCERTAIN
        hills = smoothed(self.error, spacing)
        reach = reach_mm(np.count_nonzero(self.lesion) * self.grid.voxel_mm3)
        inside, outside = (patches(uncertain & side, hills, spacing, reach) for side in (self.lesion, ~self.lesion))
        return np.where(outside > 0, outside + inside.max(initial=0), inside)

    def _region(self, number: int, at: tuple[np.ndarray, ...], landmarks: Landmarks) -> Region:
        voxels, error = np.stack(at, axis=1), self.error[at]
        center = voxels[self._middle(voxels, error)]
        return Region(
            id=number,
            center_lps=triple(float(x) for x in self.grid.to_physical(center[::-1])),
            volume_mm3=len(voxels) * self.grid.voxel_mm3,
            expected_error_mm3=float(error.sum(dtype=np.float64)) * self.grid.voxel_mm3,
            uncertainty=float(self.entropy[at].mean()),
            place=landmarks.place(voxels),
            doubt=TOO_MUCH if self.lesion[at][0] else MISSING,
        )

    def _middle(self, voxels: np.ndarray, error: np.ndarray) -> int:
        """Which voxel is the nearest to the centroid (which may lie outside) among the more doubtful half."""
        distance_mm = np.linalg.norm((voxels - voxels.mean(axis=0)) * self.grid.spacing_kji_mm, axis=1)
        return int(np.where(error >= np.median(error), distance_mm, np.inf).argmin())


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
