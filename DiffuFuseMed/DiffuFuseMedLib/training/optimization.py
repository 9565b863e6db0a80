"""How a network is optimized: AdamW, its learning rate's course, the moving average, and how long."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Optimization:
    """steps and minutes bound the run, whichever ends first; fresh_rate: times the learning rate, for parameters that
    the starting weights do not have; log_every: steps that a row of the history averages over."""

    learning_rate: float
    weight_decay: float
    warmup: int
    ema: float
    clip: float
    steps: float = inf
    minutes: float = inf
    fresh_rate: float = 1.0
    log_every: int = 100

    def share(self, step: int, minutes: float) -> float:
        """Share of the run that is over, by steps or by the minutes it has had, whichever is further."""
        return max(step / self.steps, minutes / self.minutes)


def take_over(network: nn.Module, start: dict[str, Tensor]) -> set[str]:
    """Copy the starting weights that fit by name and shape; returns the names of the parameters left as they were."""
    own = network.state_dict()
    fitting = {name: value.float() for name, value in start.items() if name in own and value.shape == own[name].shape}
    network.load_state_dict(fitting, strict=False)
    return set(dict(network.named_parameters())) - set(fitting)


def optimizer_for(network: nn.Module, settings: Optimization, fresh: set[str]) -> torch.optim.Optimizer:
    """AdamW on what is not frozen; parameters that start fresh beside trained ones learn faster."""
    trained = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for name, p in trained if (name in fresh) is new], "times": times}
        for new, times in ((False, 1.0), (True, settings.fresh_rate))
    ]
    groups = [g for g in groups if g["params"]]
    return torch.optim.AdamW(groups, settings.learning_rate, weight_decay=settings.weight_decay)
