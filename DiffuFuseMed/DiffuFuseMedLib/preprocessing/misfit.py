"""Whether an image lies where it should: mutual information as it lies against the best position nearby.

The measure is that of Maes et al. 1997 (doi:10.1109/42.563664) and Mattes et al. 2003 (as in register.py), of coarse
voxels drawn from the common field of view, so that more than a thousand positions take a fraction of a second. It finds
that something is wrong, and about how far; register_rigid() finds where the image belongs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
import SimpleITK as sitk

from ..core.case import Alignment, Case
from ..core.grid import Grid
from ..core.pose import Pose
from ..core.triples import triple
from ..core.volume import Volume
from .align import default_reference

COARSE_MM = 4.0
REACH_MM = 28.0
FIRST_STEP_MM = 8.0
TURN_DEGREES = 5.0
BINS = 24
MOST_POINTS = 20_000
FEWEST_POINTS = 1000
LEAST_COMMON = 0.5  # of the points that the images have in common as they lie
CLIPPED_PERCENT = (1, 99)
# From the 36 patients of STS, as they are and moved on purpose: docs/explanation/misfit.md has the table.
FAR_MM = 8.0
GAIN = 0.15
# A shift along the body loses little where slices look alike, so farther away less must be gained.
FARTHER_MM = 16.0
GAIN_FARTHER = 0.03

_Step = tuple[int, int, int]


@dataclass(frozen=True)
class Nearby:
    """The best position of the moving image nearby. move_mm: LPS, what would bring the image there; distance_mm: the
    root mean square of its points' ways, turn included; mutual_information: nats, as it lies and there."""

    move_mm: np.ndarray
    turned: bool
    distance_mm: float
    mutual_information: tuple[float, float]

    @property
    def gain(self) -> float:
        """By what share the mutual information grows there."""
        here, there = self.mutual_information
        return (there - here) / max(here, 1e-6)

    @property
    def is_misfit(self) -> bool:
        """Whether a reader should hear of it."""
        farther = self.distance_mm >= FARTHER_MM and self.gain >= GAIN_FARTHER
        return farther or (self.distance_mm >= FAR_MM and self.gain >= GAIN)


def with_misfits(case: Case) -> Case:
    """The case with Alignment.misfit of every image beside the reference: one sentence, empty where it fits or where
    too little is in common to say."""
    there = [key for key in case.modalities if key in case.alignment or key == case.reference]
    if len(there) < 2:
        return case
    reference = case.reference if case.reference in there else default_reference({k: case.volumes[k] for k in there})
    fixed = _coarse(case, reference)
    judged = {key: _judged(case, key, reference, fixed) for key in there if key != reference}
    return replace(case, alignment={**case.alignment, **judged})


def nearby(fixed: Volume, moving: Volume, valid: tuple[np.ndarray, np.ndarray]) -> Nearby | None:
    """The best position nearby of two images on one grid; None with too little in common. valid: bool [k, j, i] of
    both. The same images give the same answer."""
    search = _Search(fixed.grid, *(_binned(v.array, inside) for v, inside in zip((fixed, moving), valid, strict=True)))
    return search.best() if len(search.points) >= FEWEST_POINTS else None


def _judged(case: Case, key: str, reference: str, fixed: tuple[Volume, np.ndarray]) -> Alignment:
    moving = _coarse(case, key)
    found = nearby(fixed[0], moving[0], (fixed[1], moving[1]))
    sentence = _sentence(found, key, reference) if found and found.is_misfit else ""
    return replace(case.alignment[key], misfit=sentence)


def _sentence(found: Nearby, key: str, reference: str) -> str:
    here, there = found.mutual_information
    where = Pose(*np.round(found.move_mm).tolist()).words() + ", turned" * found.turned
    return (
        f"{key} does not seem to lie on {reference}: it would fit better about {found.distance_mm:.0f} mm away "
        f"({where}; mutual information {here:.2f} nats as it lies, {there:.2f} there). Compare the two by eye, "
        f"then register {key} or move it by hand."
    )


def _coarse(case: Case, key: str) -> tuple[Volume, np.ndarray]:
    """An image of the case in voxels of about COARSE_MM, means of the valid ones, and where at least half are."""
    volume, valid = case.volumes[key], case.valid[key]
    factors = [max(1, round(COARSE_MM / mm)) for mm in case.grid.spacing_mm]
    factors = [min(factor, size) for factor, size in zip(factors, case.grid.size, strict=True)]
    weight = valid.astype(np.float32)
    value = np.where(valid, volume.array, 0).astype(np.float32, copy=False)
    sums, shares = (sitk.BinShrink(Volume(array, case.grid).to_sitk(), factors) for array in (value, weight))
    share = sitk.GetArrayFromImage(shares)
    means = sitk.GetArrayFromImage(sums) / np.maximum(share, 1e-6)
    return Volume(means, Grid.of(shares), key), share >= 0.5


