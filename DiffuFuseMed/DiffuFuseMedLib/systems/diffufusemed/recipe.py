"""How DiffuFuseMed is trained, whole and with one part taken out (Table 2 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...datasets import lidc, sts
from ...training.recipe import Recipe
from ...training.windows import WindowSettings
from .config import Config
from .latent_config import LatentConfig


@dataclass(frozen=True, kw_only=True)
class DiffuFuseMedRecipe(Recipe):
    """reliability_windows: for the fit of phi after training, reliability_fit.py."""

    reliability_windows: int = 900


STS = DiffuFuseMedRecipe(model_id="sts-diffufusemed", system="diffufusemed", config=Config(), data=sts.DATA)

LATENT = DiffuFuseMedRecipe(
    model_id="sts-diffufusemed-latent",
    system="diffufusemed-latent",
    config=LatentConfig(),
    data=sts.DATA,
    windows=WindowSettings(clean_complete=0.5, originals=True, simulated_readers=2),
    steps=60_000,
    minutes=900.0,
    ema=0.999,
)


# Beside CalDiff on nodules: of a size with what is compared there.
_SLICES = Config(("CT",), spatial_dims=2, stem_channels=32, channels=(56, 80, 80))
LIDC = DiffuFuseMedRecipe(**vars(lidc.recipe("lidc-diffufusemed", "diffufusemed", _SLICES)), reliability_windows=100)


def _without(name: str, **settings: Any) -> DiffuFuseMedRecipe:
    config = replace(STS.config, **settings)
    return replace(STS, model_id=f"sts-diffufusemed-{name}", config=config, reliability_windows=300)


# Table 2 of the paper: what is left when one part is taken out. They are compared among themselves: trained alike.
ABLATIONS: dict[str, DiffuFuseMedRecipe] = {
    "whole": _without("whole"),
    "no-diffusion": _without("no-diffusion", diffusion=False),
    "no-gating": _without("no-gating", gating=False),
    "no-alignment": _without("no-alignment", lambda_align=0.0),
    "no-time": _without("no-time", time_conditioned=False),
    "no-dropout": replace(_without("no-dropout"), windows=WindowSettings(drop_one=0.0, drop_two=0.0)),
    "cnn-only": _without("cnn-only", diffusion=False, gating=False, transformer=False, lambda_align=0.0),
}
