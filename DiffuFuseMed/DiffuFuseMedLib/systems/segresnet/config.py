"""The settings of the plain SegResNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ... import losses
from ...networks.config import config_from


@dataclass(frozen=True)
class Config:
    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    classes: int = 1
    spatial_dims: int = 3
    init_filters: int = 16
    segmentation: losses.SegmentationWeights = losses.WITHOUT_BOUNDARY

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
