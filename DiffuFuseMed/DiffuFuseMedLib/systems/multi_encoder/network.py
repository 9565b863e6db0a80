"""Multi-encoder CNN, the strongest CNN of DiffuFuseMed's Table 1, which neither cites nor describes it.

What the name says, in its plainest form: an encoder for each modality, features of every level fused by their mean, one
U-Net decoder. The mean is over the modalities that are there (HeMIS: M. Havaei et al., MICCAI 2016), so that an absent
one has no part in it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ... import losses
from ...networks import PyramidEncoder
from ...networks.decoder import FusionDecoder
from ...networks.draw import Draw
from .config import Config


class MultiEncoder(nn.Module):
    """The segmenter. Without noise; an absent modality is not read."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = c = config
        self.encoders = nn.ModuleDict(
            {m: PyramidEncoder(c.spatial_dims, 2, c.channels, c.blocks) for m in c.modalities}
        )
        self.decoder = FusionDecoder(c.spatial_dims, c.channels, c.classes, deep=False)

    @property
    def stride(self) -> tuple[int, ...]:
        """A halving for each level along each axis."""
        return (2 ** len(self.config.channels),) * self.config.spatial_dims

    def encode(self, images: dict[str, Tensor]) -> list[dict[str, Tensor]]:
        """images: (B, 2, *space) each, intensity and valid -> maps at strides 2, 4, 8, 16: what a host may keep."""
        pyramids = {m: self.encoders[m](x) for m, x in images.items()}
        return [{m: p[level] for m, p in pyramids.items()} for level in range(len(self.config.channels))]

    def segment(self, encoded: list[dict[str, Tensor]], generator: torch.Generator | None = None) -> Draw:
        """What encode() made -> logits (B, classes, *space)."""
        in_order = [[level[m] for m in self.config.modalities if m in level] for level in encoded]
        logits, _ = self.decoder([torch.stack(maps).mean(dim=0) for maps in in_order])
        return Draw(logits)

    def loss(self, batch: losses.Batch, generator: torch.Generator | None = None) -> losses.Losses:
        """Eq. (23) of DiffuFuseMed, weighted by the config."""
        logits = self.segment(self.encode(batch.images)).logits
        parts = losses.segmentation(logits, batch.target, batch.distance, self.config.segmentation)
        return losses.Losses(parts, logits)

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass, in float32: the maps of every modality at stride 2, and the decoder's few channels at full
        size."""
        c = self.config
        per_voxel = 2 * modalities + 24 + 4 * (modalities + 2) * c.channels[0] / 2**c.spatial_dims
        return int(4 * voxels * per_voxel) + 4 * sum(p.numel() for p in self.parameters())
