"""What the training loop does in a step: the learning rate's course, and one update that harms no weights."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from math import cos, pi

import torch
from torch import Tensor

log = logging.getLogger(__name__)


def set_learning_rate(optimizer: torch.optim.Optimizer, highest: float, warmup: int, step: int, share: float) -> None:
    """Linear warm-up over `warmup` steps, then half a cosine down to a hundredth of `highest`; share: of the run that
    is over. A group's "times" multiplies its own rate."""
    factor = min(1.0, (step + 1) / warmup) * (0.01 + 0.99 * (1 + cos(pi * min(share, 1.0))) / 2)
    for group in optimizer.param_groups:
        group["lr"] = highest * factor * group.get("times", 1.0)


def update(loss: Tensor, optimizer: torch.optim.Optimizer, trained: Iterable[Tensor], clip: float) -> bool:
    """Descend the loss, the gradient's norm held to `clip`; returns whether it did: a batch whose loss or gradient is
    not finite is skipped, since it would destroy the weights."""
    optimizer.zero_grad(set_to_none=True)
    if not torch.isfinite(loss):
        log.warning("a batch with a loss of %s was skipped", float(loss.detach()))
        return False
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(trained, clip)
    if torch.isfinite(norm):  # else clipping has made every gradient NaN
        optimizer.step()
        return True
    log.warning("a batch with a gradient of %s was skipped", float(norm))
    return False
