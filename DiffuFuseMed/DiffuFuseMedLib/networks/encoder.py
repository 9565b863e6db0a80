"""Modality encoder E_m: a convolutional stem at stride 2, then a pyramid, DiffuFuseMed eq. (4) and 3.6."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from monai.networks.blocks.segresnet_block import ResBlock
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from .precision import exact, exact_if_tiny

GROUPS = 8


def norm(channels: int) -> nn.GroupNorm:
    """Group normalisation: statistics per sample, so a batch of one (a single window) is no special case."""
    return nn.GroupNorm(GROUPS, channels)


def residual_blocks(spatial_dims: int, channels: int, count: int) -> nn.Sequential:
    kind = ("group", {"num_groups": GROUPS})
    return nn.Sequential(*[ResBlock(spatial_dims, channels, norm=kind) for _ in range(count)])


class PyramidEncoder(nn.Module):
    """(B, in_channels, *space) -> one map (B, channels[l], *space / 2^(l+1)) per level, finest first."""

    def __init__(self, spatial_dims: int, in_channels: int, channels: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        widths = (in_channels, *channels)
        self.down = nn.ModuleList([conv(a, b, 3, 2, 1) for a, b in pairwise(widths)])
        self.blocks = nn.ModuleList(
            [residual_blocks(spatial_dims, c, n) for c, n in zip(channels, blocks, strict=True)]
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for down, blocks in zip(self.down, self.blocks, strict=True):
            made = exact(down(x))
            with exact_if_tiny(made):
                x = blocks(made)
            maps.append(x)
        return maps
