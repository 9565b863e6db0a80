"""Where the MR ends: its share of the fused picture falls to nothing toward the edge of its field of view.

Beyond the edge there is no MR, which is missing and not dark: the picture there is the CT's. Were the MR's part cut off
at the edge, the cut would be a border in the picture that the patient does not have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

from ...core.planes import PLANES
from ...core.triples import triple
from ...systems.clin_fusediff import Components

BLEND_MM = 4.0  # over which the MR gives way to the CT
COARSE_MM = 3.0  # finer than this nobody sees where a blend begins


@dataclass(frozen=True)
class MrShare:
    """coarse: float32 0..1, every steps[axis]-th voxel of a volume of `shape`: 0 beyond the MR's field of view and at
    its edge, 1 from there on inside where BLEND_MM are over."""

    coarse: np.ndarray
    steps: tuple[int, int, int]
    shape: tuple[int, int, int]

    def slices(self, plane: str, indices: list[int]) -> Tensor:
        """(n, 1, H, W) of slices."""
        axis = PLANES[plane]
        size = tuple(n for a, n in enumerate(self.shape) if a != axis)
        steps = [n for a, n in enumerate(self.steps) if a != axis]
        planes = torch.from_numpy(np.stack([self._between(axis, i / self.steps[axis]) for i in indices]))[:, None]
        spanned = [step * (n - 1) + 1 for step, n in zip(steps, planes.shape[-2:], strict=True)]
        fine = F.interpolate(planes, size=spanned, mode="bilinear", align_corners=True)
        rest = [n - s for n, s in zip(size, spanned, strict=True)]
        return F.pad(fine, (0, rest[1], 0, rest[0]), mode="replicate") if any(rest) else fine

    def _between(self, axis: int, at: float) -> np.ndarray:
        """The plane between two coarse ones."""
        low = min(int(at), self.coarse.shape[axis] - 1)
        high = min(low + 1, self.coarse.shape[axis] - 1)
        first, second = (np.take(self.coarse, n, axis=axis) for n in (low, high))
        return (first + np.float32(at - low) * (second - first)).astype(np.float32)


def mr_share(valid: np.ndarray, spacing_mm: tuple[float, float, float]) -> MrShare | None:
    """valid: bool [k, j, i], where the MR has voxels; None where it has them all."""
    if valid.all():
        return None
    steps = triple(max(1, int(COARSE_MM / s)) for s in spacing_mm)
    some = valid[tuple(slice(None, None, n) for n in steps)]
    sides_mm = [n * s for n, s in zip(steps, spacing_mm, strict=True)]
    # the last voxel of an axis that the MR has is one step from the edge, and has no share yet
    inside_mm = np.full(some.shape, 2 * BLEND_MM) if some.all() else distance_transform_edt(some, sampling=sides_mm)
    t = np.clip((inside_mm - min(sides_mm)) / BLEND_MM, 0, 1).astype(np.float32)
    return MrShare(t * t * (3 - 2 * t), steps, triple(valid.shape))


def blended(parts: Components, ct: Tensor, share: Tensor) -> Components:
    """Every form of the picture, the CT where the MR has no share; ct, share: (n, 1, H, W)."""
    forms = {name: ct + share * (getattr(parts, name) - ct) for name in ("neutral", "soft", "bone")}
    return Components(**{**vars(parts), **forms})
