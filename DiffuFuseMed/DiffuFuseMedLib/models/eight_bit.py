"""Weights in eight bits on disk: half of float16's size, run in float32 like any other.

Each output channel of a kernel or matrix has a scale of its own, its largest weight in 127ths, in a tensor beside it.
What has one axis or none (norms, biases) is little and stays float16.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.errors import input_error
from .record_checks import AGAIN

SCALE = ".scale_of_8_bits"  # after the name of the tensor that it belongs to
STEPS = 127


def in_eight_bits(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights by name -> the same, those of two axes and more as int8 with float32 scales (C_out, 1, ...) beside; what
    is in eight bits already stays as it is."""
    packed: dict[str, Tensor] = {}
    for name, value in state.items():
        if value.ndim < 2 or not value.is_floating_point() or name.endswith(SCALE):
            packed[name] = value
            continue
        scale = _largest(value.float()) / STEPS
        packed[name] = (value.float() / scale.clamp(min=torch.finfo(torch.float32).tiny)).round().to(torch.int8)
        packed[name + SCALE] = scale
    return packed


def from_eight_bits(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """What in_eight_bits() made -> float16 by name; a state without such weights as it is.

    Raises InputError for a scale without its weights, or of another shape, and for weights without theirs.
    """
    scales = {name.removesuffix(SCALE): value for name, value in state.items() if name.endswith(SCALE)}
    values = {name: value for name, value in state.items() if not name.endswith(SCALE)}
    for name in [*scales, *(name for name, value in values.items() if value.dtype == torch.int8)]:
        if not _fits(values.get(name), scales.get(name)):
            given = f"weights of 8 bits whose scale does not fit ({name[:60]})"
            raise input_error(given, "one scale for each output channel", AGAIN)
    return values | {name: (values[name].float() * scale).half() for name, scale in scales.items()}


def _fits(value: Tensor | None, scale: Tensor | None) -> bool:
    if value is None or scale is None or value.dtype != torch.int8:
        return False
    return scale.shape == _largest(value).shape


def _largest(value: Tensor) -> Tensor:
    """Of each output channel, the first axis: (C_out, 1, ...)."""
    return value.abs().amax(dim=tuple(range(1, value.ndim)), keepdim=True)
