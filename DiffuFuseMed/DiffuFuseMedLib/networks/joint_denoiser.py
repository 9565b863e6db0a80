"""A denoiser of the latents of all modalities at once, each at a time of its own, DiffuFuseMed eq. (8).

A modality that is absent, or that is not to be believed, is one at the last time: pure noise. What it would have shown
is then denoised from the others, as every conditional of a joint distribution is (F. Bao et al., One transformer fits
all distributions in multi-modal diffusion at scale, ICML 2023). A small U-Net, since a modality is told from the others
by what lies around, and not by a voxel of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

from .embeddings import TimeEmbedding
from .encoder import norm
from .precision import exact, exact_if_tiny

CONDITION_CHANNELS = 64


class FilmBlock(nn.Module):
    """A residual block whose second normalisation is scaled and shifted by a condition, (B, CONDITION_CHANNELS)."""

    def __init__(self, spatial_dims: int, channels: int) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        self.norms = nn.ModuleList([norm(channels), norm(channels)])
        self.convs = nn.ModuleList([conv(channels, channels, 3, padding=1) for _ in range(2)])
        self.film = nn.Linear(CONDITION_CHANNELS, 2 * channels)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        hidden = self.convs[0](F.silu(self.norms[0](x)))
        film = self.film(condition)
        scale, shift = film.view(*film.shape, *[1] * (x.ndim - 2)).chunk(2, dim=1)
        return x + self.convs[1](F.silu(self.norms[1](hidden) * (1 + scale) + shift))


class JointDenoiser(nn.Module):
    """(Z_t of every modality, a time of each, what is known from coarser levels) -> v of every modality.

    v is predicted (T. Salimans and J. Ho, 2022): the output is zero at first, which scales Z_t by sqrt(abar_t): the
    best that can be done without looking at it.
    """

    def __init__(
        self, spatial_dims: int, modalities: Sequence[str], latents: int, context: int, hidden: tuple[int, int]
    ) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        fine, coarse = hidden
        width = len(modalities) * latents
        self.modalities = tuple(modalities)
        self.times = nn.ModuleDict({m: TimeEmbedding(CONDITION_CHANNELS) for m in modalities})
        self.enter = conv(width + context, fine, 3, padding=1)
        self.down = conv(fine, coarse, 3, 2, 1)
        self.blocks = nn.ModuleList([FilmBlock(spatial_dims, n) for n in (fine, coarse, coarse, fine)])
        self.merge = conv(fine + coarse, fine, 1)
        self.leave = conv(fine, width, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(self, noisy: dict[str, Tensor], shares: dict[str, Tensor], context: Tensor | None) -> dict[str, Tensor]:
        """noisy: (B, latents, *space) by modality, all of them; shares: t / T, (B,) by modality; context:
        (B, context, *space) or None."""
        condition = F.silu(torch.stack([self.times[m](shares[m]) for m in self.modalities]).float().sum(dim=0))
        joint = [noisy[m] for m in self.modalities]
        given = exact(torch.cat(joint if context is None else [*joint, context], dim=1))
        first, second, third, last = self.blocks
        with exact_if_tiny(given):
            x = first(self.enter(given), condition)
            deep = exact(self.down(x))
            with exact_if_tiny(deep):
                deep = third(second(deep, condition), condition)
            x = last(self.merge(torch.cat([x, F.interpolate(deep, x.shape[2:]).to(x.dtype)], dim=1)), condition)
            v = self.leave(F.silu(x))
        return dict(zip(self.modalities, v.chunk(len(self.modalities), dim=1), strict=True))
