"""Samplers as functions: the reverse process from Z_t to Z_0. A denoiser maps (noisy, t) to (x0, eps)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from .forward import at_time, gaussian_like

Denoiser = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def ddim(
    denoiser: Denoiser,
    noisy: Tensor,
    times: Sequence[int],
    alphas_cumprod: Tensor,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Few-step DDIM (Song et al., 2021, eq. 12); eta 0 is deterministic. times fall to 0; noisy is Z at times[0].

    noisy: (B, d, *space); alphas_cumprod: (T,).
    """
    x = noisy
    for now, then in pairwise(times):
        t = torch.full((x.shape[0],), now, device=x.device)
        x0, eps = denoiser(x, t)
        abar_now, abar_then = at_time(alphas_cumprod, t, x), at_time(alphas_cumprod, torch.full_like(t, then), x)
        sigma = eta * ((1 - abar_then) / (1 - abar_now) * (1 - abar_now / abar_then)).clamp(min=0).sqrt()
        x = abar_then.sqrt() * x0 + (1 - abar_then - sigma**2).clamp(min=0).sqrt() * eps
        if eta > 0 and then > 0:
            x = x + sigma * gaussian_like(x, generator)
    return x


def ddim_step(x0: Tensor, noisy: Tensor, abar_now: Tensor, abar_then: Tensor) -> Tensor:
    """One deterministic step of ddim() from what Z_t was seen to hold; abar broadcasts over (B, d, *space)."""
    eps = (noisy - abar_now.sqrt() * x0) / (1 - abar_now).clamp(min=1e-6).sqrt()
    return abar_then.sqrt() * x0 + (1 - abar_then).sqrt() * eps


def ddpm_mean(noisy: Tensor, eps: Tensor, alphas_cumprod: Tensor, t: Tensor) -> Tensor:
    """Mean of the reverse kernel p(Z_{t-1} | Z_t), DiffuFuseMed eq. (9), (10).

    The paper prints 1 / sqrt(abar_t) before the bracket; DDPM's posterior mean (Ho et al., 2020, eq. 11) has
    1 / sqrt(alpha_t), without which the chain does not invert (7). alpha_t is used here.
    noisy, eps: (B, d, *space); t: (B,).
    """
    abar, abar_before = at_time(alphas_cumprod, t, noisy), at_time(alphas_cumprod, t - 1, noisy)
    alpha = abar / abar_before
    return (noisy - (1 - alpha) / (1 - abar).sqrt() * eps) / alpha.sqrt()
