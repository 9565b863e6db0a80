"""Recipes: named settings that make weights, as each system's recipe.py has them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..losses import Drgo
from .data import TrainingData
from .optimization import Optimization
from .synthetic import Synthetic
from .windows import WindowSettings


@dataclass(frozen=True, kw_only=True)
class BaseRecipe:
    """What the recipes of every task have: their data and how the networks are optimized."""

    data: TrainingData
    batch: int
    learning_rate: float
    weight_decay: float
    warmup: int
    ema: float
    clip: float
    seed: int = 0

    def optimization(self, **budget: Any) -> Optimization:
        """The optimization for this budget: steps, minutes or both."""
        shared = ("learning_rate", "weight_decay", "warmup", "ema", "clip")
        return Optimization(**{name: getattr(self, name) for name in shared}, **budget)

    def facts(self, without: tuple[str, ...] = ()) -> dict[str, Any]:
        """The settings as model.json keeps them, the data's folds, patients left out and citations among them."""
        data = self.data
        told = {"folds": data.folds, "held_out": data.held_out, "attribution": data.attribution}
        return told | {name: value for name, value in asdict(self).items() if name not in ("data", *without)}


@dataclass(frozen=True, kw_only=True)
class Recipe(BaseRecipe):
    """A segmenter's. model_id: folder under models/; system: a key of SYSTEMS; config: of the system's network; drgo:
    how regions guide sampling and loss, or None where they do not; synthetic: how synthetic cases take part, or None;
    ace: weight of the average calibration error in the loss.

    steps and minutes (training/budget.py) bound the run, whichever ends first; the learning rate follows whichever is
    further along.
    """

    model_id: str
    system: str
    config: Any
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
    drgo: Drgo | None = None
    synthetic: Synthetic | None = None
    ace: float = 0.0


def recipe_of_readers(model_id: str, system: str, config: Any, **told: Any) -> Recipe:
    """Of a system that learns how readers differ; of all of them alike, so that they can be compared. told: what the
    collection says of itself, its data, windows, minutes and batch."""
    return Recipe(
        model_id=model_id,
        system=system,
        config=config,
        steps=40_000,
        learning_rate=4e-4,
        weight_decay=0.0,
        ema=0.999,
        **told,
    )
