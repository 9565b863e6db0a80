"""The reverse kernel with learned variance, and what it is held against: q(Z_{t-1} | Z_t, Z_0).

Of CalDiff (X. Wang et al., 2026) these are (4), (5), (10); the variance is that of A. Nichol and P. Dhariwal (Improved
denoising diffusion probabilistic models, ICML 2021, eq. 15). Every function takes abar at two times, now and then, so
that a chain of few steps is a chain like any other: its alpha is abar_now / abar_then.
"""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST_VARIANCE = 1e-20


def posterior_mean(clean: Tensor, noisy: Tensor, abar_now: Tensor, abar_then: Tensor) -> Tensor:
    """Mean of q(Z_then | Z_now, Z_0); with the clean tokens that a denoiser sees it is the mean of (5), (10), which is
    written there by the noise. clean, noisy: (B, d, *space); abar: (B, 1, ..., 1)."""
    alpha = abar_now / abar_then
    from_clean = abar_then.sqrt() * (1 - alpha) / (1 - abar_now)
    from_noisy = alpha.sqrt() * (1 - abar_then) / (1 - abar_now)
    return from_clean * clean + from_noisy * noisy


def posterior_log_variance(abar_now: Tensor, abar_then: Tensor) -> Tensor:
    """log of beta~ = (1 - abar_then) / (1 - abar_now) beta: the smallest variance that the reverse kernel can have.

    Where it ends at clean tokens that would be -inf; a share of beta as of two equal steps stands there. abar:
    (B, 1, ..., 1).
    """
    beta = 1 - abar_now / abar_then
    return (beta * torch.where(abar_then < 1, (1 - abar_then) / (1 - abar_now), 0.5)).clamp(min=SMALLEST_VARIANCE).log()


def learned_log_variance(share: Tensor, abar_now: Tensor, abar_then: Tensor) -> Tensor:
    """log Sigma between beta~ and beta, as a denoiser's output says: -1 is the smallest, 1 the largest.
    share: (B, d, *space); abar: (B, 1, ..., 1)."""
    largest = (1 - abar_now / abar_then).clamp(min=SMALLEST_VARIANCE).log()
    smallest = posterior_log_variance(abar_now, abar_then)
    v = (share + 1) / 2
    return v * largest + (1 - v) * smallest
