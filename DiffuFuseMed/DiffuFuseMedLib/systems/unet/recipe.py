"""How the plain U-Nets are trained: as CalDiff, which they are compared with, on the same windows for the same time."""

from __future__ import annotations

from dataclasses import replace

from ...datasets import lidc, sts
from .config import Config

MEMBERS, DROPOUT = 4, 0.2
_SLICES = Config(modalities=("CT",), spatial_dims=2, channels=(32, 56, 80, 104))

RECIPES = (
    lidc.recipe("lidc-dropout", "unet", replace(_SLICES, dropout=DROPOUT)),
    lidc.recipe("lidc-ensemble", "unet", replace(_SLICES, members=MEMBERS)),
    sts.recipe_of_readers("sts-dropout", "unet", Config(dropout=DROPOUT)),
    sts.recipe_of_readers("sts-ensemble", "unet", Config(members=MEMBERS)),
)
