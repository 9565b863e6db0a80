"""Lesions that take up less tracer than the patient's own: PET that says little, as of many a low-grade sarcoma.

Of the training patients a few have faint lesions; a network that has seen hardly any takes a lesion for what is hot.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .corruptions import network_units_of, suv_of, uniform

GAP, RING = 7, 11  # voxels across: what is near the lesion, and how far what lies around it reaches
RIM = 5  # voxels across: what uptake of the lesion reaches by the scanner's point spread
LEAST = 0.1  # of its uptake is left anywhere, or a lesion would be flat
COARSE = (2, 3, 3)  # of the field by which parts of one lesion differ


def fainter(pet: Tensor, lesion: Tensor, generator: torch.Generator) -> Tensor:
    """(2, K, J, I), PET in network units and valid, with the uptake of the lesion, (K, J, I) in 0..1, between its own
    and that of its surroundings: another share of it everywhere, smooth from part to part.

    What takes up less than the surroundings stays, and so does a window without a lesion or without surroundings.
    """
    inside = (lesion > 0.5).float()[None, None]
    valid = pet[1] >= 0.5
    around = (_grown(inside, RING) - _grown(inside, GAP))[0, 0].bool() & valid
    if not inside.any() or not around.any():
        return pet
    suv = suv_of(pet[0] / pet[1].clamp(min=0.5))
    above = (suv - suv[around].median()).clamp(min=0)
    lost = _soft(_grown(inside, RIM))[0, 0] * (1 - _kept(lesion.shape, generator))
    taken = lost * above
    image = torch.where(taken > 0, network_units_of(suv - taken) * pet[1], pet[0])  # else to the last bit
    return torch.stack([image, pet[1]])


def _kept(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """(K, J, I), LEAST to 1: the share of its uptake that is left to each voxel."""
    parts = F.interpolate(torch.rand((1, 1, *COARSE), generator=generator), shape, mode="trilinear")[0, 0]
    level, unlike = uniform(0, 1, generator), uniform(0, 1, generator)
    return (level + unlike * (2 * parts - 1)).clamp(LEAST, 1)


def _grown(mask: Tensor, across: int) -> Tensor:
    """(1, 1, K, J, I) dilated by a box of so many voxels; a window of one slice in its plane alone."""
    return F.max_pool3d(mask, *_box(mask, across))


def _soft(mask: Tensor) -> Tensor:
    """As a scanner's point spread would have its rim."""
    return F.avg_pool3d(mask, *_box(mask, 3))


def _box(mask: Tensor, across: int) -> tuple[list[int], int, list[int]]:
    sides = [across if n > 1 else 1 for n in mask.shape[2:]]
    return sides, 1, [side // 2 for side in sides]
