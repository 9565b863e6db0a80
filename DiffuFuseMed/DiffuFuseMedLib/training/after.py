"""What a network may do beside the loop, in training or once it is over: capabilities that its system declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from .dataset import TrainingCase


@runtime_checkable
class FitsAfterTraining(Protocol):
    """A network with parts that are fitted to the rest of it, as it stands after training."""

    def fit_after_training(
        self,
        cases: list[TrainingCase],
        recipe: Any,
        device: str = "cpu",
        progress: Callable[[float, str], None] | None = None,
    ) -> None:
        """Fit them in place; recipe: of the network's own system. Draws from the recipe's seed alone."""
        ...


@runtime_checkable
class LearnsFromAverage(Protocol):
    """A network whose loss() takes the moving average of itself as a third argument, the teacher."""

    learns_from_average: bool
