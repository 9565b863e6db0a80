"""The settings of the multi-encoder CNN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ... import losses
from ...networks.config import config_from


@dataclass(frozen=True)
class Config:
    """channels and residual blocks: of each modality's encoder, at strides 2, 4, 8, 16."""

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    classes: int = 1
    spatial_dims: int = 3
    channels: tuple[int, ...] = (16, 40, 80, 112)
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    segmentation: losses.SegmentationWeights = losses.WITHOUT_BOUNDARY

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
