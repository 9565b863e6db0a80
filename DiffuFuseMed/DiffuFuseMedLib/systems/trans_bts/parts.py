"""The encoder and decoder of TransBTS, Figure 1 of the paper. Group normalisation in both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from monai.networks.blocks import Convolution
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from ...networks.encoder import GROUPS, residual_blocks

BLOCKS = (1, 2, 2, 4)  # at strides 1, 2, 4, 8


class Encoder(nn.Module):
    """(B, in_channels, *space) -> maps at strides 1, 2, 4, 8, finest first; widths: their channels."""

    def __init__(self, spatial_dims: int, in_channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        self.first = conv(in_channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList([nn.Identity(), *(conv(a, b, 3, 2, 1) for a, b in pairwise(widths))])
        self.blocks = nn.ModuleList([residual_blocks(spatial_dims, w, n) for w, n in zip(widths, BLOCKS, strict=True)])

    def forward(self, x: Tensor) -> Iterator[Tensor]:
        x = self.first(x)
        for down, blocks in zip(self.down, self.blocks, strict=True):
            x = blocks(down(x))
            yield x


class Convolutions(nn.Module):
    """Twice convolution, normalisation, ReLU; what came in is added where it has as many channels."""

    def __init__(self, spatial_dims: int, in_channels: int, channels: int) -> None:
        super().__init__()
        norm, self.adds = ("group", {"num_groups": GROUPS}), in_channels == channels
        pairs = ((in_channels, channels), (channels, channels))
        self.layers = nn.Sequential(
            *[Convolution(spatial_dims, a, b, norm=norm, act="relu", adn_ordering="NA") for a, b in pairs]
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.adds else self.layers(x)


class Up(nn.Module):
    """(B, channels[1], *space) and the encoder's map at twice the size -> (B, channels[0], *twice)."""

    def __init__(self, spatial_dims: int, channels: tuple[int, int]) -> None:
        super().__init__()
        fine, coarse = channels
        conv, transposed = Conv[Conv.CONV, spatial_dims], Conv[Conv.CONVTRANS, spatial_dims]
        self.larger = nn.Sequential(conv(coarse, fine, 1), transposed(fine, fine, 2, 2))
        self.join = conv(2 * fine, fine, 1)
        self.convolutions = Convolutions(spatial_dims, fine, fine)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.convolutions(self.join(torch.cat([skip, self.larger(x)], dim=1)))
