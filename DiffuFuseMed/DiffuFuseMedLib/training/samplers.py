"""Samplers: what draws the next batch, given the run's generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from ..losses import Batch
from .corruptions import uniform
from .dataset import TrainingCase
from .feedback import Feedback
from .windows import WindowSettings, draw_batch

T = TypeVar("T")
Sampler = Callable[[torch.Generator], T]


def windows_of(
    cases: list[TrainingCase], size: int, settings: WindowSettings, feedback: Feedback | None = None
) -> Sampler[Batch]:
    """Batches of `size` random windows of the cases."""
    return lambda generator: draw_batch(cases, size, settings, generator, feedback)


def mixed(real: Sampler[T], synthetic: Sampler[T], share: float) -> Sampler[T]:
    """A share of the batches from synthetic cases, at random; without any, the real sampler as it is."""
    if share <= 0:
        return real
    return lambda generator: (synthetic if uniform(0, 1, generator) < share else real)(generator)
