"""U-Net decoder over fused maps, DiffuFuseMed eq. (19)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from monai.networks.blocks import SubpixelUpsample, UpSample
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from .encoder import residual_blocks

FULL_RESOLUTION_CHANNELS = 8


class StepsUp(nn.Module):
    """The way up a pyramid, a step at a time: U_{l-1} = Up(U_l) || F_{l-1}, reduced by a 1 x 1 convolution.

    channels: of the maps, finest first.
    """

    def __init__(self, spatial_dims: int, channels: Sequence[int]) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        pairs = list(pairwise(channels))
        self.up = nn.ModuleList([UpSample(spatial_dims, b, a, 2, mode="nontrainable") for a, b in pairs])
        self.reduce = nn.ModuleList([conv(2 * a, a, 1) for a, _ in pairs])
        self.blocks = nn.ModuleList([residual_blocks(spatial_dims, a, 1) for a, _ in pairs])

    def joined(self, level: int, x: Tensor, skip: Tensor) -> Tensor:
        """x, (B, C, *space) of the next coarser level, at this one's size beside its own map -> (B, 2 c, *space)."""
        return torch.cat([self.up[level](x), skip], dim=1)

    def refined(self, level: int, joined: Tensor) -> Tensor:
        """(B, 2 c, *space) -> (B, c, *space)."""
        return self.blocks[level](self.reduce[level](joined))


class FusionDecoder(StepsUp):
    """Maps, finest first, -> logits (B, classes, *space) at twice the finest, coarser ones to train on.

    The last step up is sub-pixel convolution: a position of stride 2 says what each of its 2^D voxels is, at the price
    of one small convolution.

    full: channels at full size; skip: channels of a map at full size that is given beside the others, 0 for none; deep:
    whether there are coarser logits, [] without.
    """

    def __init__(
        self,
        spatial_dims: int,
        channels: Sequence[int],
        classes: int,
        full: int = FULL_RESOLUTION_CHANNELS,
        skip: int = 0,
        deep: bool = True,
    ) -> None:
        super().__init__(spatial_dims, channels)
        conv = Conv[Conv.CONV, spatial_dims]
        self.subpixel = SubpixelUpsample(spatial_dims, channels[0], full, 2, apply_pad_pool=False)
        self.smooth = nn.Sequential(nn.SiLU(), conv(full + skip, full, 3, padding=1))
        self.head = conv(full, classes, 1)
        self.coarse_heads = nn.ModuleList([conv(a, classes, 1) for a in channels[:-1]] if deep else [])

    def forward(self, fused: Sequence[Tensor], skip: Tensor | None = None) -> tuple[Tensor, list[Tensor]]:
        x, coarse = fused[-1], []
        for level in reversed(range(len(fused) - 1)):
            x = self.refined(level, self.joined(level, x, fused[level]))
            if self.coarse_heads:
                coarse.append(self.coarse_heads[level](x))
        fine = self.subpixel(x)
        fine = fine if skip is None else torch.cat([fine, skip], dim=1)
        return self.head(nn.functional.silu(self.smooth(fine))), coarse
