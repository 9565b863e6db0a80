"""A pyramid of latents, each level's normals told by the coarser levels' draws: PHiSeg's prior and posterior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

from ...networks import PyramidEncoder
from ...networks.encoder import residual_blocks
from ...networks.precision import exact

LARGEST_LOG = 8.0  # of a variance, and of 1 / variance


@dataclass(frozen=True)
class Level:
    """Of one level: mean and log_variance, (B, D, *space), and the draw z that the finer levels are told."""

    mean: Tensor
    log_variance: Tensor
    z: Tensor


class Hierarchy(nn.Module):
    """Images, and for the posterior a mask beside them -> levels, finest first: eq. (1), (2) of the paper."""

    def __init__(self, spatial_dims: int, in_channels: int, channels: Sequence[int], latents: int) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        self.encoder = PyramidEncoder(spatial_dims, in_channels, channels, (1,) * len(channels))
        coarser = [latents] * (len(channels) - 1) + [0]
        self.hear = nn.ModuleList([conv(c + z, c, 3, padding=1) for c, z in zip(channels, coarser, strict=True)])
        self.blocks = nn.ModuleList([residual_blocks(spatial_dims, c, 1) for c in channels])
        self.normals = nn.ModuleList([conv(c, 2 * latents, 1) for c in channels])

    def forward(self, x: Tensor, choose: Callable[[int, Tensor, Tensor], Tensor]) -> list[Level]:
        """choose(level, mean, log_variance) -> z: a draw of the level's own, or that of another net."""
        maps = self.encoder(x)
        made: list[Level] = []
        for level in reversed(range(len(maps))):
            seen = maps[level]
            if made:
                above = F.interpolate(made[-1].z, seen.shape[2:])
                seen = torch.cat([seen, above.to(seen.dtype)], dim=1)
            made.append(self._level(level, exact(seen), choose))
        return made[::-1]

    def _level(self, level: int, seen: Tensor, choose: Callable[[int, Tensor, Tensor], Tensor]) -> Level:
        with torch.autocast(seen.device.type, enabled=False):  # grids of a few positions: bfloat16 is not exact there
            said = self.normals[level](self.blocks[level](self.hear[level](seen.float())))
        mean, log_variance = said.chunk(2, dim=1)
        log_variance = LARGEST_LOG * torch.tanh(log_variance / LARGEST_LOG)
        return Level(mean, log_variance, choose(level, mean, log_variance))
