"""The settings of TransBTS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from ... import losses
from ...networks.config import Count, config_from


@dataclass(frozen=True)
class Config:
    """base: channels of the first convolution (16 in the paper), which double at each of three halvings.

    embedding, heads, layers, hidden: of the transformer (512, 8, 4, 4096); grid: positions that have a code of their
    own, an eighth of the window of training along each axis (16, 16, 16).
    """

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    classes: int = 1
    spatial_dims: int = 3
    base: Annotated[int, Field(ge=8, le=128, multiple_of=8)] = 8
    embedding: Annotated[int, Field(ge=8, le=4096, multiple_of=8)] = 256
    heads: Count = 8
    layers: Count = 4
    hidden: Annotated[int, Field(ge=8, le=16384)] = 1024
    grid: tuple[int, ...] = (6, 8, 8)
    segmentation: losses.SegmentationWeights = losses.WITHOUT_BOUNDARY

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
