"""Variance schedules of the forward process, DiffuFuseMed eq. (7): alpha_t = 1 - beta_t, abar_t = prod alpha_s."""

from __future__ import annotations

import torch
from torch import Tensor


def linear_alphas_cumprod(steps: int, beta_per_step: float = 2e-4, beta_first: float = 1e-4) -> Tensor:
    """abar_0 ... abar_T, shape (T + 1,), with abar_0 = 1 (clean) and beta_t growing by beta_per_step a step.

    The slope is per step and not per schedule, so a shorter chain also ends in less noise: a level with a smaller T
    (DiffuFuseMed 3.6, "smaller T for coarse scales") is both cheaper and more lightly corrupted.
    """
    if steps < 1:
        raise ValueError(f"a schedule has {steps} steps, wanted at least 1")
    betas = beta_first + beta_per_step * torch.arange(steps, dtype=torch.float64)
    return torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - betas, 0)]).float()


def cosine_alphas_cumprod(steps: int, offset: float = 0.008) -> Tensor:
    """abar_0 ... abar_T, shape (T + 1,), from 1 (clean) to 0.0001: at T nothing is left of the tokens, however small T
    is (A. Nichol and P. Dhariwal, 2021, eq. 17)."""
    if steps < 1:
        raise ValueError(f"a schedule has {steps} steps, wanted at least 1")
    share = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    abar = torch.cos((share + offset) / (1 + offset) * torch.pi / 2) ** 2
    return (abar / abar[0]).clamp(min=1e-4).float()


def ddim_times(start: int, steps: int) -> list[int]:
    """Times t_S > ... > t_0 = 0 of a few-step sampler that begins at `start`, evenly spaced, repeats dropped."""
    times = torch.linspace(start, 0, steps + 1).round().int().tolist()
    return sorted(set(times), reverse=True)
