"""The settings of mmFormer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from ... import losses
from ...networks.config import Count, config_from


@dataclass(frozen=True)
class Config:
    """base: channels of the first convolution of each modality (8), which double at each of four halvings.

    embedding, heads, layers, hidden: of every transformer (512, 8, 1, 4096); grid: positions that have a code of their
    own, a sixteenth of the window of training along each axis (8, 8, 8). drops: whether training leaves out modalities
    that are there, each set of them as often as the others. separate, deep: weights of the two auxiliary losses.
    """

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    classes: int = 1
    spatial_dims: int = 3
    base: Annotated[int, Field(ge=4, le=128, multiple_of=4)] = 8
    embedding: Annotated[int, Field(ge=8, le=4096, multiple_of=8)] = 128
    heads: Count = 8
    layers: Count = 1
    hidden: Annotated[int, Field(ge=8, le=16384)] = 512
    grid: tuple[int, ...] = (3, 4, 4)
    drops: bool = True
    separate: Annotated[float, Field(ge=0)] = 1.0
    deep: Annotated[float, Field(ge=0)] = 1.0
    segmentation: losses.SegmentationWeights = losses.WITHOUT_BOUNDARY

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
