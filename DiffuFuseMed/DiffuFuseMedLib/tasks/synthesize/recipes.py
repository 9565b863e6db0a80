"""Every recipe of this task by the id of the model that it makes, with what runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...models.registry import ModelRecord
from ...systems.diff4mmlits.inpainter_recipe import STS
from ...training.loop import RunContext
from . import train_inpainter

Run = Callable[[Any, Path, Path, Path, RunContext], ModelRecord]


@dataclass(frozen=True)
class SynthesisRecipe:
    """recipe: a BaseRecipe with model_id and minutes; run: from it, the case folders, split.json and the folder that
    gets <model id>/ to its record."""

    recipe: Any
    run: Run


RECIPES: dict[str, SynthesisRecipe] = {STS.model_id: SynthesisRecipe(STS, train_inpainter.run_recipe)}
