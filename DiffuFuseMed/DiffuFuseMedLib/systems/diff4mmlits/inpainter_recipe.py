"""The recipe of the inpainter: what it is trained on, for how long, with which weights."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...datasets import sts
from ...training.data import TrainingData
from ...training.recipe import BaseRecipe
from .inpainter import InpainterConfig
from .inpainter_objective import InpainterWeights
from .inpainter_slices import SliceSettings


@dataclass(frozen=True, kw_only=True)
class InpainterRecipe(BaseRecipe):
    """steps and minutes bound the run, whichever ends first."""

    model_id: str
    system: str = "diff4mmlits-inpainter"
    data: TrainingData = sts.DATA
    config: InpainterConfig = field(default_factory=InpainterConfig)
    slices: SliceSettings = field(default_factory=SliceSettings)
    weights: InpainterWeights = field(default_factory=InpainterWeights)
    batch: int = 6
    steps: int = 40_000
    minutes: float = 35.0
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    warmup: int = 50
    ema: float = 0.998
    clip: float = 5.0


STS = InpainterRecipe(model_id="sts-inpainter")
