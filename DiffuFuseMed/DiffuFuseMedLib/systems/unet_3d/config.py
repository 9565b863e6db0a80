"""The settings of the 3D U-Net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from ... import losses
from ...networks.config import config_from


@dataclass(frozen=True)
class Config:
    """base: channels of the first convolution, 32 in the paper."""

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    classes: int = 1
    spatial_dims: int = 3
    base: Annotated[int, Field(ge=8, le=256, multiple_of=8)] = 16
    segmentation: losses.SegmentationWeights = losses.WITHOUT_BOUNDARY

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
