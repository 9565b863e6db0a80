"""The settings of PHiSeg."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...networks.config import Count, config_from


@dataclass(frozen=True)
class Config:
    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    spatial_dims: int = 3
    channels: tuple[int, ...] = (16, 32, 48, 64)  # of prior and posterior, at strides 2, 4, 8, 16
    likelihood: tuple[int, ...] = (16, 24, 32, 48)  # of what makes a mask of the latents, at the same strides
    latents: Count = 2  # a position and level

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
