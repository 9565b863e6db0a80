"""Transformer fusion, (39) and (40): one sequence of tokens of every present modality and of the coarsest levels.

Attention between modalities and attention between scales are the same attention here: every token asks every other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

from ...networks import window_position
from .pooling import seen_average

Maps = Mapping[str, Tensor]


class SelfAttention(nn.Module):
    """softmax(Q K^T / sqrt(d_k)) V of (40), with Q, K and V of (39); (B, N, d) -> (B, N, d)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(channels, channels) for _ in range(4))

    def forward(self, x: Tensor, heard: Tensor) -> Tensor:
        """heard: (B, N) bool, whose keys count."""
        q, k, v = (f(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for f in (self.q, self.k, self.v))
        if q.device.type == "cpu":  # as in networks/cross_modal.py
            q, k, v = q.float(), k.float(), v.float()
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=heard[:, None, None])
        return self.out(attended.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Self-attention and an MLP, each normalised before and added."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(channels) for _ in range(2)])
        self.attention = SelfAttention(channels, heads)
        self.mlp = nn.Sequential(nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels))

    def forward(self, x: Tensor, heard: Tensor) -> Tensor:
        """x: (B, N, d); heard: (B, N) bool."""
        x = x + self.attention(self.norms[0](x), heard)
        return x + self.mlp(self.norms[1](x))


class TransformerFusion(nn.Module):
    """Maps of some levels by present modality -> the same maps, each with what its tokens heard from all others added.

    A map of more than `grid` positions along an axis is averaged to that many tokens, over what its modality saw alone;
    a token of which nothing was seen is not heard.
    """

    def __init__(
        self,
        spatial_dims: int,
        modalities: Sequence[str],
        levels: Sequence[int],
        channels: int,
        heads: int,
        blocks: int,
        grid: int,
    ) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        self.grid = grid
        self.enter = nn.ModuleList([conv(c, channels, 1) for c in levels])
        self.leave = nn.ModuleList([conv(channels, c, 1) for c in levels])
        self.modality = nn.ParameterDict({m: nn.Parameter(0.02 * torch.randn(channels)) for m in modalities})
        self.level = nn.Parameter(0.02 * torch.randn(len(levels), channels))
        self.blocks = nn.ModuleList([Block(channels, heads) for _ in range(blocks)])
        self.norm = nn.LayerNorm(channels)

    def forward(self, levels: Sequence[Maps], seen: Sequence[Maps]) -> list[dict[str, Tensor]]:
        """levels: (B, C, *space) by modality of each level; seen: (B, 1, *space), the share that was in view."""
        tokens, shares = [], []
        for index, maps in enumerate(levels):
            for m, x in maps.items():
                token, share = self._tokens(index, m, x, seen[index][m])
                tokens.append(token)
                shares.append(share)
        said = self._attended([t.flatten(2).transpose(1, 2) for t in tokens], [s.flatten(1) > 0 for s in shares])
        heard = iter([s.transpose(1, 2).reshape_as(t) for s, t in zip(said, tokens, strict=True)])
        return [{m: self._added(index, x, next(heard)) for m, x in maps.items()} for index, maps in enumerate(levels)]

    def _tokens(self, index: int, modality: str, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """(B, d, *grid) and the share of each that was seen."""
        pooled, share = seen_average(x, seen.to(x.dtype), [min(n, self.grid) for n in x.shape[2:]])
        token = self.enter[index](pooled)
        who = (self.modality[modality] + self.level[index]).view(1, -1, *[1] * (x.ndim - 2))
        return token + who + window_position(token.shape[2:], token.shape[1]).to(token), share

    def _attended(self, tokens: list[Tensor], seen: list[Tensor]) -> tuple[Tensor, ...]:
        """tokens: (B, n, d), seen: (B, n) of each map."""
        x, heard = torch.cat(tokens, dim=1), torch.cat(seen, dim=1)
        heard = heard | ~heard.any(dim=1, keepdim=True)  # a window that nobody saw: a softmax of nothing is no number
        for block in self.blocks:
            x = block(x, heard)
        return self.norm(x).split([t.shape[1] for t in tokens], dim=1)

    def _added(self, index: int, x: Tensor, said: Tensor) -> Tensor:
        mode = "trilinear" if x.ndim == 5 else "bilinear"
        return x + F.interpolate(self.leave[index](said), x.shape[2:], mode=mode).to(x.dtype)
