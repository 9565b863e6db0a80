"""Where the random generators of a run stand, to go on from the same place."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor


def torch_states(generator: torch.Generator) -> dict[str, Tensor]:
    """State of the run's own generator and of PyTorch's, on every GPU as well, by name."""
    states = {"own": generator.get_state(), "torch": torch.get_rng_state()}
    return states | {f"cuda.{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}


def python_state() -> list[Any]:
    """State of Python's own generator as JSON can hold it."""
    version, numbers, gauss = random.getstate()
    return [version, list(numbers), gauss]


def restore(generator: torch.Generator, states: dict[str, Tensor], python: list[Any]) -> None:
    """Put every generator back; a GPU that is not there any more is passed over."""
    generator.set_state(states["own"])
    torch.set_rng_state(states["torch"])
    for i in range(torch.cuda.device_count()):
        if f"cuda.{i}" in states:
            torch.cuda.set_rng_state(states[f"cuda.{i}"], i)
    version, numbers, gauss = python
    random.setstate((version, tuple(numbers), gauss))
