"""How mmFormer is trained: as sts-segresnet, which it stands beside."""

from __future__ import annotations

from ...datasets import sts
from ...training.recipe import Recipe
from .config import Config

STS_MMFORMER = Recipe(model_id="sts-mmformer", system="mmformer", config=Config(), data=sts.DATA)
