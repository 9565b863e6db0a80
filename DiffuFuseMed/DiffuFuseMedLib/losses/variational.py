"""One term of the variational bound, CalDiff eq. (6), of a chain over masks of -1 and 1."""

from __future__ import annotations

import torch
from torch import Tensor


def kl_of_normals(mean: Tensor, log_variance: Tensor, other_mean: Tensor, other_log_variance: Tensor) -> Tensor:
    """D_KL(N || N_other) in nats of axis-aligned normals, element by element; all (B, d, *space)."""
    ratio = (log_variance - other_log_variance).exp()
    apart = (mean - other_mean) ** 2 * (-other_log_variance).exp()
    return 0.5 * (other_log_variance - log_variance + ratio + apart - 1)


def mask_nll(mask: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """-log p(x_0 | x_1) in nats, element by element: all of the normal above 0 stands for 1, what is below for -1;
    mask, mean, log_variance: (B, d, *space)."""
    toward = torch.where(mask > 0, 1.0, -1.0) * mean
    return -torch.special.log_ndtr(toward * (-log_variance / 2).exp())
