"""Contextual attention, (12)-(15) and Figure 2: MSC looks at several resolutions, CFA makes an attention map of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

from ...networks.precision import exact, exact_if_tiny
from .pooling import averaged


class MultiScaleContext(nn.Module):
    """MSC: (B, C, *space) -> the same shape, a sum of what 3 x 3 convolutions, each of one channel, see of the map
    averaged over 1, 2, 4, ... positions along each axis."""

    def __init__(self, spatial_dims: int, channels: int, resolutions: Sequence[int]) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        self.resolutions = tuple(resolutions)
        self.look = nn.ModuleList([conv(channels, channels, 3, padding=1, groups=channels) for _ in resolutions])

    def forward(self, x: Tensor) -> Tensor:
        seen = []
        for times, look in zip(self.resolutions, self.look, strict=True):
            coarse = exact(averaged(x, [max(1, n // times) for n in x.shape[2:]]))
            with exact_if_tiny(coarse):
                seen.append(F.interpolate(look(coarse), x.shape[2:]).to(x.dtype))
        return torch.stack(seen).sum(dim=0)


class ContextualAttention(nn.Module):
    """CFA on MSC: F -> F_out = alpha A F + (1 - alpha) F, all (B, C, *space).

    A = sigmoid of the sum of MLP(GlobalPool(F)), (12), of the same MLP on F averaged along each axis by itself, (14),
    and of the local refinement, a 1 x 1 convolution of MSC's map.
    """

    def __init__(self, spatial_dims: int, channels: int, resolutions: Sequence[int], reduction: int) -> None:
        super().__init__()
        conv, hidden = Conv[Conv.CONV, spatial_dims], max(1, channels // reduction)
        self.mlp = nn.Sequential(conv(channels, hidden, 1), nn.ReLU(), conv(hidden, channels, 1))
        self.context = MultiScaleContext(spatial_dims, channels, resolutions)
        self.refine = conv(channels, channels, 1)
        self.balance = nn.Parameter(torch.zeros(()))

    @property
    def alpha(self) -> Tensor:
        """Of (15), in 0..1, one half at first; a scalar."""
        return self.balance.sigmoid()

    def attention(self, x: Tensor) -> Tensor:
        """A of (12) and (14), (B, C, *space) of 0..1."""
        axes = range(2, x.ndim)
        pools = [x.mean(dim=tuple(axes), keepdim=True), *(x.mean(dim=axis, keepdim=True) for axis in axes)]
        scores = self.refine(self.context(x))
        for pool in pools:
            scores = scores + self.mlp(pool)
        return scores.sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        alpha = self.alpha.to(x.dtype)
        return alpha * (self.attention(x) * x) + (1 - alpha) * x
