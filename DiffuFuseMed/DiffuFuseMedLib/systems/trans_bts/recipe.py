"""How TransBTS is trained: as sts-segresnet, which it stands beside."""

from __future__ import annotations

from ...datasets import sts
from ...training.recipe import Recipe
from .config import Config

STS_TRANS_BTS = Recipe(model_id="sts-transbts", system="trans-bts", config=Config(), data=sts.DATA)
