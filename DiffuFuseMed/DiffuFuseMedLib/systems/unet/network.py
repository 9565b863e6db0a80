"""Monte Carlo dropout (Y. Gal, Z. Ghahramani, ICML 2016) and deep ensembles (B. Lakshminarayanan, NeurIPS 2017).

Both of one plain U-Net; a draw is a network with some of its channels left out, or one of several networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ... import losses
from ...networks.draw import Draw
from ...networks.image_unet import ImageUNet
from ...networks.inputs import stacked
from .config import Config


@dataclass(frozen=True)
class Drawn:
    """One draw of the network: which member it is, and what is left of the channels of each level's map, finest first,
    (1, channels[l], 1, ...) each."""

    member: int
    kept: list[Tensor]


class UNet(nn.Module):
    """The segmenter. A draw is the same network in all of its windows."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        shape = (config.spatial_dims, 2 * len(config.modalities), config.channels, config.blocks)
        self.members = nn.ModuleList([ImageUNet(*shape) for _ in range(config.members)])

    @property
    def stride(self) -> tuple[int, ...]:
        """Each axis of a window is a multiple of its own."""
        return (2 ** len(self.config.channels),) * self.config.spatial_dims

    def latent(self, generator: torch.Generator | None = None) -> Drawn:
        """What all windows of a draw share."""
        member = int(torch.randint(len(self.members), (1,), generator=generator))
        return Drawn(member, self._kept(generator))

    def segment(
        self, images: dict[str, Tensor], generator: torch.Generator | None = None, latent: Drawn | None = None
    ) -> Draw:
        """images: (B, 2, *space) each, intensity and valid -> logits (B, 1, *space)."""
        drawn = latent or self.latent(generator)
        logits, _ = self.members[drawn.member](stacked(images, self.config.modalities), drawn.kept)
        return Draw(logits)

    def loss(self, batch: losses.Batch, generator: torch.Generator | None = None) -> losses.Losses:
        """The mean over the members, each against the mask of a reader that is drawn for it, and with other channels
        left out."""
        said = [self._of_member(member, batch, generator) for member in self.members]
        parts = {name: torch.stack([one.parts[name] for one in said]).mean() for name in said[0].parts}
        return losses.Losses(parts, said[0].prediction)

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass: the maps at stride 2 and the few channels at full size, in float32."""
        c = self.config
        per_voxel = 2 * len(c.modalities) + 24 + 10 * c.channels[0] / 2**c.spatial_dims
        return int(4 * voxels * per_voxel) + 4 * sum(p.numel() for p in self.parameters())

    def _of_member(self, member: nn.Module, batch: losses.Batch, generator: torch.Generator | None) -> losses.Losses:
        target = losses.readers_of(batch).one(generator)
        logits, coarse = member(stacked(batch.images, self.config.modalities), self._kept(generator))
        parts = losses.segmentation(logits, target, batch.distance, self.config.segmentation)
        below = [losses.cross_entropy(x.float(), losses.coarse_targets(target, x)) for x in coarse]
        parts["deep"] = self.config.deep_supervision * torch.stack(below).mean()
        return losses.Losses(parts, logits)

    def _kept(self, generator: torch.Generator | None) -> list[Tensor]:
        """Inverted dropout of whole channels: a single voxel's is undone by its neighbors'."""
        left, ones = 1 - self.config.dropout, (1,) * self.config.spatial_dims
        return [(torch.rand((1, c, *ones), generator=generator) < left) / left for c in self.config.channels]
