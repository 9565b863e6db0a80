"""How another reader would have drawn a lesion: its border moved by a smooth field, as radiologists' borders differ.

The field is a bias of the reader, the same all over the lesion, and a part that changes along the surface. Both grow
with the lesion as a power of its radius; how fast the second changes is a share of the radius. A reader may also miss a
part. The numbers are fitted to all radiologists' masks of 1,844 lung nodules (LIDC-IDRI) by `scripts/fit_readers.py`;
for larger lesions they are an extrapolation. Whatever rests on this speaks of simulated readers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ReaderModel:
    """Standard deviations in mm of a lesion whose ball has a radius of 1 mm, what power of the radius they grow by, and
    the reach of the local part in radii: two points that are d apart move together by exp(-d^2 / (2 reach)^2).

    missed: the chance that a reader leaves out a part of the lesion beyond what the moved border does: a ball around a
    point of the border, of so many radii of the lesion (missed_radii). It was fitted to be none: a border that moves as
    radiologists' borders do leaves out parts as often as they do.
    """

    bias_mm: float = 0.304
    bias_power: float = 0.263
    local_mm: float = 0.351
    local_power: float = 0.373
    reach: float = 0.26
    missed: float = 0.0
    missed_radii: float = 0.6

    def deviations_mm(self, radius_mm: float) -> tuple[float, float]:
        """Standard deviation of the bias and of the local part."""
        return self.bias_mm * radius_mm**self.bias_power, self.local_mm * radius_mm**self.local_power

    def displacement_mm(
        self,
        shape: tuple[int, int, int],
        spacing_mm: tuple[float, float, float],
        radius_mm: float,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """(*shape) float32: how far outwards one simulated reader draws the border at each voxel."""
        bias, local = self.deviations_mm(radius_mm)
        field = smooth_field(shape, spacing_mm, max(self.reach * radius_mm, min(spacing_mm)), rng)
        return (bias * rng.standard_normal() + local * field).astype(np.float32)

    def draws(
        self,
        signed_mm: np.ndarray,
        spacing_mm: tuple[float, float, float],
        radius_mm: float,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """What one simulated reader draws, as a share of each voxel, float32 [k, j, i].

        signed_mm: distance to the drawn border, negative inside; radius_mm: of the ball with the lesion's volume.
        """
        moved = self.displacement_mm(signed_mm.shape, spacing_mm, radius_mm, rng)
        share = redrawn(signed_mm, moved, float(np.cbrt(np.prod(spacing_mm))))
        return share * ~self._missed_part(signed_mm, spacing_mm, radius_mm, rng)

    def _missed_part(
        self,
        signed_mm: np.ndarray,
        spacing_mm: tuple[float, float, float],
        radius_mm: float,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """bool [k, j, i]: a ball around a point of the border where this reader sees no lesion; mostly nothing."""
        border = np.argwhere(np.abs(signed_mm) < max(spacing_mm))
        if rng.random() >= self.missed or not len(border):
            return np.zeros(signed_mm.shape, bool)
        center = border[rng.integers(len(border))]
        axes = zip(signed_mm.shape, center, spacing_mm, strict=True)
        away = np.meshgrid(*((np.arange(n) - c) * step for n, c, step in axes), indexing="ij", sparse=True)
        return np.sqrt(sum(a**2 for a in away)) < self.missed_radii * radius_mm


def smooth_field(
    shape: tuple[int, ...], spacing_mm: tuple[float, ...], reach_mm: float, rng: np.random.Generator
) -> np.ndarray:
    """A Gaussian field of unit variance whose correlation at a distance d is exp(-d^2 / (2 reach)^2); (*shape)."""
    bases = [_basis(n, step, reach_mm) for n, step in zip(shape, spacing_mm, strict=True)]
    field = rng.standard_normal([basis.shape[1] for basis in bases])
    for basis in bases:
        field = np.tensordot(field, basis, axes=(0, 1))
    return field


def _basis(size: int, step_mm: float, reach_mm: float) -> np.ndarray:
    """(size, knots): bells of width reach_mm around knots as far apart, each row of unit length."""
    places = np.arange(size) * step_mm
    knots = np.arange(-3 * reach_mm, places[-1] + 3.5 * reach_mm, reach_mm)
    bells = np.exp(-((places[:, None] - knots) ** 2) / (2 * reach_mm**2))
    return bells / np.linalg.norm(bells, axis=1, keepdims=True)


def ball_radius_mm(volume_mm3: float) -> float:
    """Of the ball with this volume."""
    return float((3 * volume_mm3 / (4 * np.pi)) ** (1 / 3))


def redrawn(signed_mm: np.ndarray, displacement_mm: np.ndarray, step_mm: float) -> np.ndarray:
    """The moved lesion as a share of each voxel, float32; signed_mm: [k, j, i], distance to the drawn border, negative
    inside; step_mm: a voxel's edge, over which the share falls from 1 to 0."""
    return np.clip(0.5 - (signed_mm - displacement_mm) / step_mm, 0, 1).astype(np.float32)
