"""The settings of the segmenters that MONAI ships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ... import losses
from ...networks.config import config_from


@dataclass(frozen=True)
class Config:
    """channels: at strides 1, 2, 4 ... of a U-Net, five of them; of Swin UNETR its feature size alone."""

    network: Literal["unet", "attention-unet", "swin-unetr"] = "unet"
    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    classes: int = 1
    spatial_dims: int = 3
    channels: tuple[int, ...] = (16, 32, 64, 128, 256)
    segmentation: losses.SegmentationWeights = losses.WITHOUT_BOUNDARY

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
