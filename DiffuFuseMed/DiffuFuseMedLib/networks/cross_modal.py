"""DG-CMT: cross-modal attention with time and modality in the keys, DiffuFuseMed eq. (14)-(18), in near-linear cost.

Full attention over the M * N tokens of a level costs (M N)^2. Here a token attends, by the exact softmax of eq. (16),
to the tokens of all modalities in its own window of at most w^D positions and to one summary token per modality for
each cell of a coarse grid of at most g^D cells, the average of the tokens in it. The cost is
M N * M (w^D + g^D): linear in N. Every token still hears of the whole window, through the summaries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def window_shape(shape: Sequence[int], edge: int) -> tuple[int, ...]:
    """Per axis the largest divisor of the size that is at most `edge`: windows tile the level without padding."""
    return tuple(max(d for d in range(1, min(edge, n) + 1) if n % d == 0) for n in shape)


def to_windows(x: Tensor, window: Sequence[int]) -> Tensor:
    """(B, M, d, *space) -> (B, windows, M * prod(window), d)."""
    batch, modalities, channels, *space = x.shape
    split = [v for n, w in zip(space, window, strict=True) for v in (n // w, w)]
    x = x.reshape(batch, modalities, channels, *split)
    axes = len(space)
    outer, inner = [3 + 2 * a for a in range(axes)], [4 + 2 * a for a in range(axes)]
    x = x.permute(0, *outer, 1, *inner, 2)
    return x.reshape(batch, -1, modalities * math.prod(window), channels)


def from_windows(x: Tensor, window: Sequence[int], shape: Sequence[int]) -> Tensor:
    """The inverse of to_windows; shape: (B, M, d, *space)."""
    batch, modalities, channels, *space = shape
    counts = [n // w for n, w in zip(space, window, strict=True)]
    x = x.reshape(batch, *counts, modalities, *window, channels)
    axes = len(space)
    order = [axes + 1, 2 * axes + 2] + [v for a in range(axes) for v in (1 + a, axes + 2 + a)]
    return x.permute(0, *order).reshape(batch, modalities, channels, *space)


class CrossModalBlock(nn.Module):
    """One DG-CMT block on (B, M, d, *space); eq. (15)-(18)."""

    def __init__(self, channels: int, heads: int, window: int, summary: int) -> None:
        super().__init__()
        self.heads, self.window, self.summary = heads, window, summary
        self.q, self.k, self.v = (nn.Linear(channels, channels) for _ in range(3))
        self.out = nn.Linear(channels, channels)
        self.ffn = nn.Sequential(nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels))
        self.norm_attention, self.norm_ffn = nn.LayerNorm(channels), nn.LayerNorm(channels)

    def forward(self, fused: Tensor, key_bias: Tensor, query_bias: Tensor | None = None) -> Tensor:
        """key_bias: T + M of eq. (15), (B, M, d); query_bias: (B, d) to let T act, which in the keys alone it cannot:
        a number that is the same for all keys cancels in the softmax of (16)."""
        window = window_shape(fused.shape[3:], self.window)
        tokens = to_windows(fused, window)
        asking = tokens if query_bias is None else tokens + query_bias[:, None, None]
        attended = self._attend(asking, self._keys(fused, key_bias, tokens, window))
        tokens = self.norm_attention(tokens + attended)
        tokens = self.norm_ffn(tokens + self.ffn(tokens))
        return from_windows(tokens, window, fused.shape)

    def _keys(self, fused: Tensor, bias: Tensor, tokens: Tensor, window: Sequence[int]) -> tuple[Tensor, Tensor]:
        """What keys and values are made of, (B, windows, n, d) each: the window's tokens and the summaries."""
        batch, modalities = fused.shape[:2]
        summary = self._summaries(fused)
        per_window = bias.repeat_interleave(math.prod(window), dim=1).unsqueeze(1)
        per_summary = bias.repeat_interleave(summary.shape[1] // modalities, dim=1)
        spread = (batch, tokens.shape[1], *summary.shape[1:])
        keys = torch.cat([tokens + per_window, (summary + per_summary).unsqueeze(1).expand(spread)], dim=2)
        return keys, torch.cat([tokens, summary.unsqueeze(1).expand(spread)], dim=2)

    def _summaries(self, fused: Tensor) -> Tensor:
        """Average tokens of the coarse grid, (B, M * cells, d)."""
        batch, modalities, channels, *space = fused.shape
        cells = [n // w for n, w in zip(space, window_shape(space, self.summary), strict=True)]
        pool = F.avg_pool3d if len(space) == 3 else F.avg_pool2d
        pooled = pool(fused.flatten(0, 1), cells, cells).view(batch, modalities, channels, -1)
        return pooled.transpose(2, 3).reshape(batch, -1, channels)

    def _attend(self, tokens: Tensor, sources: tuple[Tensor, Tensor]) -> Tensor:
        q, k, v = (self._heads(f(x)) for f, x in zip((self.q, self.k, self.v), (tokens, *sources), strict=True))
        if q.device.type == "cpu":  # measured: on CPUs the bfloat16 kernel's backward pass is four times slower
            q, k, v = q.float(), k.float(), v.float()
        attended = F.scaled_dot_product_attention(q, k, v)
        return self.out(attended.transpose(1, 2).flatten(2)).view_as(tokens)

    def _heads(self, x: Tensor) -> Tensor:
        """(B, windows, n, d) -> (B * windows, heads, n, d / heads)."""
        return x.flatten(0, 1).unflatten(2, (self.heads, -1)).transpose(1, 2)
