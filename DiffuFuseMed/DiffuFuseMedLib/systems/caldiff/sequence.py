"""Seq-UC of CalDiff, eq. (15)-(18): the error of S consecutive steps, each by how far it reaches into what is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def reach(alphas_cumprod: Tensor) -> Tensor:
    """tau_s of (17), (T + 1,) float64: what an error of eps_theta at step s does to the end of the chain, x_1.

    The first factor, that of (15), carries the error of step s from x_{s-1} to x_1 through the reverse means; the
    second is the weight of the clean mask in the mean of step s; the third turns an error of the noise into one of the
    clean mask. 0 outside of 2, ..., T.
    """
    abar = alphas_cumprod.double()
    tau = torch.zeros_like(abar)
    now, then, first = abar[2:], abar[1:-1], abar[1]
    carried = then.sqrt() * (1 - first) / (first.sqrt() * (1 - then))
    in_the_mean = then.sqrt() * (1 - now / then) / (1 - now)
    of_the_noise = (1 - now).sqrt() / now.sqrt()
    tau[2:] = carried * in_the_mean * of_the_noise
    return tau


def jump(t: Tensor, longest: int, generator: torch.Generator | None) -> Tensor:
    """Where the step after t, (B,) of 0 to T, starts: t - 1 as the paper has it, or with equal chance any of the
    `longest` times before t, but 0 only from 1. A sampler of few steps jumps as far."""
    far = (t - 1).clamp(min=1, max=longest)
    drawn = torch.rand(t.shape, generator=generator).to(t.device) if longest > 1 else torch.zeros_like(t)
    return (t - 1 - (drawn * far).long()).clamp(min=0)


def weights_of(tau: Tensor, times: Sequence[Tensor], relative: bool) -> list[Tensor]:
    """tau_s at each of the S times, (B,) each; relative: with a mean of one over those that count."""
    taken = [tau.to(t.device)[t] for t in times]
    if not relative:
        return [w.float() for w in taken]
    stacked = torch.stack(taken)
    mean = stacked.sum(dim=0) / (stacked > 0).sum(dim=0).clamp(min=1)
    return [(w / mean.clamp(min=1e-300)).float() for w in taken]


def sequence_loss(errors: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """L_SA of (18), a mean over batch and voxels, a scalar: the square of the mean over S steps of weighted errors.

    errors: (B, 1, *space) of each step; weights: (B,) of each.
    """
    weighted = [w.view(-1, *[1] * (e.ndim - 1)) * e for e, w in zip(errors, weights, strict=True)]
    return (torch.stack(weighted).mean(dim=0) ** 2).mean()
