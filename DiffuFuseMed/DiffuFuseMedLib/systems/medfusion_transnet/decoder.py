"""The decoder, (8), (9) and (20): up by linear interpolation, beside the skip connection, convolved."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from monai.networks.blocks import UpSample
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from .encoder import convolved


class Decoder(nn.Module):
    """F_bottleneck and the skips, finest first -> logits (B, classes, *space) of the finest.

    channels: of the skips, finest first, and of the bottleneck last; skips: whether there are any to be had.
    """

    def __init__(self, spatial_dims: int, channels: Sequence[int], classes: int, skips: bool) -> None:
        super().__init__()
        pairs, sides = list(pairwise(channels)), 2 if skips else 1
        self.up = nn.ModuleList([UpSample(spatial_dims, b, a, 2, mode="nontrainable") for a, b in pairs])
        self.join = nn.ModuleList([convolved(spatial_dims, sides * a, a) for a, _ in pairs])
        self.head = Conv[Conv.CONV, spatial_dims](channels[0], classes, 1)

    def forward(self, x: Tensor, skips: Sequence[Tensor] | None = None) -> Tensor:
        """x: (B, C, *space / 2^L); skips: (B, channels[l], *space / 2^l), or None without."""
        for level in reversed(range(len(self.up))):
            x = self.up[level](x)
            x = self.join[level](x if skips is None else torch.cat([x, skips[level].to(x.dtype)], dim=1))
        return self.head(x)
