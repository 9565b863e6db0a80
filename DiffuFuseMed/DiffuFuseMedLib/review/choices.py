"""Choices: two to four distinct outlines of one region, of which a reader may take one instead of painting it; and
then of each of its parts, where one outline of all of it does not settle it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.prediction import Prediction
from ..core.triples import triple
from ..core.voxels import Voxels, box_around
from .blending import Rim
from .covering import covering
from .outlines import (
    SAME,
    Outline,
    dice_distance,
    level_outlines,
    outlines_without,
    sample_outlines,
    shifted_outlines,
)
from .parts import Parts
from .reach import REACH_MM, Box, Places

MOST = 4
LEAST_SHARE = 0.05  # of the region's voxels: outlines that differ in fewer are one to a reader
SAMPLED, WITHOUT, SHIFTED = 0.4, 0.1, 0.5  # how plausible all of a kind are together, in a part


@dataclass(frozen=True)
class Choice:
    """box: a part of the image, starts and stops along [k, j, i]; lesion: bool of that box, as it is once this is
    taken, which changes it in `where` alone, the region with its reach; source, share: as of the Outline; change_mm3:
    of the lesion's volume, above 0 where it grows."""

    box: Box
    where: np.ndarray
    lesion: np.ndarray
    source: str
    share: float | None
    change_mm3: float

    def taken(self, lesion: np.ndarray) -> np.ndarray:
        """lesion: bool [k, j, i] of the whole image -> a new one with this outline in it."""
        lesion = lesion.copy()
        np.copyto(lesion[self.box], self.lesion, where=self.where)
        return lesion


def choices_at(
    places: Places, region_id: int, lesion: np.ndarray, prediction: Prediction, without: Mapping[str, Voxels]
) -> tuple[Choice, ...]:
    """What a reader may take for a region of the prediction's worklist; empty where nothing else is plausible.

    lesion: bool [k, j, i] as it stands; without: by modality, the lesion that the model draws with that one switched
    off. Groups of the samples come first, the most frequent at the top; what they leave of MOST is filled by levels of
    the calibrated probability and by outlines without a modality, from the one that takes most away to the one that
    adds most. What is like the lesion as it stands is none of them.
    """
    grid, box = prediction.grid, places.box(region_id, 2 * REACH_MM)
    region, before = places.region(region_id, box), lesion[box]
    if not region.any():
        return ()
    samples = sample_outlines([voxels.part(box) for voxels in prediction.samples], region, MOST)
    others = level_outlines(prediction.probability[box], region)
    others += outlines_without({key: voxels.part(box) for key, voxels in without.items()})
    chosen = distinct(samples, others, before, region)
    return _choices(chosen, box, Rim(before, region, grid.spacing_kji_mm), before, grid.voxel_mm3)


def choices_in(
    parts: Parts, part: int, lesion: np.ndarray, prediction: Prediction, without: Mapping[str, Voxels]
) -> tuple[Choice, ...]:
    """What a reader may take for a part of a region, from 1; arguments else as choices_at().

    Groups of the samples, outlines without a modality, and the lesion's own border moved in and out: of all of these
    the MOST that cover the others best, from the one that takes most away to the one that adds most. What the parts
    before this one hold stays.
    """
    grid, spacing = prediction.grid, prediction.grid.spacing_kji_mm
    near = box_around(parts.labels == part, spacing, 2 * REACH_MM)  # inside the parts' box, which is wider
    box: Box = triple(slice(a.start + b.start, a.start + b.stop) for a, b in zip(parts.box, near, strict=True))
    at, before = parts.labels[near], lesion[box]
    region, settled = at == part, (at > 0) & (at < part)
    samples = sample_outlines([voxels.part(box) for voxels in prediction.samples], region, len(prediction.samples))
    others = outlines_without({key: voxels.part(box) for key, voxels in without.items()})
    chosen = _covering(samples, others, shifted_outlines(before, spacing), before, region)
    found = _choices(chosen, box, Rim(before, region, spacing), before, grid.voxel_mm3, settled)
    return tuple(sorted(found, key=lambda choice: choice.change_mm3))


def _covering(
    samples: Sequence[Outline],
    without: Sequence[Outline],
    shifted: Sequence[Outline],
    lesion: np.ndarray,
    region: np.ndarray,
) -> list[Outline]:
    outlines = [*samples, *without, *shifted]
    if not outlines:
        return []
    weights = [SAMPLED * (outline.share or 0) for outline in samples]
    weights += [weight / len(kind) for kind, weight in ((without, WITHOUT), (shifted, SHIFTED)) for _ in kind]
    there = np.array([outline.mask[region] for outline in outlines])
    least = int(np.ceil(LEAST_SHARE * np.count_nonzero(region)))
    chosen = covering(there, weights, lesion[region], MOST, least)
    return [outlines[n] for n in chosen]


def distinct(
    samples: Sequence[Outline], others: Sequence[Outline], lesion: np.ndarray, region: np.ndarray
) -> list[Outline]:
    """At most MOST outlines, no two alike in the region, none like the lesion. All masks: bool [k, j, i] of one box.

    Each next one is the farthest from all that are there, the lesion among them.
    """
    first = _farthest(samples, [lesion], region, MOST)
    first = sorted(first, key=lambda outline: -(outline.share or 0))
    rest = _farthest(others, [lesion, *(outline.mask for outline in first)], region, MOST - len(first))
    return first + sorted(rest, key=lambda outline: np.count_nonzero(outline.mask & region))


def _farthest(outlines: Iterable[Outline], known: Sequence[np.ndarray], region: np.ndarray, most: int) -> list[Outline]:
    left, found, known_there = list(outlines), list[Outline](), [mask[region] for mask in known]
    while left and len(found) < most:
        away = [min(_distance(outline.mask[region], mask) for mask in known_there) for outline in left]
        best = int(np.argmax(away))
        if away[best] <= SAME:
            break
        found.append(left.pop(best))
        known_there.append(found[-1].mask[region])
    return found


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    """Their Dice distance, 0 where so few voxels differ that nobody would tell them apart."""
    few = np.count_nonzero(first != second) < LEAST_SHARE * first.size
    return 0.0 if few else dice_distance(first, second)


def _choices(
    outlines: Sequence[Outline],
    box: Box,
    rim: Rim,
    lesion: np.ndarray,
    voxel_mm3: float,
    settled: np.ndarray | None = None,
) -> tuple[Choice, ...]:
    """settled: bool of the box, voxels that no outline changes."""
    where = rim.where if settled is None else rim.where & ~settled
    found = []
    for outline in outlines:
        taken = np.where(where, rim.blended(outline.mask), lesion)
        change = np.count_nonzero(taken) - np.count_nonzero(lesion)
        found.append(Choice(box, where, taken, outline.source, outline.share, float(change * voxel_mm3)))
    return tuple(found)
