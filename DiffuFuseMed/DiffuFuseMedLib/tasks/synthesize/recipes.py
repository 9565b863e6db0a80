"""Every recipe of this task by the id of the model that it makes, with what runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...models.registry import ModelRecord
from ...systems.diff4mmlits import autoencoder_recipe, inpainter_recipe, synthesizer_recipe
from ...training.loop import RunContext
from . import train_autoencoder, train_inpainter, train_synthesizer

Run = Callable[[Any, Path, Path, Path, RunContext], ModelRecord]


@dataclass(frozen=True)
class SynthesisRecipe:
    """recipe: a BaseRecipe with model_id and minutes; run: from it, the case folders, split.json and the folder that
    gets <model id>/ to its record."""

    recipe: Any
    run: Run


_ALL = (
    SynthesisRecipe(inpainter_recipe.STS, train_inpainter.run_recipe),
    SynthesisRecipe(autoencoder_recipe.STS, train_autoencoder.run_recipe),
    SynthesisRecipe(synthesizer_recipe.STS, train_synthesizer.run_recipe),
)
RECIPES: dict[str, SynthesisRecipe] = {entry.recipe.model_id: entry for entry in _ALL}
