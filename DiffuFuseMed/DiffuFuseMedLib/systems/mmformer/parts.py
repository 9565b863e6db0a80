"""The convolutions of mmFormer: an encoder for each modality, a decoder of one modality, a decoder of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

GROUPS = 4
LEVELS = 5
SLOPE = 0.2


def pre_normed(spatial_dims: int, in_channels: int, channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Normalisation without weights, leaky ReLU, convolution. Statistics of groups: those of one channel do not exist
    where a map is one voxel."""
    conv = Conv[Conv.CONV, spatial_dims](in_channels, channels, kernel, stride, kernel // 2)
    return nn.Sequential(nn.GroupNorm(GROUPS, in_channels, affine=False), nn.LeakyReLU(SLOPE), conv)


class Encoder(nn.Module):
    """(B, in_channels, *space) -> maps at strides 1, 2, 4, 8, 16, finest first; widths: their channels."""

    def __init__(self, spatial_dims: int, in_channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        first = Conv[Conv.CONV, spatial_dims](in_channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList([first, *(pre_normed(spatial_dims, a, b, stride=2) for a, b in pairwise(widths))])
        self.blocks = nn.ModuleList(
            [nn.Sequential(*[pre_normed(spatial_dims, w, w) for _ in range(2)]) for w in widths]
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for down, blocks in zip(self.down, self.blocks, strict=True):
            x = down(x)
            x = x + blocks(x)
            maps.append(x)
        return maps


class StepUp(nn.Module):
    """(B, channels[1], *space) and a map of channels[0] at twice the size -> (B, channels[0], *twice)."""

    def __init__(self, spatial_dims: int, channels: tuple[int, int]) -> None:
        super().__init__()
        fine, coarse = channels
        self.mode = {2: "bilinear", 3: "trilinear"}[spatial_dims]
        self.reduce = pre_normed(spatial_dims, coarse, fine)
        joined = (pre_normed(spatial_dims, 2 * fine, fine), pre_normed(spatial_dims, fine, fine, kernel=1))
        self.join = nn.Sequential(*joined)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        larger = F.interpolate(x, skip.shape[2:], mode=self.mode, align_corners=True)
        return self.join(torch.cat([self.reduce(larger), skip], dim=1))


class Decoder(nn.Module):
    """Maps of one modality, finest first -> logits (B, classes, *space)."""

    def __init__(self, spatial_dims: int, widths: Sequence[int], classes: int) -> None:
        super().__init__()
        self.up = nn.ModuleList([StepUp(spatial_dims, pair) for pair in pairwise(widths)])
        self.head = Conv[Conv.CONV, spatial_dims](widths[0], classes, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        *skips, x = maps
        for up, skip in zip(reversed(self.up), reversed(skips), strict=True):
            x = up(x, skip)
        return self.head(x)


class FusingDecoder(nn.Module):
    """Maps of all modalities beside each other, (B, modalities x widths[l], *space), finest first -> logits
    (B, classes, *space), and those of each coarser level at its own size, coarsest first."""

    def __init__(self, spatial_dims: int, widths: Sequence[int], classes: int, modalities: int) -> None:
        super().__init__()
        self.fuse = nn.ModuleList([_fusion(spatial_dims, modalities * w, w) for w in widths])
        self.up = nn.ModuleList([StepUp(spatial_dims, pair) for pair in pairwise(widths)])
        self.heads = nn.ModuleList([Conv[Conv.CONV, spatial_dims](w, classes, 1) for w in widths])

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        *skips, x = [fuse(m) for fuse, m in zip(self.fuse, maps, strict=True)]
        said = [self.heads[-1](x)]
        for level in reversed(range(len(skips))):
            x = self.up[level](x, skips[level])
            said.append(self.heads[level](x))
        return said[-1], said[:-1]


def _fusion(spatial_dims: int, in_channels: int, channels: int) -> nn.Sequential:
    kernels = ((in_channels, channels, 1), (channels, channels, 3), (channels, channels, 1))
    return nn.Sequential(*[pre_normed(spatial_dims, a, b, kernel=k) for a, b, k in kernels])
