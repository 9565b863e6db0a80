"""Segmenters as MONAI ships them, under the contract of every segmenter here."""

from __future__ import annotations

from ...core.errors import input_error
from ...losses.plain import PlainSegmenter
from .config import Config
from .networks import NETWORKS

LEVELS = 5
# Channels of the window's size that are alive together, in units of the first level's: both halves of the finest join,
# and what attention gates keep beside them.
ALIVE = {"unet": 8, "attention-unet": 10, "swin-unetr": 16}
# Swin UNETR's first attention: every position of stride 2 weighs its window's 7 along each axis, for three heads,
# before and after the softmax; grids are filled up to whole windows.
SWIN_HEADS, SWIN_WINDOW, FILLED_UP = 3, 7, 1.32


class MonaiNet(PlainSegmenter):
    """One of MONAI's networks; which one its config says."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        wanted = 1 if config.network == "swin-unetr" else LEVELS
        if len(config.channels) != wanted:
            given = f"{len(config.channels)} numbers of channels for {config.network}"
            raise input_error(given, f"{wanted} of them", "correct the config")
        super().__init__(config, NETWORKS[config.network](config))

    @property
    def stride(self) -> tuple[int, ...]:
        """Four halvings along each axis; Swin UNETR is given what lacks to its five."""
        return (16,) * self.config.spatial_dims

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass, in float32."""
        c = self.config
        weighed = 2 * SWIN_HEADS * (FILLED_UP * SWIN_WINDOW / 2) ** c.spatial_dims if c.network == "swin-unetr" else 0
        return self.bytes_with(voxels, 2 * len(c.modalities) + ALIVE[c.network] * c.channels[0] + weighed)
