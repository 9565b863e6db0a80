"""SegResNet (A. Myronenko, BrainLes 2018) as MONAI ships it: the yardstick that a published system has to beat.

Modalities are channels beside their valid masks; an absent one is a channel of zeros with an empty mask.
"""

from __future__ import annotations

import torch
from monai.networks.nets import SegResNet as Network
from torch import Tensor, nn

from ... import losses
from ...networks.draw import Draw
from ...networks.inputs import stacked
from .config import Config


class SegResNet(nn.Module):
    """One forward pass without noise: two draws differ only by how the window was mirrored and scaled."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.network = Network(
            config.spatial_dims, config.init_filters, 2 * len(config.modalities), config.classes, dropout_prob=0.0
        )

    @property
    def stride(self) -> tuple[int, ...]:
        """Three halvings along each axis."""
        return (8,) * self.config.spatial_dims

    def segment(self, images: dict[str, Tensor], generator: torch.Generator | None = None) -> Draw:
        """images: (B, 2, *space) each, intensity and valid -> logits (B, classes, *space)."""
        return Draw(self.network(stacked(images, self.config.modalities)))

    def loss(self, batch: losses.Batch, generator: torch.Generator | None = None) -> losses.Losses:
        logits = self.segment(batch.images).logits
        parts = losses.segmentation(logits, batch.target, batch.distance, self.config.segmentation)
        return losses.Losses(parts, logits)

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass: a few full-size maps of init_filters channels in float32."""
        return int(4 * voxels * 8 * self.config.init_filters) + 4 * sum(p.numel() for p in self.parameters())
