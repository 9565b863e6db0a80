"""Recipes: named settings that make the weights that ship, and the variants they are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..systems.diffufusemed import Config as DiffuFuseMedConfig
from ..systems.segresnet import Config as SegResNetConfig
from .windows import WindowSettings


@dataclass(frozen=True)
class Recipe:
    """model_id: folder under models/; system: a key of SYSTEMS; folds: what is trained on, of split.json.

    steps and minutes (training/budget.py) bound the run, whichever ends first; the learning rate follows whichever is
    further along.
    """

    model_id: str
    system: str
    config: Any
    folds: tuple[int, ...] = (1, 2, 3)
    held_out: tuple[str, ...] = ("STS_010",)  # the demonstration case is in no training set
    windows: WindowSettings = field(default_factory=WindowSettings)
    batch: int = 2
    steps: int = 14_000
    minutes: float = 120.0
    learning_rate: float = 6e-4
    fresh_rate: float = 10.0  # times the learning rate, for what the starting weights do not have
    weight_decay: float = 1e-2
    warmup: int = 200
    ema: float = 0.998
    clip: float = 1.0
    seed: int = 0
    reliability_windows: int = 900  # for the fit of phi after training, training/reliability.py


STS = Recipe("sts-diffufusemed", "diffufusemed", DiffuFuseMedConfig())
STS_SEGRESNET = Recipe("sts-segresnet", "segresnet", SegResNetConfig())


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

RECIPES: dict[str, Recipe] = {r.model_id: r for r in (STS, STS_SEGRESNET, *ABLATIONS.values())}
