"""Multi-scale feature fusion, (16)-(19): parallel atrous convolutions, weighed by what they are worth, and 1 x 1."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from ...networks.precision import exact, exact_if_tiny
from .encoder import convolved


class MultiScaleFusion(nn.Module):
    """F, (B, C, *space) -> sum_r w_r AtrousConv_r(F), (18), of the same shape; w_r is learned and begins alike."""

    def __init__(self, spatial_dims: int, channels: int, rates: Sequence[int]) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        self.atrous = nn.ModuleList([conv(channels, channels, 3, padding=r, dilation=r) for r in rates])
        self.weights = nn.Parameter(torch.full((len(rates),), 1 / len(rates)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([w * conv(x) for w, conv in zip(self.weights, self.atrous, strict=True)]).sum(dim=0)


class Bottleneck(nn.Module):
    """F_fusion, or F itself where there are no rates, through a 1 x 1 convolution, (19): (B, out, *space)."""

    def __init__(self, spatial_dims: int, channels: int, out_channels: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.fusion = MultiScaleFusion(spatial_dims, channels, rates) if rates else None
        self.reduce = convolved(spatial_dims, channels, out_channels, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        x = exact(x)
        with exact_if_tiny(x):
            return self.reduce(x if self.fusion is None else self.fusion(x))
