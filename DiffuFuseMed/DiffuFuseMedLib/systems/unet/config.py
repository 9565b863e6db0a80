"""The settings of plain U-Nets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from ... import losses
from ...networks.config import config_from


@dataclass(frozen=True)
class Config:
    """dropout: share of each map's channels that a draw is without; members: networks, of which a draw is one's."""

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    spatial_dims: int = 3
    channels: tuple[int, ...] = (16, 40, 56, 72)  # at strides 2, 4, 8, 16
    blocks: tuple[int, ...] = (1, 2, 1, 1)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    members: Annotated[int, Field(ge=1, le=64)] = 1
    segmentation: losses.SegmentationWeights = losses.WITHOUT_BOUNDARY
    deep_supervision: float = 0.3

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
