"""The Normal CT Generator (III.A): an inpainter of Fourier convolutions that fills a hole in all modalities at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...networks.config import Count, Share, config_from
from ...networks.fourier_convolution import FourierResidualBlock, ReflectedConv, normed
from ...networks.inputs import stacked

Images = dict[str, Tensor]


@dataclass(frozen=True)
class InpainterConfig:
    """channels: at full resolution, and after each halving; global_share: of the channels that go through the
    spectrum; spacing_mm: of a pixel, along j and i; window_px: the least that is seen around a hole."""

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    channels: tuple[int, ...] = (20, 40, 80)
    blocks: Count = 6
    global_share: Share = 0.75
    spacing_mm: float = 2.0
    window_px: int = 96
    spatial_dims: int = 2

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> InpainterConfig:
        return config_from(cls, values)


class Inpainter(nn.Module):
    """f_theta: x' = stack(x * known, hole) -> x-hat. Every modality's intensity and valid mask are beside each other,
    an absent one is zeros with an empty mask."""

    config_type = InpainterConfig

    def __init__(self, config: InpainterConfig) -> None:
        super().__init__()
        self.config = config
        first, count = config.channels[0], len(config.modalities)
        down = [normed(ReflectedConv(a, b, stride=2), b) for a, b in pairwise(config.channels)]
        middle = [FourierResidualBlock(config.channels[-1], config.global_share) for _ in range(config.blocks)]
        up = [_widened(a, b) for a, b in pairwise(config.channels[::-1])]
        self.layers = nn.Sequential(
            normed(ReflectedConv(2 * count + 1, first), first),
            *down,
            *middle,
            *up,
            nn.ReflectionPad2d(1),
            nn.Conv2d(first, count, 3),
        )

    @property
    def stride(self) -> tuple[int, int]:
        """Height and width of a window are multiples of it."""
        return (2 ** (len(self.config.channels) - 1),) * 2

    def fill(self, images: Images, hole: Tensor) -> Tensor:
        """What may have been there, everywhere, (B, modalities, H, W). images: (B, 2, H, W) each, intensity in the
        units of scales.py and valid; hole: (B, 1, H, W), 1 where nothing is known."""
        known = stacked(images, self.config.modalities) * (1 - hole)
        return self.layers(torch.cat([known, hole], dim=1)).float()

    def inpaint(self, images: Images, hole: Tensor) -> Images:
        """By present modality (B, 1, H, W): the image as it is where it is known, filled in where it is not."""
        filled = self.fill(images, hole)
        order = {m: i for i, m in enumerate(self.config.modalities)}
        return {m: torch.where(hole > 0, filled[:, order[m], None], images[m][:, :1]) for m in order if m in images}

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Predicted peak memory of one pass over so many pixels, float32."""
        return 4 * voxels * 6 * self.config.channels[0] + 4 * sum(p.numel() for p in self.parameters())


class _Doubled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="nearest")


def _widened(in_channels: int, out_channels: int) -> nn.Sequential:
    """Twice as high and wide: no transposed convolution, whose checkerboard shows in smooth tissue."""
    return nn.Sequential(_Doubled(), normed(ReflectedConv(in_channels, out_channels), out_channels))
