"""Where bfloat16 must not be used: oneDNN's weight gradients of convolutions on tiny grids are garbage on CPUs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

SMALLEST_IN_BFLOAT16 = 3  # positions along an axis; with two, gradients of 1e32 and NaN were measured


def exact_if_tiny(like: Tensor, shape: Sequence[int] | None = None) -> AbstractContextManager:
    """float32 for what is done on so few positions; elsewhere whatever autocast is on stays on.

    shape: the grid's, without it that of `like`, (B, C, *space). What goes in has to be float32 by itself.
    """
    tiny = min(shape or like.shape[2:]) < SMALLEST_IN_BFLOAT16
    return torch.autocast(like.device.type, enabled=False) if tiny else nullcontext()


def exact(x: Tensor) -> Tensor:
    """x, (B, C, *space), in float32 where its grid is tiny."""
    return x.float() if min(x.shape[2:]) < SMALLEST_IN_BFLOAT16 else x
