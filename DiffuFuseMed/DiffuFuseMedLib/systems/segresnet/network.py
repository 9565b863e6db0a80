"""SegResNet (A. Myronenko, BrainLes 2018) as MONAI ships it: the yardstick that a published system has to beat.

Modalities are channels beside their valid masks; an absent one is a channel of zeros with an empty mask.
"""

from __future__ import annotations

from monai.networks.nets import SegResNet as Network

from ...losses.plain import PlainSegmenter
from .config import Config


class SegResNet(PlainSegmenter):
    """One forward pass without noise: two draws differ only by how the window was mirrored and scaled."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        channels = 2 * len(config.modalities)
        super().__init__(
            config, Network(config.spatial_dims, config.init_filters, channels, config.classes, dropout_prob=0.0)
        )

    @property
    def stride(self) -> tuple[int, ...]:
        """Three halvings along each axis."""
        return (8,) * self.config.spatial_dims

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass: a few full-size maps of init_filters channels in float32."""
        return self.bytes_with(voxels, 8 * self.config.init_filters)
