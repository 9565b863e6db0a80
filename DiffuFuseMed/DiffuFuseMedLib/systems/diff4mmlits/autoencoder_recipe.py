"""The recipe of the autoencoder: what it is trained on, for how long, with which weights."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...datasets import sts
from ...training.data import TrainingData
from ...training.recipe import BaseRecipe
from .autoencoder import AutoencoderConfig
from .autoencoder_objective import AutoencoderWeights
from .tumor_windows import WindowSettings


@dataclass(frozen=True, kw_only=True)
class AutoencoderRecipe(BaseRecipe):
    """steps and minutes bound the run, whichever ends first."""

    model_id: str
    system: str = "diff4mmlits-autoencoder"
    data: TrainingData = sts.DATA
    config: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    windows: WindowSettings = field(default_factory=lambda: WindowSettings(anywhere=0.3))
    weights: AutoencoderWeights = field(default_factory=AutoencoderWeights)
    batch: int = 4
    steps: int = 40_000
    minutes: float = 22.0
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    warmup: int = 50
    ema: float = 0.998
    clip: float = 5.0


STS = AutoencoderRecipe(model_id="sts-tumor-autoencoder")
