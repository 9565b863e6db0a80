"""Every setting of MedFusion-TransNet's network, and the switches of its ablations. DRGO's are losses/drgo.py's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from ... import losses
from ...core.errors import input_error
from ...networks.config import Blocks, Count, config_from

CHANNELS_A_GROUP = 8  # of the norm
MaskedShare = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class Config:
    """The settings that docs/systems/medfusion-transnet.md explains; switches of the ablations last.

    Raises InputError where levels and their settings do not fit each other.
    """

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    in_color: tuple[str, ...] = ()  # those of them that are pictures of three channels
    classes: Count = 1
    spatial_dims: int = 3
    channels: tuple[int, ...] = (8, 24, 48, 96)  # of E_l, at strides 1, 2, 4, 8; multiples of eight
    convs: tuple[Count, ...] = (1, 1, 2, 2)  # 3 x 3 convolutions of each level
    reduction: Count = 4  # of the channels inside the MLP of (12)
    resolutions: tuple[Count, ...] = (2, 4)  # of MSC: voxels averaged along each axis
    rates: tuple[Count, ...] = (1, 2, 4)  # R of (16)
    bottleneck: int = 64  # channels of (19)
    token_levels: Count = 2  # the coarsest levels, whose maps are tokens of the transformer
    token_grid: Count = 6  # tokens along an axis at most, so that attention costs the same for any window
    token_channels: int = 96
    heads: Count = 4
    transformer_blocks: Blocks = 2
    states: Count = 8  # of each channel of the state-space blocks
    masked: MaskedShare = 0.25  # of the deepest positions, hidden from the state-space encoder in training
    lambda_masked: float = 0.1
    lambda_smooth: float = 0.1  # lambda of (6)
    segmentation: losses.SegmentationWeights = losses.WITHOUT_BOUNDARY
    skips: bool = True
    attention: bool = True
    multi_scale: bool = True
    transformer: bool = True
    mamba: bool = False

    def __post_init__(self) -> None:
        if len(self.convs) != len(self.channels) or not 1 <= self.token_levels <= len(self.channels):
            given = f"{len(self.channels)} levels, convs for {len(self.convs)}, {self.token_levels} of tokens"
            raise input_error(given, "convs for each level, and no more levels of tokens", "correct the settings")
        widths = (*self.channels, self.bottleneck)
        if any(n < CHANNELS_A_GROUP or n % CHANNELS_A_GROUP for n in widths) or self.token_channels % self.heads:
            given = f"{', '.join(map(str, widths))} channels and {self.heads} heads of {self.token_channels}"
            raise input_error(given, f"multiples of {CHANNELS_A_GROUP} and of the heads", "correct the settings")
        if unknown := set(self.in_color) - set(self.modalities):
            given = f"{', '.join(sorted(unknown))} in color"
            raise input_error(given, "some of the modalities", "correct the settings")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
