"""Every setting of DiffuFuseMed: the paper's own, and the switches of its ablations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ... import losses
from ...networks.config import Blocks, Count, Draws, Share, Sharpness, Steps, config_from


@dataclass(frozen=True)
class Config:
    """Every setting of the published system; switches for the ablations of its Table 2 last."""

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    classes: int = 1
    spatial_dims: int = 3
    stem_channels: int = 32  # convolutional maps at stride 2, skips of the decoder without tokens
    stem_blocks: int = 1
    channels: tuple[int, ...] = (64, 88, 88)  # token levels at strides 4, 8, 16
    blocks: tuple[int, ...] = (2, 1, 1)
    heads: tuple[Count, ...] = (4, 4, 4)
    windows: tuple[Count, ...] = (4, 4, 4)
    summaries: tuple[Count, ...] = (2, 2, 2)
    transformer_blocks: tuple[Blocks, ...] = (1, 1, 2)
    diffusion_steps: tuple[Steps, ...] = (100, 50, 25)  # T_l, smaller at coarse levels (3.6)
    parametrisation: str = "v"
    start: Share = 0.5  # sampling begins at t = start * T_l
    sampler_steps: Draws = 2
    gate_sharpness: Sharpness = 2.0  # lambda of eq. (12)
    segmentation: losses.SegmentationWeights = field(default_factory=losses.SegmentationWeights)
    deep_supervision: float = 0.3
    lambda_diff: float = 0.1
    lambda_align: float = 0.02
    lambda_rel: float = 0.3
    gate_entropy: float = 0.1  # tau of eq. (26)
    diffusion: bool = True
    gating: bool = True
    time_conditioned: bool = True
    time_in_queries: bool = True  # T added to the queries of (15) too: in the keys alone it cancels
    transformer: bool = True

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
