"""Where a region lies, in words: on, in or beside the lesion, and on which side of its center, as the patient has it.

Directions come from LPS coordinates, so an oblique image gets the same words as a straight one.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..core.grid import Grid

BORDER_MM = 5.0  # a region whose voxels are on average this near the border, on either side, is on it
CENTRAL = 0.25  # of the way from the center to the border: nearer than this there is no side
SECOND_WORD = 0.6  # of the strongest direction: a weaker one is not said
WHOLE = 0.8  # of a lesion inside one region: the region is about whether it is a lesion at all
SIDES = {2: ("lower", "upper"), 1: ("anterior", "posterior"), 0: ("right", "left")}  # of S, P and L, as they are said
HALF_AXIS = 5**0.5  # half axis of a full ellipsoid over the standard deviation along it


class Landmarks:
    """The lesion's parts with their centers and half axes; lesion: bool [k, j, i] on grid, a part of the grid `image`
    that holds the whole lesion, or the part of it that is near, with more of it elsewhere."""

    def __init__(self, lesion: np.ndarray, grid: Grid, image: Grid, elsewhere: bool = False) -> None:
        self._grid, self._image, self._elsewhere = grid, image, elsewhere
        self._ellipsoids: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._parts, self.count = ndimage.label(lesion, np.ones((3, 3, 3), bool))
        if not self.count:
            return
        outside_mm, nearest = ndimage.distance_transform_edt(~lesion, grid.spacing_kji_mm, return_indices=True)
        inside_mm = ndimage.distance_transform_edt(lesion, grid.spacing_kji_mm)
        self._depth_mm = (inside_mm - outside_mm).astype(np.float32)
        self._nearest = self._parts[tuple(nearest)]
        self._size = np.bincount(self._parts.ravel())

    def place(self, voxels_kji: np.ndarray) -> str:
        """Words for a region of these voxels, (n, 3)."""
        at = tuple(voxels_kji.T)
        center = self._lps(voxels_kji).mean(axis=0)
        if not self.count:
            what = "far from the lesion" if self._elsewhere else "no lesion called"
            return _joined(what, _side(center, *_box(self._image)))
        part = int(np.bincount(self._nearest[at]).argmax())
        if np.count_nonzero(self._parts[at] == part) >= WHOLE * self._size[part]:
            return self._whole(center)
        side = _side(center, *self._ellipsoid_of(part))
        depth_mm = float(self._depth_mm[at].mean())
        if abs(depth_mm) > BORDER_MM:
            return _joined("inside" if depth_mm > 0 else "outside", side)
        return "central border" if side == "central" else f"{side} border"

    def _whole(self, center: np.ndarray) -> str:
        if self.count == 1 and not self._elsewhere:
            return "whole lesion"
        return _joined(
            "whole separate part", _side(center, *_ellipsoid(self._lps(np.argwhere(self._parts)), self._grid))
        )

    def _ellipsoid_of(self, part: int) -> tuple[np.ndarray, np.ndarray]:
        """Found once for all regions of a part."""
        if part not in self._ellipsoids:
            self._ellipsoids[part] = _ellipsoid(self._lps(np.argwhere(self._parts == part)), self._grid)
        return self._ellipsoids[part]

    def _lps(self, voxels_kji: np.ndarray) -> np.ndarray:
        return self._grid.to_physical(voxels_kji[:, ::-1].astype(float))


def _box(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Center and half axes along L, P and S of what the image fills."""
    last = np.array(grid.size) - 1.0
    half_ijk = np.reshape(grid.direction, (3, 3)) * np.array(grid.extent_mm) / 2
    return grid.to_physical(last / 2), np.abs(half_ijk).sum(axis=1)


def _ellipsoid(points_lps: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Center and half axes along L, P and S of what the points fill; no half axis is under a voxel."""
    return points_lps.mean(axis=0), np.maximum(HALF_AXIS * points_lps.std(axis=0), max(grid.spacing_mm))


def _side(point: np.ndarray, center: np.ndarray, half_axes_mm: np.ndarray) -> str:
    """At most two words, such as "upper left"; "central" near the center."""
    share = (point - center) / half_axes_mm
    strong = np.abs(share).max()
    if strong < CENTRAL:
        return "central"
    said = sorted(range(3), key=lambda axis: -abs(share[axis]))[:2]
    said = [axis for axis in SIDES if axis in said and abs(share[axis]) >= SECOND_WORD * strong]
    return " ".join(SIDES[axis][int(share[axis] > 0)] for axis in said)


def _joined(what: str, side: str) -> str:
    return f"{what}, {side}"
