"""How CalDiff is trained, whole and with one part taken out (Table II of the paper)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...datasets import lidc, sts
from ...training.recipe import Recipe
from ...training.windows import WindowSettings
from .config import Config

STS = Recipe(
    model_id="sts-caldiff",
    system="caldiff",
    config=Config(),
    data=sts.DATA,
    windows=WindowSettings(simulated_readers=3, corrupt=0.1),
    steps=40_000,
    minutes=600.0,
    learning_rate=4e-4,
    weight_decay=0.0,
    ema=0.999,
)

# Slices around nodules of several radiologists: two dimensions, half of the weights.
LIDC = Recipe(
    model_id="lidc-caldiff",
    system="caldiff",
    config=Config(modalities=("CT",), spatial_dims=2, channels=(32, 56, 80, 104), denoiser=(40, 80, 104)),
    data=lidc.DATA,
    windows=WindowSettings(
        shape=(1, 48, 48),
        spacing_kji_mm=(2.5, 0.7, 0.7),
        margin_mm=(2.0, 15.0),
        rotation_degrees=(180.0, 0.0, 0.0),
        corrupt=0.0,
    ),
    batch=16,
    steps=20_000,
    minutes=120.0,
    learning_rate=4e-4,
    weight_decay=0.0,
    ema=0.999,
)


def _variant(name: str, **settings: Any) -> Recipe:
    return replace(STS, model_id=f"sts-caldiff-{name}", config=replace(STS.config, **settings))


# Table II of the paper, and what this project changes set back; compared among themselves: trained alike.
ABLATIONS: dict[str, Recipe] = {
    "plain": _variant("plain", step_uc=False, consecutive=1),
    "no-step-uc": _variant("no-step-uc", step_uc=False),
    "no-seq-uc": _variant("no-seq-uc", consecutive=1),
    "s3": _variant("s3", step_uc=False, consecutive=3, kappa=0.2),
    "s4": _variant("s4", step_uc=False, consecutive=4, kappa=0.2),
}
