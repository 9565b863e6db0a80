"""3D U-Net (Ö. Çiçek et al., MICCAI 2016, Figure 2): channels double before each pooling, and an up-convolution keeps
them, so that no layer is a bottleneck. Group in place of batch normalisation; convolutions are padded.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from monai.networks.blocks import Convolution
from monai.networks.layers.factories import Conv, Pool
from torch import Tensor, nn

from ...losses.plain import PlainSegmenter
from .config import Config

LEVELS = 4
GROUPS = 8


def two_convolutions(spatial_dims: int, channels: tuple[int, int, int]) -> nn.Sequential:
    """(B, channels[0], *space) -> (B, channels[2], *space)."""
    norm = ("group", {"num_groups": GROUPS})
    pairs = pairwise(channels)
    return nn.Sequential(*[Convolution(spatial_dims, a, b, norm=norm, act="relu", adn_ordering="NA") for a, b in pairs])


class Network(nn.Module):
    """(B, in_channels, *space) -> logits (B, classes, *space)."""

    def __init__(self, spatial_dims: int, in_channels: int, classes: int, base: int) -> None:
        super().__init__()
        conv, transposed = Conv[Conv.CONV, spatial_dims], Conv[Conv.CONVTRANS, spatial_dims]
        wide = [base * 2 ** (level + 1) for level in range(LEVELS)]
        before = (in_channels, *wide)
        self.pool = Pool[Pool.MAX, spatial_dims](2)
        self.down = nn.ModuleList([two_convolutions(spatial_dims, (a, b // 2, b)) for a, b in pairwise(before)])
        self.up = nn.ModuleList([transposed(b, b, 2, 2, bias=False) for b in wide[1:]])
        self.join = nn.ModuleList([two_convolutions(spatial_dims, (a + b, a, a)) for a, b in pairwise(wide)])
        self.head = conv(wide[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        *skips, x = self._maps(x)
        for up, join, skip in zip(reversed(self.up), reversed(self.join), reversed(skips), strict=True):
            x = join(torch.cat([skip, up(x)], dim=1))
        return self.head(x)

    def _maps(self, x: Tensor) -> Iterator[Tensor]:
        for level, convolutions in enumerate(self.down):
            x = convolutions(x if level == 0 else self.pool(x))
            yield x


class UNet3D(PlainSegmenter):
    """The segmenter; in two dimensions the same network of slices."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        c = config
        super().__init__(c, Network(c.spatial_dims, 2 * len(c.modalities), c.classes, c.base))

    @property
    def stride(self) -> tuple[int, ...]:
        """Three halvings along each axis."""
        return (2 ** (LEVELS - 1),) * self.config.spatial_dims

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass, in float32: at the finest join 6 base channels beside each other, the skip and what comes
        out of them."""
        c = self.config
        return self.bytes_with(voxels, 2 * len(c.modalities) + 14 * c.base)
