"""How MedFusion-TransNet is trained, whole and with one part taken out (Tables 3 and 4 of the paper, and our own)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...datasets import kvasir, lidc, sts
from ...losses import Drgo
from ...training.recipe import Recipe
from .config import Config

STS = Recipe(
    model_id="sts-medfusion-transnet", system="medfusion-transnet", config=Config(), data=sts.DATA, drgo=Drgo()
)

# Slices around nodules, beside CalDiff: two dimensions, where more channels cost little.
_SLICES = Config(("CT",), spatial_dims=2, channels=(16, 40, 64, 104), token_grid=12)
LIDC = replace(lidc.recipe("lidc-medfusion-transnet", "medfusion-transnet", _SLICES), drgo=Drgo())

# Pictures in color, the only modality that they have. Without DRGO: its regions reach further than a small picture.
_PICTURES = replace(_SLICES, modalities=("RGB",), in_color=("RGB",))
KVASIR = Recipe(
    model_id="kvasir-medfusion-transnet",
    system="medfusion-transnet",
    config=_PICTURES,
    data=kvasir.DATA,
    windows=kvasir.PICTURES,
    batch=8,
)


def _without(name: str, drgo: Drgo | None = STS.drgo, **settings: Any) -> Recipe:
    """The whole of it without one part."""
    config = replace(STS.config, **settings)
    return replace(STS, model_id=f"sts-medfusion-transnet-{name}", config=config, drgo=drgo)


# The first three are the paper's (w/o HFE, CA, BR). They are compared among themselves: trained alike.
ABLATIONS: dict[str, Recipe] = {
    "no-skips": _without("no-skips", skips=False),
    "no-attention": _without("no-attention", attention=False),
    "no-boundary": _without("no-boundary", drgo=Drgo(refined=0.0)),
    "no-multi-scale": _without("no-multi-scale", multi_scale=False),
    "no-transformer": _without("no-transformer", transformer=False),
    "no-sampling": _without("no-sampling", drgo=Drgo(sampling=False)),
    "no-adaptive": _without("no-adaptive", drgo=Drgo(adaptive=0.0)),
    "no-drgo": _without("no-drgo", drgo=None),
    "mamba": _without("mamba", mamba=True),
}
