"""Where bfloat16 must not be used: oneDNN's weight gradients of convolutions on tiny grids are garbage on CPUs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

SMALLEST_IN_BFLOAT16 = 3  # positions along an axis; with two, gradients of 1e32 and NaN were measured


def exact_if_tiny(like: Tensor) -> AbstractContextManager:
    """float32 for what is done on the grid of `like`, (B, C, *space), where it is tiny; elsewhere what autocast is on
    stays on. What goes in has to be float32 by itself, as exact() makes it.
    """
    return torch.autocast(like.device.type, enabled=False) if _is_tiny(like) else nullcontext()


def exact(x: Tensor) -> Tensor:
    """x, (B, C, *space), in float32 where its grid is tiny."""
    return x.float() if _is_tiny(x) else x


def _is_tiny(x: Tensor) -> bool:
    return min(x.shape[2:]) < SMALLEST_IN_BFLOAT16
