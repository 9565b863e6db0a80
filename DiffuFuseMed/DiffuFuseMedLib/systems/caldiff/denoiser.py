"""The U-Net of CalDiff in two parts: what is known of the images, and the denoiser that is asked at every step.

The paper concatenates image and noisy mask at every step. Here the images go through their own part once, whatever the
number of steps and samples, and its maps are concatenated with those of the noisy mask.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv
from monai.networks.utils import pixelshuffle, pixelunshuffle
from torch import Tensor, nn
from torch.nn import functional as F

from ...networks import TimeEmbedding
from ...networks.decoder import StepsUp
from ...networks.encoder import norm
from ...networks.joint_denoiser import CONDITION_CHANNELS, FilmBlock
from ...networks.precision import exact, exact_if_tiny


class ImageTrunk(StepsUp):
    """Maps of the images at strides 2, 4, 8, 16, finest first -> maps at strides 2, 4, 8 that know what lies around."""

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        x, told = maps[-1], []
        for level in reversed(range(len(maps) - 1)):
            joint = exact(self.joined(level, x, maps[level]))
            with exact_if_tiny(joint):
                x = self.refined(level, joint)
            told.append(x)
        return told[::-1]


class MaskDenoiser(nn.Module):
    """(noisy mask, time, maps of the images at strides 2, 4, 8) -> what it says of the clean mask, and the variance.

    The mask enters and leaves with the voxels below a position of stride 2 as channels: a step touches nothing at full
    size. The output is zero at first.
    """

    def __init__(self, spatial_dims: int, told: Sequence[int], hidden: tuple[int, int, int]) -> None:
        super().__init__()
        conv, below = Conv[Conv.CONV, spatial_dims], 2**spatial_dims
        fine, middle, deep = hidden
        self.time = TimeEmbedding(CONDITION_CHANNELS)
        self.enter = conv(below + told[0], fine, 3, padding=1)
        self.down = nn.ModuleList([conv(fine, middle, 3, 2, 1), conv(middle, deep, 3, 2, 1)])
        self.hear = nn.ModuleList([conv(middle + told[1], middle, 1), conv(deep + told[2], deep, 1)])
        self.blocks = nn.ModuleList([FilmBlock(spatial_dims, n) for n in (middle, deep, deep, middle, fine)])
        self.up = nn.ModuleList([conv(deep, middle, 1), conv(middle, fine, 1)])
        self.merge = nn.ModuleList([conv(2 * middle, middle, 1), conv(2 * fine, fine, 1)])
        self.norm = norm(fine)
        self.leave = conv(fine, 2 * below, 1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(self, noisy: Tensor, share: Tensor, told: Sequence[Tensor]) -> Tensor:
        """noisy: (B, 1, *space); share: t / T, (B,); told: ImageTrunk's -> (B, 2, *space)."""
        condition = F.silu(self.time(share).float())
        axes = noisy.ndim - 2
        given = exact(torch.cat([pixelunshuffle(noisy, axes, 2), told[0].to(noisy.dtype)], dim=1))
        with exact_if_tiny(given):
            fine = self.enter(given)
            middle = self.blocks[0](self._shrunk(0, fine, told[1]), condition)
            deep = self._deep(middle, told[2], condition)
            middle = self.blocks[3](self._merged(0, middle, deep), condition)
            fine = self.blocks[4](self._merged(1, fine, middle), condition)
            return pixelshuffle(self.leave(F.silu(self.norm(fine))), axes, 2)

    def _deep(self, middle: Tensor, told: Tensor, condition: Tensor) -> Tensor:
        joint = exact(self._shrunk(1, middle, told))
        with exact_if_tiny(joint):
            return self.blocks[2](self.blocks[1](joint, condition), condition)

    def _shrunk(self, level: int, x: Tensor, told: Tensor) -> Tensor:
        return self.hear[level](torch.cat([down := self.down[level](x), told.to(down.dtype)], dim=1))

    def _merged(self, level: int, fine: Tensor, coarse: Tensor) -> Tensor:
        up = F.interpolate(self.up[level](coarse), fine.shape[2:])
        return self.merge[level](torch.cat([fine, up.to(fine.dtype)], dim=1))
