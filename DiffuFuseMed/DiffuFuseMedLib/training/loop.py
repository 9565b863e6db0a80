"""The one training loop: every network of every task is trained by it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..networks.precision import mixed_precision
from .budget import stopwatch
from .checkpoint import Checkpoints
from .state import Stage, State, Trained, begin
from .steps import set_learning_rate, update
from .stopping import TrainingStoppedError

log = logging.getLogger(__name__)
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class RunContext:
    """Where a run takes place. progress gets (share done, what goes on); snapshot the average each tenth of a stage;
    stop is asked after every step."""

    device: str = "cpu"
    progress: Progress | None = None
    snapshot: Callable[[Trained], object] | None = None
    checkpoints: Checkpoints | None = None
    stop: Callable[[], bool] = lambda: False

    def claim(self, identity: dict[str, str]) -> None:
        """Say what the checkpoints go with; raises InputError when those to go on from belong to another run."""
        if self.checkpoints:
            self.checkpoints.claim(identity)

    def tell(self, share: float, what: str) -> None:
        """Pass progress on; raises TrainingStoppedError where a stop is asked for."""
        if self.progress:
            self.progress(share, what)
        self.check_stop(f"at {what}")

    def check_stop(self, where: str) -> None:
        """Raises TrainingStoppedError, which says how to go on, when a stop is asked for."""
        if self.stop():
            kept = self.checkpoints
            how = f"the same command with --resume goes on from {kept.folder}" if kept else "nothing was kept"
            raise TrainingStoppedError(f"The training was stopped {where}: {how}.")

    def keep(self, stage: Stage, state: State) -> None:
        """Write a checkpoint, where they are kept."""
        if self.checkpoints:
            self.checkpoints.write(stage, state)

    def over(self) -> None:
        """What was trained is written: checkpoints say nothing more."""
        if self.checkpoints:
            self.checkpoints.discard()


def optimize(stage: Stage, generator: torch.Generator, context: RunContext | None = None) -> Trained:
    """Train the stage's network within its budget, or go on with it from its checkpoint; returns the moving average.

    Raises TrainingStoppedError once the context's stop is asked for and the checkpoint, where one is kept, is written.
    """
    context = context or RunContext()
    state = begin(stage, generator, context.device)
    if context.checkpoints:
        context.checkpoints.restore(stage, state)
    if not state.finished:
        descend(stage, state, context)
        state.finished = True
        context.keep(stage, state)
    state.average.module.eval()
    return state.trained()


def descend(stage: Stage, state: State, context: RunContext) -> None:
    """Step after step until the budget is spent."""
    settings, minutes = stage.optimization, stopwatch(context.device, state.minutes)
    tenths = int(10 * settings.share(state.step, state.minutes))
    while (share := settings.share(state.step, minutes())) < 1:
        set_learning_rate(state.optimizer, settings.learning_rate, settings.warmup, state.step, share)
        train_step(stage, state, context.device)
        state.minutes = minutes()
        if context.progress:
            context.progress(share, f"{stage.name}, step {state.step}")
        if context.snapshot and int(10 * share) > tenths:
            tenths = int(10 * share)
            context.snapshot(state.trained())
        pause(stage, state, context)


def train_step(stage: Stage, state: State, device: str) -> None:
    """One batch, one update, and what it says."""
    settings = stage.optimization
    batch = stage.sampler(state.generator).to(device)
    with mixed_precision(device):
        teacher = (state.average.module,) if stage.from_average else ()
        losses = stage.losses(batch, state.generator, *teacher)
    trained = [p for p in state.network.parameters() if p.requires_grad]
    if not update(losses.total, state.optimizer, trained, settings.clip):
        state.skipped += 1
    elif stage.feedback and losses.prediction is not None:
        stage.feedback.update(batch, losses.prediction.detach())
    state.average.update_parameters(state.network)
    if row := state.note(losses, settings.log_every):
        told = ", ".join(f"{name} {value:.3f}" for name, value in row.items() if name != "step")
        log.info("%s, step %d, %d skipped: %s", stage.name, state.step, state.skipped, told)


def pause(stage: Stage, state: State, context: RunContext) -> None:
    """Between two steps: keep a checkpoint where one is due, and stop where that is asked for."""
    stop = context.stop()
    if stop or (context.checkpoints and context.checkpoints.due(state.step)):
        context.keep(stage, state)
    if stop:
        context.check_stop(f"after step {state.step} of {stage.name}")
