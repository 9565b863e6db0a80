"""The hybrid loss of CalDiff, eq. (6)-(8), of a denoiser that says what the clean mask is."""

from __future__ import annotations

import torch
from torch import Tensor

from ... import diffusion as dm
from ... import losses
from .sampler import Seen


def noise_error(clean: Tensor, reference: Tensor, abar: Tensor, bounds: tuple[float, float]) -> Tensor:
    """eps - eps_theta of (7), (B, 1, *space): by (9) it is the error of the clean mask times sqrt(abar / (1 - abar)).

    bounds: the least and the most that its square weighs; (0, inf) is the printed one. abar: (B, 1, ..., 1).
    """
    return (abar / (1 - abar)).clamp(*bounds).sqrt() * (clean - reference)


def bound_term(seen: Seen, reference: Tensor, noisy: Tensor, t: Tensor, alphas_cumprod: Tensor) -> Tensor:
    """The term of L_VLB of (6) that step t is of, in nats, a mean over batch and voxels, a scalar.

    It trains the variance alone: the mean is held (A. Nichol and P. Dhariwal, 2021, 3.1). t: (B,) of 1, ..., T.
    """
    now, then = dm.at_time(alphas_cumprod, t, noisy), dm.at_time(alphas_cumprod, t - 1, noisy)
    mean = dm.posterior_mean(seen.clean.detach(), noisy, now, then)
    log_variance = dm.learned_log_variance(seen.variance, now, then)
    wanted = dm.posterior_mean(reference, noisy, now, then), dm.posterior_log_variance(now, then)
    apart = losses.kl_of_normals(*wanted, mean, log_variance)
    return torch.where(then < 1, apart, losses.mask_nll(reference, mean, log_variance)).mean()
