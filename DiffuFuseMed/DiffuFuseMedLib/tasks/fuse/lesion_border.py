"""The lesion's border as a smooth distance, and the accent that gamma puts along it.

A mask ends at the edge of a voxel; the lesion does not. What acts on gray values is therefore the signed distance to
the mask's border, smoothed over a few voxels: its zero lies between the voxels, and the accent is zero there, rises to
both sides and dies away, so that no step of the mask can be seen in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, gaussian_filter
from torch import Tensor

from ...core.planes import PLANES
from ...systems.clin_fusediff import Components
from ...systems.clin_fusediff.student import LARGEST_ACCENT, border_contrast

SMOOTH_VOXELS = 1.5  # a staircase of the mask is two or three voxels long
REACH_VOXELS = 4.0  # of the finest side, to either side of the border: beyond, nothing is accented
AROUND = 12  # voxels round the lesion, in which the distance is known
GAIN = 0.6  # of the local difference: with all of it, a second contour stands beside the border
PEAK = 25 * 5**0.5 / 16  # makes the profile's highest value 1


@dataclass(frozen=True)
class LesionBorder:
    """distance: float32, signed, as a share of the reach, positive inside; known in `box` of an image of `shape`, which
    may be a volume [k, j, i] or a picture [row, column]."""

    box: tuple[slice, ...]
    distance: np.ndarray
    shape: tuple[int, ...]

    def picture(self) -> Tensor:
        """(1, 1, H, W) of a picture."""
        return torch.from_numpy(_pasted(self.distance, self.box, self.shape))[None, None]

    def slices(self, plane: str, indices: list[int]) -> Tensor | None:
        """(n, 1, H, W) of slices of a volume; None where the lesion is far from all of them."""
        axis = PLANES[plane]
        inner: list[slice | int] = [slice(None)] * 3
        size, box = _without(self.shape, axis), _without(self.box, axis)
        found = np.full((len(indices), *size), -1, np.float32)
        near = [(n, index - self.box[axis].start) for n, index in enumerate(indices) if _in(self.box[axis], index)]
        for n, index in near:
            inner[axis] = index
            found[n][box] = self.distance[tuple(inner)]
        return torch.from_numpy(found[:, None]) if (found > -1).any() else None


def border_of(lesion: np.ndarray, spacing_mm: tuple[float, ...]) -> LesionBorder | None:
    """The border of a mask, bool, whose axes have these spacings; None where there is no lesion."""
    if not lesion.any():
        return None
    box = tuple(_around(lesion, axis) for axis in range(lesion.ndim))
    mask, finest = lesion[box], min(spacing_mm)
    inside, outside = (_distance_mm(m, spacing_mm) for m in (mask, ~mask))
    signed = np.where(mask, inside - finest / 2, finest / 2 - outside)
    smooth = gaussian_filter(signed.astype(np.float32), SMOOTH_VOXELS, mode="nearest")
    return LesionBorder(box, np.clip(smooth / (REACH_VOXELS * finest), -1, 1), lesion.shape)


def _distance_mm(mask: np.ndarray, spacing_mm: tuple[float, ...]) -> np.ndarray:
    """To the nearest voxel outside the mask; an image's edge is none."""
    if mask.all():
        return np.full(mask.shape, AROUND * max(spacing_mm), np.float32)
    return distance_transform_edt(mask, sampling=spacing_mm)


def profile(t: Tensor) -> Tensor:
    """How much of the accent is at a distance t, -1 to 1 of the reach: odd, 0 at the border and at both ends, at most
    1; smooth everywhere."""
    return PEAK * t * (1 - t.square()).square()


def accent(parts: Components, distance: Tensor) -> Tensor:
    """What gamma 1 adds, (n, 1, H, W), within LARGEST_ACCENT: the local difference between the border's two sides made
    larger, up on one side and down on the other; 0 where both sides look alike. distance: of LesionBorder."""
    whole = parts.picture(1.0, 1.0, 0.0)
    share = (0.5 + REACH_VOXELS * distance).clamp(0, 1)  # of a pixel that lies inside
    step = GAIN * border_contrast(whole, share)
    return profile(distance) * step.clamp(-LARGEST_ACCENT, LARGEST_ACCENT)


def _around(lesion: np.ndarray, axis: int) -> slice:
    there = np.flatnonzero(lesion.any(axis=tuple(a for a in range(lesion.ndim) if a != axis)))
    return slice(max(0, int(there[0]) - AROUND), min(lesion.shape[axis], int(there[-1]) + 1 + AROUND))


def _in(box: slice, index: int) -> bool:
    return box.start <= index < box.stop


def _without(values: tuple, axis: int) -> tuple:
    return tuple(v for a, v in enumerate(values) if a != axis)


def _pasted(part: np.ndarray, box: tuple[slice, ...], shape: tuple[int, ...]) -> np.ndarray:
    whole = np.full(shape, -1, np.float32)
    whole[box] = part
    return whole