def _binned(array: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """int16 [k, j, i]: 0 to BINS - 1 between the percentiles of the valid voxels, BINS where there is nothing."""
    if not valid.any():
        return np.full(array.shape, BINS, np.int16)
    low, high = np.percentile(array[valid], CLIPPED_PERCENT)
    scaled = (array - low) / max(high - low, 1e-6) * BINS
    return np.where(valid, np.clip(scaled, 0, BINS - 1), BINS).astype(np.int16)


@dataclass
class _Search:
    """fixed, moving: of _binned(), on one grid."""

    grid: Grid
    fixed: np.ndarray
    moving: np.ndarray

    @cached_property
    def points(self) -> np.ndarray:
        """Indices (n, 3) in the order k, j, i of the voxels that both images know, evenly thinned out."""
        common = np.argwhere((self.fixed < BINS) & (self.moving < BINS))
        return common[:: -(-len(common) // MOST_POINTS) or 1]

    @cached_property
    def values(self) -> np.ndarray:
        """What the fixed image has at the points, as the row of a joint histogram."""
        return self.fixed[tuple(self.points.T)].astype(np.int64) * (BINS + 1)

    def best(self) -> Nearby:
        still = self.points.astype(np.int64)
        here = self.score(still, (0, 0, 0))
        first = max(((self.score(still, step), step) for step in self._steps()), key=lambda found: found[0])
        score, step = self._climbed(still, *first)
        turned: np.ndarray | None = None
        for candidate in self._turns():
            start = self.score(candidate, step)
            other = self._climbed(candidate, start, step) if start > score - abs(here) * GAIN else (start, step)
            if other[0] > score:
                (score, step), turned = other, candidate
        return self._nearby(step, turned, here, score)

    def score(self, points: np.ndarray, step: _Step) -> float:
        """Mutual information where fixed points lie on moving ones, `step` voxels (k, j, i) beside; -inf where too few
        do."""
        there = points + step
        inside = np.all((there >= 0) & (there < np.array(self.moving.shape)), axis=1)
        k, j, i = np.where(inside[:, None], there, 0).T
        columns = np.where(inside, self.moving[k, j, i], BINS)
        joint = np.bincount(self.values + columns, minlength=BINS * (BINS + 1)).reshape(BINS, BINS + 1)[:, :BINS]
        return _information(joint) if joint.sum() >= LEAST_COMMON * len(points) else -np.inf

    def _reach(self) -> np.ndarray:
        return np.floor(REACH_MM / np.array(self.grid.spacing_kji_mm)).astype(int)

    def _steps(self) -> list[_Step]:
        """Those of the first look, FIRST_STEP_MM apart."""
        axes = []
        for reach, mm in zip(self._reach(), self.grid.spacing_kji_mm, strict=True):
            apart = max(1, round(FIRST_STEP_MM / mm))
            axes.append([n * apart for n in range(-(reach // apart), reach // apart + 1)])
        return [triple(step) for step in product(*axes)]

    def _climbed(self, points: np.ndarray, score: float, step: _Step) -> tuple[float, _Step]:
        """From there to the neighbor that fits better, until none does."""
        while True:
            around = [triple(np.add(step, d).tolist()) for d in product((-1, 0, 1), repeat=3) if any(d)]
            near = [s for s in around if (np.abs(s) <= self._reach()).all()]
            best = max(((self.score(points, s), s) for s in near), key=lambda found: found[0], default=(score, step))
            if best[0] <= score:
                return score, step
            score, step = best

    def _turns(self) -> list[np.ndarray]:
        """The points turned about their middle, either way about each axis, on the nearest voxels."""
        mm = np.array(self.grid.spacing_kji_mm)
        middle = self.points.mean(axis=0)
        turns = []
        for axis, sign in product(range(3), (-1, 1)):
            a, b = (n for n in range(3) if n != axis)
            turn, angle = np.eye(3), np.radians(sign * TURN_DEGREES)
            turn[a, a] = turn[b, b] = np.cos(angle)
            turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
            turns.append(np.rint(((self.points - middle) * mm) @ turn.T / mm + middle).astype(np.int64))
        return turns

    def _nearby(self, step: _Step, turned: np.ndarray | None, here: float, there: float) -> Nearby:
        mm = np.array(self.grid.spacing_kji_mm)
        ways = ((self.points if turned is None else turned) + step - self.points) * mm
        distance = float(np.sqrt((ways**2).sum(axis=1).mean()))
        # A fixed point has its like `step` further on in the moving image, which would have to come back by as much.
        move = -np.reshape(self.grid.direction, (3, 3)) @ (np.array(step) * mm)[::-1]
        return Nearby(move, turned is not None, distance, (here, there))


def _information(joint: np.ndarray) -> float:
    """Mutual information in nats of a joint histogram."""
    share = joint / joint.sum()
    independent = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    filled = share > 0
    return float((share[filled] * np.log(share[filled] / independent[filled])).sum())
