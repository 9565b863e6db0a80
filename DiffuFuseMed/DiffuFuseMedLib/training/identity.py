"""What the checkpoints of a run go with."""

from __future__ import annotations

import json
from dataclasses import asdict

from .recipe import BaseRecipe


def identity(
    recipe: BaseRecipe, data: list[str], start: str = "", made_with: dict[str, str] | None = None
) -> dict[str, str]:
    """By the words that a refusal uses: the recipe with its settings, seed, data (a fingerprint of each case), starting
    weights (their sha256), and what its synthetic cases are made with."""
    settings = {name: value for name, value in asdict(recipe).items() if name != "seed"}
    if not settings.get("ace"):
        settings.pop("ace", None)  # it came later: what was begun without goes on
    return {
        "recipe or setting": json.dumps(settings, sort_keys=True, default=str),
        "seed": str(recipe.seed),
        "training data": " ".join(data),
        "start": start,
        **({"synthetic data": json.dumps(made_with, sort_keys=True)} if made_with else {}),
    }
