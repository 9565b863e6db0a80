"""From a Case to what a network sees: normalised intensities and valid masks on the network's own spacing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..core.case import Case
from ..core.grid import Grid
from ..core.resampling import resample_smoothly
from ..preprocessing.intensity import normalise


def network_grid(grid: Grid, spacing_kji_mm: tuple[float, float, float]) -> Grid:
    """The Grid over the same box of space at the network's spacing."""
    return grid.with_spacing(spacing_kji_mm[::-1])


def network_images(case: Case, grid: Grid, modalities: tuple[str, ...]) -> dict[str, Tensor]:
    """Per modality that the case has and the network knows: (2, *grid.shape) float32, intensity and valid; of a picture
    in color (4, *grid.shape), red, green, blue and valid.

    Intensities are normalised on the case's own grid, where percentiles see every voxel, and then resampled.
    """
    return {m: _channels(case, m, grid) for m in modalities if m in case.volumes}


def stacked(images: Mapping[str, Tensor], modalities: Sequence[str]) -> Tensor:
    """Every modality's channels beside each other, (B, C, *space), in this order; an absent one is zeros with an empty
    mask. images: (B, 2, *space) each, intensity and valid, one of them at least."""
    first = next(iter(images.values()))
    return torch.cat([images.get(m, torch.zeros_like(first)) for m in modalities], dim=1)


def _channels(case: Case, modality: str, grid: Grid) -> Tensor:
    volume, valid = case.volumes[modality], case.valid[modality]
    normalised = normalise(volume, valid)
    parts = np.moveaxis(normalised, -1, 0) if volume.in_color else [normalised]
    weight = resample_smoothly(valid, case.grid, grid)
    inside = weight >= 0.5
    # normalised convolution: voxels beyond the field of view hold 0 and must not pull the rim towards it
    images = [resample_smoothly(part, case.grid, grid) / np.maximum(weight, 0.5) for part in parts]
    return torch.from_numpy(np.stack([*(np.where(inside, image, 0) for image in images), inside]).astype(np.float32))
