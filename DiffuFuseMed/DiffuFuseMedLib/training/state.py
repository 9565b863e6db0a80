"""What a network's training stands at: everything that the next step depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from ..losses import Losses
from .feedback import Feedback
from .optimization import Optimization, optimizer_for, take_over


class HasState(Protocol):
    """What goes into the checkpoint with the rest of the run."""

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None: ...


@dataclass(frozen=True)
class Stage:
    """One network's training: a recipe of one network has one stage, a staged system several, one after the other.

    sampler draws a batch, which has to(device); losses gives the parts of a batch's loss, and is handed the moving
    average of the network too where from_average says so; feedback: what steers the sampler by the last predictions;
    source: what the sampler draws from, where that changes during the training; start: weights to go on from, as far as
    they fit.
    """

    name: str
    network: nn.Module
    sampler: Callable[[torch.Generator], Any]
    losses: Callable[..., Losses]
    optimization: Optimization
    feedback: Feedback | None = None
    source: HasState | None = None
    start: dict[str, Tensor] = field(default_factory=dict)
    from_average: bool = False


@dataclass
class Trained:
    """The averaged network, and what making it took; skipped: batches whose loss or gradient was not finite."""

    network: nn.Module
    steps: int
    minutes: float
    history: list[dict[str, float]] = field(default_factory=list)
    skipped: int = 0


@dataclass
class State:
    """network descends and average follows it; minutes: had so far; running: the history's row under way."""

    network: nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    step: int = 0
    minutes: float = 0.0
    skipped: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    running: dict[str, float] = field(default_factory=dict)
    finished: bool = False

    def note(self, losses: Losses, log_every: int) -> dict[str, float] | None:
        """Count a step and take its losses into the history; returns a row of it once it is whole.

        A batch with a part that is not finite, which is skipped, counts nowhere.
        """
        self.step += 1
        told = {name: float(value.detach()) for name, value in losses.parts.items()}
        for name, value in told.items() if all(map(isfinite, told.values())) else ():
            self.running[name] = self.running.get(name, 0.0) + value / log_every
        if self.step % log_every:
            return None
        self.history.append({"step": self.step, **self.running})
        self.running = {}
        return self.history[-1]

    def trained(self) -> Trained:
        return Trained(self.average.module, self.step, self.minutes, self.history, self.skipped)


def begin(stage: Stage, generator: torch.Generator, device: str) -> State:
    """The state before the first step."""
    network = stage.network.to(device).train()
    fresh = take_over(network, stage.start) if stage.start else set()
    average = AveragedModel(network, multi_avg_fn=moving_average(stage.optimization.ema))
    return State(network, average, optimizer_for(network, stage.optimization, fresh), generator)


def moving_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """What AveragedModel averages by: an exponential average that forgets its beginning.

    A constant decay of 0.998 keeps a third of the very first weights after 500 steps; here the average is over the last
    tenth of the steps until it is as long as `decay` makes it.
    """

    @torch.no_grad()
    def update(average: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
        now = min(decay, (1 + int(steps)) / (10 + int(steps)))
        torch._foreach_lerp_(average, current, 1 - now)

    return update
