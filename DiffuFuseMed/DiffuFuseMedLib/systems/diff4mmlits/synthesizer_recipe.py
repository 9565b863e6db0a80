"""The recipe of the synthesizer: what it is trained on, for how long, with which autoencoder."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...datasets import sts
from ...training.data import TrainingData
from ...training.recipe import BaseRecipe
from . import autoencoder_recipe
from .synthesizer import SynthesizerConfig
from .tumor_windows import WindowSettings


@dataclass(frozen=True, kw_only=True)
class SynthesizerRecipe(BaseRecipe):
    """autoencoder: the model whose latent it is, trained before; config: its part of the autoencoder's is taken from
    that; latent_windows: how many say how the latent is spread. steps and minutes bound the run, whichever ends first.
    """

    model_id: str
    system: str = "diff4mmlits-synthesizer"
    autoencoder: str = autoencoder_recipe.STS.model_id
    data: TrainingData = sts.DATA
    config: SynthesizerConfig = field(default_factory=SynthesizerConfig)
    windows: WindowSettings = field(default_factory=WindowSettings)
    latent_windows: int = 64
    batch: int = 4
    steps: int = 40_000
    minutes: float = 28.0
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    warmup: int = 50
    ema: float = 0.998
    clip: float = 1.0


STS = SynthesizerRecipe(model_id="sts-tumor-synthesizer")
