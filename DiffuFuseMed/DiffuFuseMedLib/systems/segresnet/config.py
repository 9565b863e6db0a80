"""The settings of the plain SegResNet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ... import losses
from ...networks.config import config_from


@dataclass(frozen=True)
class Config:
    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    classes: int = 1
    spatial_dims: int = 3
    init_filters: int = 16
    segmentation: losses.SegmentationWeights = field(
        default_factory=lambda: losses.SegmentationWeights(bce=1.0, dice=1.0, boundary=0.0)
    )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
