"""Embeddings of position inside the window and of the diffusion time, DiffuFuseMed eq. (6) and 3.5.2."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from monai.networks.nets.diffusion_model_unet import get_timestep_embedding
from torch import Tensor, nn


def window_position(shape: Sequence[int], channels: int) -> Tensor:
    """Sine and cosine of each axis' index inside the window, (1, channels, *shape).

    Only the place inside the window is coded, never the place in the scan: a scan cut around its tumor would give the
    answer away by position alone. Channels left over by the division among axes and phases stay zero.
    """
    axes = len(shape)
    per_phase = channels // (2 * axes)
    table = torch.zeros(1, channels, *shape)
    frequencies = torch.exp(-math.log(100.0) * torch.arange(per_phase) / max(per_phase, 1))
    for axis, size in enumerate(shape):
        angle = torch.outer(frequencies, torch.arange(size).float())
        view = (per_phase, *[size if a == axis else 1 for a in range(axes)])
        first = 2 * axis * per_phase
        table[0, first : first + per_phase] = angle.sin().view(view)
        table[0, first + per_phase : first + 2 * per_phase] = angle.cos().view(view)
    return table


class TimeEmbedding(nn.Module):
    """gamma(t): sinusoid of the time as a fraction of the level's T, then an MLP, (B,) -> (B, channels)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.mlp = nn.Sequential(nn.Linear(channels, channels), nn.SiLU(), nn.Linear(channels, channels))

    def forward(self, fraction: Tensor) -> Tensor:
        return self.mlp(get_timestep_embedding(1000 * fraction, self.channels))
