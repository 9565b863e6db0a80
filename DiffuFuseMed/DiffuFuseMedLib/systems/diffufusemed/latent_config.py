"""Every setting of DiffuFuseMed on few latent channels, and the switches of its ablations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ... import losses
from ...networks.config import Blocks, Count, Draws, Share, Sharpness, Steps, config_from


@dataclass(frozen=True)
class LatentConfig:
    """The settings that docs/systems/diffufusemed.md explains; switches for the ablations last."""

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    classes: int = 1
    spatial_dims: int = 3
    full_channels: int = 12  # maps at full size: a modality's own, and the decoder's
    stem_channels: int = 32  # at stride 2, a skip without latents as those at full size are
    stem_blocks: int = 1
    channels: tuple[int, ...] = (48, 64, 80)  # encoders and fusion, at strides 4, 8, 16
    blocks: tuple[int, ...] = (2, 1, 1)
    latents: int = 12  # channels that are diffused, per modality and level
    denoiser: tuple[int, int] = (48, 64)  # its channels, at a level's own size and at half of it
    heads: tuple[Count, ...] = (4, 4, 4)
    windows: tuple[Count, ...] = (4, 4, 4)
    summaries: tuple[Count, ...] = (2, 2, 2)
    transformer_blocks: tuple[Blocks, ...] = (1, 1, 1)
    diffusion_steps: tuple[Steps, ...] = (100, 50, 25)  # T_l, smaller at coarse levels (3.6)
    start: Share = 0.25  # sampling begins at t = start * T_l, for an absent modality at T_l
    sampler_steps: Draws = 2
    reader_channels: int = 4  # of smooth noise per level that it enters: what one reader would draw, not another
    reader_levels: tuple[int, ...] = (1, 2)
    gate_sharpness: Sharpness = 2.0  # lambda of eq. (12)
    segmentation: losses.SegmentationWeights = field(default_factory=lambda: losses.SegmentationWeights(boundary=5.0))
    deep_supervision: float = 0.3
    lambda_energy: float = 1.0
    lambda_diff: float = 0.5
    lambda_reconstruction: float = 0.3
    lambda_align: float = 0.02
    lambda_rel: float = 0.1
    gate_entropy: float = 0.1  # tau of eq. (26)
    segment: bool = True  # False: reconstruction and denoising alone, on volumes that nobody drew in
    diffusion: bool = True
    gating: bool = True
    time_conditioned: bool = True
    readers: bool = True
    transformer: bool = True

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> LatentConfig:
        return config_from(cls, values)
