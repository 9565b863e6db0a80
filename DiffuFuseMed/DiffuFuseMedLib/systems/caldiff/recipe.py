"""How CalDiff is trained, whole and with one part taken out (Table II of the paper)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...datasets import lidc, sts
from ...training.recipe import Recipe
from .config import Config

# More steps make the lesion smaller in three dimensions, docs/systems/caldiff.md: two, chosen on training patients.
STS = sts.recipe_of_readers("sts-caldiff", "caldiff", Config(sampler_steps=2))

# Slices around nodules of several radiologists: two dimensions, half of the weights.
_SLICES = Config(modalities=("CT",), spatial_dims=2, channels=(32, 56, 80, 104), denoiser=(40, 80, 104))
LIDC = lidc.recipe("lidc-caldiff", "caldiff", _SLICES)


def _variant(of: Recipe, name: str, **settings: Any) -> Recipe:
    return replace(of, model_id=f"{of.model_id}-{name}", config=replace(of.config, **settings))


# Table II of the paper, compared among themselves: trained alike. Plain is diffusion of masks as SegDiff has it.
_PARTS: dict[str, dict[str, Any]] = {
    "plain": {"step_uc": False, "consecutive": 1},
    "no-step-uc": {"step_uc": False},
    "no-seq-uc": {"consecutive": 1},
    "s3": {"step_uc": False, "consecutive": 3, "kappa": 0.2},
    "s4": {"step_uc": False, "consecutive": 4, "kappa": 0.2},
}
ABLATIONS: dict[str, Recipe] = {name: _variant(STS, name, **settings) for name, settings in _PARTS.items()}
LIDC_ABLATIONS: dict[str, Recipe] = {name: _variant(LIDC, name, **settings) for name, settings in _PARTS.items()}
# Not of the paper: Seq-UC over steps as long as a sampler's. docs/systems/caldiff.md tells what came of it.
JUMPS = _variant(STS, "jumps", longest_jump=500)
