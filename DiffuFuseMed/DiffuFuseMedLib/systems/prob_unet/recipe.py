"""How the Probabilistic U-Net is trained: as CalDiff, which it is compared with."""

from __future__ import annotations

from ...datasets import lidc, sts
from .config import Config

LIDC = lidc.recipe("lidc-prob-unet", "prob_unet", Config(("CT",), spatial_dims=2, channels=(32, 56, 80, 104)))
STS = sts.recipe_of_readers("sts-prob-unet", "prob_unet", Config())
