"""What model.json tells of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .. import __version__
from .hardware import hardware
from .recipe import BaseRecipe
from .state import Trained


def training_facts(
    recipe: BaseRecipe, trained: Trained, names: Sequence[str], device: str, without: tuple[str, ...]
) -> dict[str, Any]:
    """Patients, what the recipe says, and what came of it; without: fields of the recipe that stand elsewhere."""
    return {
        "patients": list(names),
        **recipe.facts(without=without),
        "steps_done": trained.steps,
        "minutes_done": round(trained.minutes, 1),
        "skipped": trained.skipped,
        "hardware": hardware(device),
        "versions": {"DiffuFuseMed": __version__, "torch": torch.__version__},
        "history": [{k: round(v, 4) for k, v in row.items()} for row in trained.history[::5]],
    }
