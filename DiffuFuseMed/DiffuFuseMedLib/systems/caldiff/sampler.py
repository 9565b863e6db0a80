"""From noise to a mask: eq. (10) with the learned variance, or few steps of DDIM; all of T steps or few of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ... import diffusion as dm


@dataclass(frozen=True)
class Seen:
    """What the denoiser sees at a step: the clean mask, -1..1, and where the variance lies, -1..1; (B, 1, *space)."""

    clean: Tensor
    variance: Tensor

    def clipped(self) -> Tensor:
        """The clean mask within the values that a mask has."""
        return self.clean.clamp(-1, 1)


def seen_in(said: Tensor) -> Seen:
    """What the denoiser's output, (B, 2, *space), says. The second channel is bounded: beyond beta a step of few would
    carry a draw out of all range, and where even beta is too small for an error the bound has nothing more to teach."""
    clean, variance = said.float().split(1, dim=1)
    return Seen(clean, variance.tanh())


def stochastic_step(seen: Seen, noisy: Tensor, abar_now: Tensor, abar_then: Tensor, noise: Tensor) -> Tensor:
    """Eq. (10): a draw of x_then given x_now; none where it ends at the clean mask. noise: z, standard normal."""
    mean = dm.posterior_mean(seen.clipped(), noisy, abar_now, abar_then)
    deviation = (dm.learned_log_variance(seen.variance, abar_now, abar_then) / 2).exp()
    return mean + torch.where(abar_then < 1, deviation, 0.0) * noise


def sampled(
    look: Callable[[Tensor, int], Seen],
    noise: Tensor,
    alphas_cumprod: Tensor,
    times: list[int],
    stochastic: bool,
    generator: torch.Generator | None,
) -> Tensor:
    """The mask in -1..1, (B, 1, *space), that this noise becomes. times: from T to 0; look: the denoiser."""
    x = noise
    for now, then in pairwise(times):
        seen = look(x, now)
        abar_now, abar_then = (_at(alphas_cumprod, t, x) for t in (now, then))
        if stochastic:
            x = stochastic_step(seen, x, abar_now, abar_then, dm.gaussian_like(x, generator))
        else:
            x = dm.ddim_step(seen.clipped(), x, abar_now, abar_then)
    return x


def _at(alphas_cumprod: Tensor, t: int, like: Tensor) -> Tensor:
    return dm.at_time(alphas_cumprod, torch.full((like.shape[0],), t), like)
