"""How DiffuFuseMed is trained, whole and with one part taken out (Table 2 of the paper)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...training.recipe import Recipe
from ...training.windows import WindowSettings
from .config import Config

STS = Recipe("sts-diffufusemed", "diffufusemed", Config())


def _without(name: str, **settings: Any) -> Recipe:
    config = replace(STS.config, **settings)
    return replace(STS, model_id=f"sts-diffufusemed-{name}", config=config, reliability_windows=300)


# Table 2 of the paper: what is left when one part is taken out. They are compared among themselves: trained alike.
ABLATIONS: dict[str, Recipe] = {
    "whole": _without("whole"),
    "no-diffusion": _without("no-diffusion", diffusion=False),
    "no-gating": _without("no-gating", gating=False),
    "no-alignment": _without("no-alignment", lambda_align=0.0),
    "no-time": _without("no-time", time_conditioned=False),
    "no-dropout": replace(_without("no-dropout"), windows=WindowSettings(drop_one=0.0, drop_two=0.0)),
    "cnn-only": _without("cnn-only", diffusion=False, gating=False, transformer=False, lambda_align=0.0),
}
