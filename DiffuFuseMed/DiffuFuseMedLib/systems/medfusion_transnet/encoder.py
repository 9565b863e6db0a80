"""The hierarchical encoder of one modality, (7) and (10): convolutions, normalisation, ReLU; max pooling in between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from monai.networks.blocks.convolutions import Convolution
from monai.networks.layers.factories import Pool
from torch import Tensor, nn

from ...networks.precision import exact, exact_if_tiny
from .config import CHANNELS_A_GROUP


def convolved(spatial_dims: int, in_channels: int, out_channels: int, kernel: int = 3) -> Convolution:
    """ReLU(norm(Conv(x))) of (7), as large as x.

    Group normalisation in place of the paper's batch normalisation, whose statistics of two windows are noise. Groups
    of eight channels, not of one: how bright a window is, a group of one would divide out.
    """
    norm, shape = ("group", {"num_groups": out_channels // CHANNELS_A_GROUP}), (spatial_dims, in_channels, out_channels)
    return Convolution(*shape, kernel_size=kernel, norm=norm, act="RELU", adn_ordering="NA")


class Encoder(nn.Module):
    """(B, in_channels, *space) -> E_1, ..., E_L: (B, channels[l], *space / 2^l), finest first, l from 0."""

    def __init__(self, spatial_dims: int, in_channels: int, channels: Sequence[int], convs: Sequence[int]) -> None:
        super().__init__()
        self.pool = Pool[Pool.MAX, spatial_dims](2)
        self.levels = nn.ModuleList()
        for (before, after), count in zip(pairwise((in_channels, *channels)), convs, strict=True):
            more = [convolved(spatial_dims, after, after) for _ in range(count - 1)]
            self.levels.append(nn.Sequential(convolved(spatial_dims, before, after), *more))

    def forward(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = []
        for level in self.levels:
            x = exact(self.pool(x) if maps else x)
            with exact_if_tiny(x):
                x = level(x)
            maps.append(x)
        return maps
