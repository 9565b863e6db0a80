"""Where bfloat16 is used and where not: only where the device computes in it, and never on tiny grids."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

SMALLEST_IN_BFLOAT16 = 3  # positions along an axis; with two, gradients of 1e32 and NaN were measured


def computes_in_bfloat16(device: str) -> bool:
    """Whether this device has bfloat16 instructions: AVX-512 BF16 or AMX of a processor, Ampere or later of a GPU.

    Others emulate it: a 3D convolution took ninety times as long as in float32 on a processor with AVX2 alone.
    """
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    asked = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(ask() for ask in asked if ask)


def mixed_precision(device: str) -> torch.autocast:
    """Autocast to bfloat16 where the device computes in it; elsewhere a context that changes nothing."""
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=computes_in_bfloat16(device))


def exact_if_tiny(like: Tensor) -> AbstractContextManager:
    """float32 for what is done on the grid of `like`, (B, C, *space), where it is tiny: oneDNN's weight gradients of
    convolutions on such grids are garbage on CPUs. Elsewhere what autocast is on stays on. What goes in has to be
    float32 by itself, as exact() makes it.
    """
    return torch.autocast(like.device.type, enabled=False) if _is_tiny(like) else nullcontext()


def exact(x: Tensor) -> Tensor:
    """x, (B, C, *space), in float32 where its grid is tiny."""
    return x.float() if _is_tiny(x) else x


def _is_tiny(x: Tensor) -> bool:
    return min(x.shape[2:]) < SMALLEST_IN_BFLOAT16
