"""One training loop for every system."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .budget import stopwatch
from .dataset import TrainingCase
from .recipe import Recipe
from .steps import set_learning_rate, update
from .windows import draw_batch

log = logging.getLogger(__name__)
LOG_EVERY = 100


@dataclass
class Trained:
    """The averaged network, and what making it took."""

    network: nn.Module
    steps: int
    minutes: float
    history: list[dict[str, float]] = field(default_factory=list)


def train(
    recipe: Recipe,
    network: nn.Module,
    cases: list[TrainingCase],
    device: str = "cpu",
    progress: Callable[[float, str], None] | None = None,
    checkpoint: Callable[[Trained], None] | None = None,
    start: dict[str, Tensor] | None = None,
) -> Trained:
    """Train by the recipe; progress gets (share done, what goes on), checkpoint the average each tenth of the run."""
    generator = torch.Generator().manual_seed(recipe.seed)
    network = network.to(device).train()
    fresh = take_over(network, start or {})
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))
    optimizer = optimizer_for(network, recipe, fresh if start else set())
    minutes, history, running, step, tenths = stopwatch(device), [], {}, 0, 0
    while (share := done(recipe, step, minutes())) < 1:
        set_learning_rate(optimizer, recipe.learning_rate, recipe.warmup, step, share)
        parts = train_step(network, optimizer, recipe, cases, generator, device)
        average.update_parameters(network)
        step += 1
        for name, value in parts.items() if all(map(isfinite, parts.values())) else ():
            running[name] = running.get(name, 0.0) + value / LOG_EVERY
        if step % LOG_EVERY == 0:
            history.append({"step": step, **running})
            log.info("step %d, %.0f %%: %s", step, 100 * share, _told(running))
            running = {}
        if progress:
            progress(share, f"step {step}")
        if checkpoint and int(10 * share) > tenths:
            tenths = int(10 * share)
            checkpoint(Trained(average.module, step, minutes(), history))
    return Trained(average.module.eval(), step, minutes(), history)


def done(recipe: Recipe, step: int, minutes: float) -> float:
    """Share of the run that is over, by steps or by the minutes it has had, whichever is further."""
    return max(step / recipe.steps, minutes / recipe.minutes)


def take_over(network: nn.Module, start: dict[str, Tensor]) -> set[str]:
    """Copy the starting weights that fit by name and shape; returns the names of the parameters left as they were."""
    own = network.state_dict()
    fitting = {name: value.float() for name, value in start.items() if name in own and value.shape == own[name].shape}
    network.load_state_dict(fitting, strict=False)
    return set(dict(network.named_parameters())) - set(fitting)


def optimizer_for(network: nn.Module, recipe: Recipe, fresh: set[str]) -> torch.optim.Optimizer:
    """AdamW; parameters that start fresh beside trained ones learn faster."""
    groups = [
        {"params": [p for name, p in network.named_parameters() if (name in fresh) is new], "times": times}
        for new, times in ((False, 1.0), (True, recipe.fresh_rate))
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], recipe.learning_rate, weight_decay=recipe.weight_decay)


def train_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    cases: list[TrainingCase],
    generator: torch.Generator,
    device: str,
) -> dict[str, float]:
    """One batch, one update; returns the loss in parts."""
    batch = to_device(draw_batch(cases, recipe.batch, recipe.windows, generator), device)
    with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
        loss, parts = network.loss(batch, generator)
    update(loss, optimizer, network.parameters(), recipe.clip)
    return parts


def to_device(batch, device: str):
    """The batch with every tensor moved."""
    move = lambda d: {k: v.to(device) for k, v in d.items()}  # noqa: E731
    return type(batch)(move(batch.images), batch.target.to(device), batch.distance.to(device), move(batch.clean))


def _told(parts: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in parts.items())
