"""The "masked Mamba encoder-decoder" that Figure 1 names and no line of the text tells of: ours, an interpretation.

A selective state-space model (A. Gu and T. Dao, Mamba, 2023) in plain PyTorch, along every axis of the deepest map,
both ways. In training some positions are hidden; the decoder has to tell them, as in a masked autoencoder (K. He et
al., 2022).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def scan(decay: Tensor, added: Tensor) -> Tensor:
    """h_t = decay_t h_(t-1) + added_t with h_0 = 0, along the second axis of (B, L, ...), in log2 L steps.

    Exact and without overflow: only products of decays, which are within 0..1, are ever taken.
    """
    step = 1
    while step < added.shape[1]:
        added = torch.cat([added[:, :step], added[:, step:] + decay[:, step:] * added[:, :-step]], dim=1)
        decay = torch.cat([decay[:, :step], decay[:, step:] * decay[:, :-step]], dim=1)
        step *= 2
    return added


class SelectiveScan(nn.Module):
    """The recurrence of a state-space model whose step, input and output depend on the token: (B, L, d) -> (B, L, d).

    h_t = exp(-delta_t a) h_(t-1) + delta_t b_t x_t, y_t = c_t h_t + D x_t; delta, b and c are linear in the token.
    """

    def __init__(self, channels: int, states: int) -> None:
        super().__init__()
        self.step = nn.Linear(channels, channels)
        self.inward, self.outward = (nn.Linear(channels, states, bias=False) for _ in range(2))
        self.log_rate = nn.Parameter(torch.arange(1.0, states + 1).log().repeat(channels, 1))
        self.direct = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        step = F.softplus(self.step(x) - 2)[..., None]  # short at first: a long memory
        decay = torch.exp(-step * self.log_rate.exp())
        states = scan(decay, step * self.inward(x)[:, :, None] * x[..., None])
        return (states * self.outward(x)[:, :, None]).sum(dim=-1) + self.direct * x


class MambaBlock(nn.Module):
    """(B, C, *space) -> the same: scanned along each axis first to last and last to first, gated, added."""

    def __init__(self, channels: int, states: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.enter, self.leave = nn.Linear(channels, 2 * channels), nn.Linear(channels, channels)
        self.scans = SelectiveScan(channels, states)

    def forward(self, x: Tensor) -> Tensor:
        tokens, gate = self.enter(self.norm(x.movedim(1, -1))).chunk(2, dim=-1)
        told = torch.stack([self._along(axis, tokens) for axis in range(1, x.ndim - 1)]).mean(dim=0)
        return x + self.leave(told * F.silu(gate)).movedim(-1, 1)

    def _along(self, axis: int, tokens: Tensor) -> Tensor:
        """tokens: (B, *space, d); the whole map is one sequence that runs along this axis first."""
        order = tokens.movedim(axis, -2)
        sequence = F.silu(order.flatten(1, -2))
        both = self.scans(torch.cat([sequence, sequence.flip(1)]))
        forth, back = both.chunk(2)
        return (forth + back.flip(1)).reshape_as(order).movedim(-2, axis)


class MaskedMamba(nn.Module):
    """An encoder block and a decoder block on the deepest map; a learned token stands where a position is hidden."""

    def __init__(self, channels: int, states: int) -> None:
        super().__init__()
        self.encoder, self.decoder = MambaBlock(channels, states), MambaBlock(channels, states)
        self.hidden = nn.Parameter(0.02 * torch.randn(channels))

    def forward(self, x: Tensor, hide: Tensor | None = None) -> Tensor:
        """x: (B, C, *space); hide: (B, 1, *space) bool -> (B, C, *space)."""
        x = x.float()
        with torch.autocast(x.device.type, enabled=False):  # small differences of long products
            return self.decoder(self.encoder(x if hide is None else torch.where(hide, _everywhere(self.hidden, x), x)))

    @staticmethod
    def wrong(made: Tensor, x: Tensor, hide: Tensor) -> Tensor:
        """How wrong the decoder's map is where the encoder saw nothing: a mean of squares, a scalar."""
        wrong = ((made - x.detach().float()) ** 2).mean(dim=1, keepdim=True)
        return (wrong * hide).sum() / hide.sum().clamp(min=1)


def drawn_to_hide(x: Tensor, share: float, generator: torch.Generator | None) -> Tensor:
    """(B, 1, *space) bool for x (B, C, *space): each position is hidden with this chance."""
    return (torch.rand((x.shape[0], 1, *x.shape[2:]), generator=generator) < share).to(x.device)


def _everywhere(token: Tensor, like: Tensor) -> Tensor:
    return token.view(1, -1, *[1] * (like.ndim - 2)).expand_as(like)
