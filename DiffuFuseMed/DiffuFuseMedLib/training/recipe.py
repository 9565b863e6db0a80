"""Recipe: named settings that make a segmenter's weights, as each system's recipe.py has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .windows import WindowSettings


@dataclass(frozen=True)
class Recipe:
    """model_id: folder under models/; system: a key of SYSTEMS; folds: what is trained on, of split.json.

    steps and minutes (training/budget.py) bound the run, whichever ends first; the learning rate follows whichever is
    further along.
    """

    model_id: str
    system: str
    config: Any
    folds: tuple[int, ...] = (1, 2, 3)
    held_out: tuple[str, ...] = ("STS_010",)  # the demonstration case is in no training set
    windows: WindowSettings = field(default_factory=WindowSettings)
    batch: int = 2
    steps: int = 14_000
    minutes: float = 120.0
    learning_rate: float = 6e-4
    fresh_rate: float = 10.0  # times the learning rate, for what the starting weights do not have
    weight_decay: float = 1e-2
    warmup: int = 200
    ema: float = 0.998
    clip: float = 1.0
    seed: int = 0
    reliability_windows: int = 900  # for the fit of phi after training, training/reliability.py
