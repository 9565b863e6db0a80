"""Latents of unit size by what is usual in training, not by what one window holds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MOMENTUM = 0.02


class Standardise(nn.Module):
    """(x - mean) / deviation per channel, both followed over training.

    Statistics of the window itself would whiten away how bright and how varied it is. mean and deviation are parameters
    that nothing descends: a moving average of the weights takes them along.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(channels), requires_grad=False)
        self.deviation = nn.Parameter(torch.ones(channels), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, *space), standardised."""
        shape = (1, -1, *[1] * (x.ndim - 2))
        mean, deviation = (p.to(x.dtype).view(shape) for p in (self.mean, self.deviation))
        return (x - mean) / deviation.clamp(min=1e-3)

    @torch.no_grad()
    def follow(self, x: Tensor) -> None:
        """Let mean and deviation follow what this batch has, (B, channels, *space)."""
        values = x.detach().float().transpose(0, 1).flatten(1)
        self.mean.lerp_(values.mean(dim=1), MOMENTUM)
        self.deviation.lerp_(values.std(dim=1), MOMENTUM)
