"""How the multi-encoder CNN is trained: as sts-segresnet, which it stands beside."""

from __future__ import annotations

from ...datasets import sts
from ...training.recipe import Recipe
from .config import Config

STS_MULTI_ENCODER = Recipe(model_id="sts-multi-encoder", system="multi-encoder", config=Config(), data=sts.DATA)
