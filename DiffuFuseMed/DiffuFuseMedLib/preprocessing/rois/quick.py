"""Rois of a large volume within seconds, from some of its voxels: for the first pictures, until the exact ones come."""

from __future__ import annotations

from math import prod

import numpy as np

from ...core.case import Case
from ...core.rois import NAMES, Rois
from ...core.triples import triple
from .automatic import automatic_rois
from .stack import is_stack_of_pictures

LARGE_VOXELS = 20_000_000  # automatic_rois takes longer than anybody likes to wait
THINNED_VOXELS = 10_000_000
MOST_STEP = 16


def takes_long(case: Case) -> bool:
    """Whether automatic_rois takes long, and goes by lengths in mm, so that fewer voxels say nearly the same."""
    if prod(case.grid.shape) <= LARGE_VOXELS or "CT" not in case.modalities:
        return False
    return not is_stack_of_pictures(case.volumes["CT"].array, case.valid["CT"])


def quick_rois(case: Case) -> Rois:
    """automatic_rois of every nth voxel, as nearly cubic as they can be taken, laid over the case's grid: borders are
    off by up to half of such a step."""
    steps = _steps(case)
    rough = automatic_rois(case.thinned(steps))
    soft, bone, lesion, inside = (_spread(getattr(rough, name), steps, case.grid.shape) for name in NAMES)
    source = {name: f"{text}, from one voxel in {' x '.join(map(str, steps))}" for name, text in rough.source.items()}
    return Rois(soft, bone, lesion, inside, rough.region, source)


def _steps(case: Case) -> tuple[int, int, int]:
    """By axis (k, j, i): as many voxels as make one of the same width everywhere, and few enough of these."""
    spacing_mm, shape = np.array(case.grid.spacing_kji_mm), np.array(case.grid.shape)
    for times in range(1, MOST_STEP + 1):
        steps = np.maximum(1, np.floor(times * spacing_mm.min() / spacing_mm)).astype(int)
        if np.prod(-(-shape // steps)) <= THINNED_VOXELS:
            break
    return triple(int(n) for n in steps)


def _spread(mask: np.ndarray, steps: tuple[int, int, int], shape: tuple[int, int, int]) -> np.ndarray:
    """Each voxel as the nearest one that was taken."""
    for axis, (step, count) in enumerate(zip(steps, shape, strict=True)):
        nearest = np.minimum((np.arange(count) + step // 2) // step, mask.shape[axis] - 1)
        mask = mask.take(nearest, axis)
    return mask
