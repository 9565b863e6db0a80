"""A transformer whose tokens are the positions of a map, as those that join a CNN and a transformer have it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from monai.networks.blocks import MLPBlock
from monai.networks.blocks.selfattention import SABlock
from torch import Tensor, nn
from torch.nn import functional as F


class Positions(nn.Module):
    """A learned code of every position of a grid; on a grid of another size the code of the nearest places between."""

    def __init__(self, grid: Sequence[int], channels: int) -> None:
        super().__init__()
        self.learned = nn.Parameter(torch.zeros(1, channels, *grid))

    def forward(self, space: Sequence[int]) -> Tensor:
        """(1, N, C) for the N positions of a map of this size."""
        code: Tensor = self.learned
        if tuple(code.shape[2:]) != tuple(space):
            mode = {2: "bilinear", 3: "trilinear"}[len(space)]
            code = F.interpolate(code, tuple(space), mode=mode, align_corners=False)
        return as_tokens(code)


class AttentionBlock(nn.Module):
    """Self-attention and an MLP, each normalised before and added after: (B, N, C) -> (B, N, C)."""

    def __init__(self, channels: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.before_attention, self.before_mlp = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = SABlock(channels, heads, use_flash_attention=True)
        self.mlp = MLPBlock(channels, hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.before_attention(x))
        return x + self.mlp(self.before_mlp(x))


def as_tokens(x: Tensor) -> Tensor:
    """(B, C, *space) -> (B, positions, C)."""
    return x.flatten(2).transpose(1, 2)


def as_map(x: Tensor, space: Sequence[int]) -> Tensor:
    """(B, positions, C) -> (B, C, *space); the positions are those of `space`."""
    assert x.shape[1] == prod(space)
    return x.transpose(1, 2).unflatten(2, tuple(space))
