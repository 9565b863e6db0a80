"""How the 3D U-Net is trained: as sts-segresnet, which it stands beside."""

from __future__ import annotations

from ...datasets import sts
from ...training.recipe import Recipe
from .config import Config

STS_UNET_3D = Recipe(model_id="sts-unet-3d", system="unet-3d", config=Config(), data=sts.DATA)
