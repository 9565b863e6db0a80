"""The energy score of two draws and two references: samples that differ as the references do, and no more."""

from __future__ import annotations

import torch
from torch import Tensor


def energy_score(draws: tuple[Tensor, Tensor], references: tuple[Tensor, Tensor]) -> Tensor:
    """E d(p, y) - E d(p, p') / 2, a scalar; its least expectation is had by draws distributed as the references
    (T. Gneiting and A. Raftery, 2007, eq. 22).

    draws: probabilities, references: 0..1, (B, C, *space) each. d is the sum of absolute differences, as a share of
    what draws and references hold, so that small lesions count; that share is not descended.
    """
    first, second = draws
    size = (torch.stack([_sum(x) for x in (*draws, *references)]).sum(dim=0) / 2).detach() + 1
    apart = torch.stack([_sum((p - y).abs()) for p in draws for y in references]).mean(dim=0)
    between = _sum((first - second).abs())
    return ((apart - between / 2) / size).mean()


def _sum(x: Tensor) -> Tensor:
    """Over everything but the batch."""
    return x.float().flatten(1).sum(dim=1)
