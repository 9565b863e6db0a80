"""What the plain segmenters share: one pass over images that lie beside each other, and eq. (23) of what comes out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..networks.draw import Draw
from ..networks.inputs import stacked
from .batch import Batch, Losses
from .segmentation import segmentation


class PlainSegmenter(nn.Module):
    """A network over stacked channels as a segmenter. Without noise: two draws differ only by how the window was
    mirrored and scaled. An absent modality is a channel of zeros with an empty mask.

    network: (B, 2 per modality, *space) -> logits (B, classes, *space); config: its modalities and the weights of the
    loss, `segmentation`.
    """

    def __init__(self, config: Any, network: nn.Module) -> None:
        super().__init__()
        self.config, self.network = config, network

    def segment(self, images: dict[str, Tensor], generator: torch.Generator | None = None) -> Draw:
        """images: (B, 2, *space) each, intensity and valid -> logits (B, classes, *space)."""
        return Draw(self.network(stacked(images, self.config.modalities)))

    def loss(self, batch: Batch, generator: torch.Generator | None = None) -> Losses:
        """Eq. (23) of the logits, weighted by the config."""
        logits = self.segment(batch.images).logits
        return Losses(segmentation(logits, batch.target, batch.distance, self.config.segmentation), logits)

    def bytes_with(self, voxels: int, full_size_channels: float) -> int:
        """Of one pass: so many float32 channels of the window's size alive together, and the weights."""
        return int(4 * voxels * full_size_channels) + 4 * sum(p.numel() for p in self.parameters())
