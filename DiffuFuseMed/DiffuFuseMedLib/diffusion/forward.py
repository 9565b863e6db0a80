"""The forward process q, DiffuFuseMed eq. (7): Z_t = sqrt(abar_t) Z + sqrt(1 - abar_t) eps."""

from __future__ import annotations

import torch
from torch import Tensor


def at_time(alphas_cumprod: Tensor, t: Tensor, like: Tensor) -> Tensor:
    """abar_t for each sample of the batch, shaped (B, 1, ..., 1) to broadcast over `like`; t: (B,) int."""
    return alphas_cumprod.to(like.device)[t].to(like.dtype).view(-1, *[1] * (like.ndim - 1))


def add_noise(clean: Tensor, noise: Tensor, alphas_cumprod: Tensor, t: Tensor) -> Tensor:
    """Eq. (7): draw Z_t from q(Z_t | Z); shapes (B, d, ...), t (B,)."""
    abar = at_time(alphas_cumprod, t, clean)
    return abar.sqrt() * clean + (1 - abar).sqrt() * noise


def gaussian_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal noise of the shape of x, drawn on the CPU in float32: one seed, one result on every device."""
    return torch.randn(x.shape, generator=generator, dtype=torch.float32).to(x.device, x.dtype)
