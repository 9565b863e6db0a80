"""How the yardstick is trained: as what it stands beside."""

from __future__ import annotations

from ...datasets import sts
from ...training.recipe import Recipe
from .config import Config

STS_SEGRESNET = Recipe(model_id="sts-segresnet", system="segresnet", config=Config(), data=sts.DATA)
