"""How PHiSeg is trained: as CalDiff, which it is compared with."""

from __future__ import annotations

from ...datasets import lidc, sts
from .config import Config

_SLICES = Config(("CT",), spatial_dims=2, channels=(32, 48, 64, 80), likelihood=(32, 40, 48, 64))
LIDC = lidc.recipe("lidc-phiseg", "phiseg", _SLICES)
STS = sts.recipe_of_readers("sts-phiseg", "phiseg", Config())
