"""The minutes a training run has had, such that a busy machine does not shorten it."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch


def stopwatch(device: str) -> Callable[[], float]:
    """A function that tells the minutes since now.

    On a CPU these are minutes of the cores PyTorch works on, by the time the process really got: two networks trained
    for the same minutes are comparable whatever ran beside them. On a GPU they are the clock's.
    """
    if device != "cpu":
        return _since(time.monotonic, 1)
    return _since(time.process_time, torch.get_num_threads())


def _since(clock: Callable[[], float], cores: int) -> Callable[[], float]:
    began = clock()
    return lambda: (clock() - began) / 60 / cores
