"""The minutes a training run has had, such that a busy machine does not shorten it."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch


def stopwatch(device: str, already: float = 0.0) -> Callable[[], float]:
    """A function that tells the minutes since now, and those that the run had before it was continued.

    On a CPU these are minutes of the cores PyTorch works on, by the time the process really got: two networks trained
    for the same minutes are comparable whatever ran beside them. On a GPU they are the clock's.
    """
    if device != "cpu":
        return _since(time.monotonic, 1, already)
    return _since(time.process_time, torch.get_num_threads(), already)


def _since(clock: Callable[[], float], cores: int, already: float) -> Callable[[], float]:
    began = clock()
    return lambda: already + (clock() - began) / 60 / cores
