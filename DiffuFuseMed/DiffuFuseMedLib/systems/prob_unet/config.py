"""The settings of the Probabilistic U-Net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...networks.config import Count, config_from


@dataclass(frozen=True)
class Config:
    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    spatial_dims: int = 3
    channels: tuple[int, ...] = (16, 40, 56, 72)  # of the U-Net, at strides 2, 4, 8, 16
    blocks: tuple[int, ...] = (1, 2, 1, 1)
    latent_channels: tuple[int, ...] = (16, 24, 32, 48)  # of prior and posterior, at the same strides
    latents: Count = 6
    full: int = 16  # channels at full size, beside which the latent is laid
    beta: float = 1.0  # of the divergence, against cross-entropy summed over the window

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
