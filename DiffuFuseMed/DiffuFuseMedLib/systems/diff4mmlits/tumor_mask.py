"""Where a synthetic tumor lies, and its outline y: an ellipsoid, elastically deformed (Diff4MMLiTS, III.B).

Sizes and depths are those of the training patients; it lies in soft tissue, neither in bone nor in air, and not on what
was drawn in the case already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy import ndimage

from ...core.errors import input_error
from ...core.grid import Grid
from ...core.triples import triple
from ...preprocessing.rois.shapes import dilated, largest, pasted
from .tumor_statistics import Drawn

DEPTH_SPREAD_MM = 8.0  # how far from the drawn depth a place is looked for
APART_MM = 15.0  # from what is drawn in the case
WAVE, STRENGTH = 0.45, 0.12  # of the deformation: its length and its size, of the mean semi-axis
KEPT = 0.85  # of the ellipsoid's volume that must lie in soft tissue
TRIES, SMALLER = 60, 0.95
Index = tuple[int, int, int]


class DrawsTumors(Protocol):
    """Sizes, depths and appearances, one tumor at a time."""

    def draw(self, rng: np.random.Generator) -> Drawn: ...


@dataclass(frozen=True)
class Room:
    """soft: bool [k, j, i] on `grid`, where a tumor may be; depth_mm: float32 of each voxel below the skin; near: bool,
    what is too near a lesion that is drawn, None where nothing is."""

    grid: Grid
    soft: np.ndarray
    depth_mm: np.ndarray
    near: np.ndarray | None = None

    def why_not(self, center_kji: Index) -> str:
        """Why no tumor can have its middle there, within a sentence; empty where one can."""
        if not all(0 <= at < n for at, n in zip(center_kji, self.soft.shape, strict=True)):
            return "outside of the images"
        if self.near is not None and self.near[center_kji]:
            return f"within {APART_MM:g} mm of a lesion that is there already"
        return "" if self.soft[center_kji] else "that is no soft tissue, or not seen by every image"


@dataclass(frozen=True)
class TumorMask:
    """mask: bool [k, j, i]; drawn: what it was drawn from; center_kji: of the ellipsoid, in voxels."""

    mask: np.ndarray
    drawn: Drawn
    center_kji: Index


def room_of(grid: Grid, soft: np.ndarray, inside: np.ndarray, drawn: np.ndarray | None = None) -> Room:
    """soft, inside: bool [k, j, i], soft tissue and the body; drawn: a lesion that is there already."""
    depth = np.stack([ndimage.distance_transform_edt(x, sampling=grid.spacing_kji_mm[1:]) for x in inside])
    near = None
    if drawn is not None and drawn.any():
        near = dilated(drawn, APART_MM, grid.spacing_kji_mm)
        soft = soft & ~near
    return Room(grid, soft, depth.astype(np.float32), near)


def draw_mask(
    room: Room,
    statistics: DrawsTumors,
    rng: np.random.Generator,
    tell: Callable[[], None] = lambda: None,
    smallest_mm: float | None = None,
    center_kji: Index | None = None,
) -> TumorMask:
    """A tumor's mask; what does not fit where it fell is drawn again. tell: called at every try, and may raise to stop;
    smallest_mm: where it is told, the second half of the tries are smaller and smaller, down to this longest semi-axis;
    center_kji: the voxel of its middle, drawn where None. Raises InputError where nothing fits, and says why not there.
    """
    if center_kji is not None and (why := room.why_not(center_kji)):
        raise input_error(f"a place {why}", "soft tissue for the middle of a tumor", "choose another place")
    for number in range(TRIES):
        tell()
        drawn = _shrunk(statistics.draw(rng), SMALLER ** max(0, number - TRIES // 2), smallest_mm)
        center = center_kji or _center(room, drawn.depth_mm, rng)
        if center is None:
            break
        box, ellipsoid = _deformed(room.grid, center, drawn.semi_axes_mm, rng)
        inside = largest(ellipsoid & room.soft[box])
        if inside.sum() * room.grid.voxel_mm3 >= KEPT * 4 / 3 * np.pi * np.prod(drawn.semi_axes_mm):
            return TumorMask(pasted(inside, box, room.soft.shape), drawn, center)
    if center_kji is not None:
        given = "a place at which a tumor of this size reaches into bone, air, a lesion or the images' edge"
        raise input_error(given, "soft tissue all around", "choose a smaller one, or another place")
    raise input_error(
        "a case in which no tumor of a training patient's size fits",
        "enough soft tissue, such as of a thigh",
        "choose another case, or one that shows more of the body",
    )


def _shrunk(drawn: Drawn, factor: float, smallest_mm: float | None) -> Drawn:
    """Its axes times the factor, the longest no shorter than smallest_mm; as it is without that."""
    if smallest_mm is None:
        return drawn
    factor = max(factor, min(1.0, smallest_mm / drawn.semi_axes_mm[0]))
    return replace(drawn, semi_axes_mm=triple(factor * a for a in drawn.semi_axes_mm))


def _center(room: Room, depth_mm: float, rng: np.random.Generator) -> Index | None:
    """A voxel of soft tissue about as deep as that, or as near to it as there is one."""
    where = np.flatnonzero(room.soft)
    if not where.size:
        return None
    off = np.abs(room.depth_mm.reshape(-1)[where] - depth_mm)
    weight = np.exp(-0.5 * np.square((off - off.min()) / DEPTH_SPREAD_MM))
    k, j, i = np.unravel_index(rng.choice(where, p=weight / weight.sum()), room.soft.shape)
    return int(k), int(j), int(i)


def _deformed(
    grid: Grid, center: Index, semi_axes_mm: tuple[float, float, float], rng: np.random.Generator
) -> tuple[tuple[slice, ...], np.ndarray]:
    """(box, bool [k, j, i] in it): the ellipsoid, turned at random and deformed by a smooth field."""
    spacing = np.array(grid.spacing_kji_mm)
    reach = np.ceil(1.5 * semi_axes_mm[0] / spacing).astype(int)
    start = np.maximum(np.array(center) - reach, 0)
    stop = np.minimum(np.array(center) + reach + 1, grid.shape)
    shape = tuple(int(n) for n in stop - start)
    points = np.moveaxis(np.indices(shape), 0, -1) + (start - np.array(center))
    points = points * spacing + _field(shape, spacing, float(np.mean(semi_axes_mm)), rng)
    turned = points @ _rotation(rng) / np.array(semi_axes_mm)
    box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    return box, np.square(turned).sum(axis=-1) <= 1


def _field(shape: tuple[int, ...], spacing: np.ndarray, radius_mm: float, rng: np.random.Generator) -> np.ndarray:
    """(*shape, 3) in mm: noise smoothed over WAVE of the radius, with a standard deviation of STRENGTH of it."""
    coarse = np.maximum(np.round(WAVE * radius_mm / 2 / spacing), 1).astype(int)  # smooth noise needs few points
    small = tuple(int(-(-n // c)) + 2 for n, c in zip(shape, coarse, strict=True))
    parts = []
    for _ in range(3):
        noise = ndimage.gaussian_filter(rng.standard_normal(small), WAVE * radius_mm / (coarse * spacing))
        noise *= STRENGTH * radius_mm / max(float(noise.std()), 1e-9)
        part = ndimage.zoom(noise, coarse, order=1, grid_mode=True, mode="nearest")
        parts.append(part[tuple(slice(n) for n in shape)])
    return np.stack(parts, axis=-1).astype(np.float32)


def _rotation(rng: np.random.Generator) -> np.ndarray:
    """3 x 3, evenly over all rotations."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    return q * np.sign(np.diag(r))
