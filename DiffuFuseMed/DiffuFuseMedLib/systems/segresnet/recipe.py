"""How the yardstick is trained: as what it stands beside."""

from __future__ import annotations

from ...training.recipe import Recipe
from .config import Config

STS_SEGRESNET = Recipe("sts-segresnet", "segresnet", Config())
