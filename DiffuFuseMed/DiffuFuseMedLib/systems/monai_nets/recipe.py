"""How MONAI's networks are trained: as sts-segresnet, on the same windows; in two dimensions on slices of them."""

from __future__ import annotations

from ...datasets import sts
from ...training.recipe import Recipe
from ...training.windows import WindowSettings
from .config import Config

SLICES = WindowSettings(shape=(1, 64, 64))
UNET_2D = Recipe(
    model_id="sts-unet-2d",
    system="monai-nets",
    config=Config("unet", spatial_dims=2, channels=(32, 64, 128, 256, 512)),
    data=sts.DATA,
    windows=SLICES,
    batch=32,
)
ATTENTION_UNET = Recipe(
    model_id="sts-attention-unet", system="monai-nets", config=Config("attention-unet"), data=sts.DATA
)
SWIN_UNETR = Recipe(
    model_id="sts-swin-unetr", system="monai-nets", config=Config("swin-unetr", channels=(12,)), data=sts.DATA
)
RECIPES = (UNET_2D, ATTENTION_UNET, SWIN_UNETR)
