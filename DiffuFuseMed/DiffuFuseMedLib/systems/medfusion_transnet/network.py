"""MedFusion-TransNet: the network of the paper, CASNet with transformer fusion. Its DRGO is losses/drgo.py, for any.

Equations are numbered in their order of appearance in docs/systems/medfusion-transnet.md, which tells what of this is
the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ... import losses
from ...networks.draw import Draw
from .attention import ContextualAttention
from .config import Config
from .decoder import Decoder
from .encoder import Encoder
from .mamba import MaskedMamba, drawn_to_hide
from .multi_scale import Bottleneck
from .pooling import averaged, merged
from .transformer import TransformerFusion

Levels = list[dict[str, Tensor]]  # finest first; by present modality


@dataclass(frozen=True)
class Said:
    """logits: (B, classes, *space); masked: how wrong hidden positions were told, a scalar, or None where none were."""

    logits: Tensor
    masked: Tensor | None = None


class MedFusionTransNet(nn.Module):
    """The segmenter. An absent modality is not read, and one that saw nothing of a window has no part in it."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, dims = config, config.spatial_dims
        deepest = config.channels[-1]
        self.encoders = nn.ModuleDict(
            {
                m: Encoder(dims, 4 if m in config.in_color else 2, config.channels, config.convs)
                for m in config.modalities
            }
        )
        self.transformer = self._transformer() if config.transformer else None
        self.mamba = MaskedMamba(deepest, config.states) if config.mamba else None
        self.attention = self._attention() if config.attention else None
        self.bottleneck = Bottleneck(dims, deepest, config.bottleneck, config.rates if config.multi_scale else ())
        self.decoder = Decoder(dims, (*config.channels[:-1], config.bottleneck), config.classes, config.skips)

    def _transformer(self) -> TransformerFusion:
        c = self.config
        told = (c.channels[-c.token_levels :], c.token_channels, c.heads, c.transformer_blocks, c.token_grid)
        return TransformerFusion(c.spatial_dims, c.modalities, *told)

    def _attention(self) -> nn.ModuleList:
        """Of each level whose map the decoder is given."""
        c = self.config
        levels = c.channels if c.skips else c.channels[-1:]
        return nn.ModuleList([ContextualAttention(c.spatial_dims, n, c.resolutions, c.reduction) for n in levels])

    @property
    def stride(self) -> tuple[int, ...]:
        """Each axis of a window is a multiple of its own."""
        return (2 ** (len(self.config.channels) - 1),) * self.config.spatial_dims

    def segment(self, images: dict[str, Tensor], generator: torch.Generator | None = None) -> Draw:
        """images: (B, 2, *space) each, intensity and valid; (B, 4, *space) of those in color -> logits (B, classes,
        *space). Nothing is drawn: two samples differ by how their windows were mirrored and scaled alone."""
        return Draw(self._said(images).logits)

    def loss(self, batch: losses.Batch, generator: torch.Generator | None = None) -> losses.Losses:
        """(6) on one batch: cross-entropy, Dice, lambda R_s of (5), and what hidden positions cost. Of several
        annotators one is drawn."""
        c = self.config
        target = batch.target if batch.references is None else losses.readers_of(batch).one(generator)
        said = self._said(batch.images, generator, masked=c.masked)
        parts = losses.segmentation(said.logits, target, batch.distance, c.segmentation)
        parts["smooth"] = c.lambda_smooth * losses.label_continuity(said.logits)
        if said.masked is not None:
            parts["masked"] = c.lambda_masked * said.masked
        return losses.Losses(parts, said.logits)

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass: the finest maps of every modality and those of the decoder beside them, in float32."""
        c = self.config
        coarser = sum(n / 2 ** (c.spatial_dims * level) for level, n in enumerate(c.channels))
        per_voxel = 4 * modalities + 2 * modalities * coarser + 4 * c.channels[0]
        return int(4 * voxels * per_voxel) + 4 * sum(p.numel() for p in self.parameters())

    def _said(self, images: dict[str, Tensor], generator: torch.Generator | None = None, masked: float = 0.0) -> Said:
        levels, seen = self._encoded(images)
        if self.transformer is not None:
            told = self.config.token_levels
            levels[-told:] = self.transformer(levels[-told:], seen[-told:])
        maps = [merged(x, share) for x, share in zip(levels, seen, strict=True)]
        wrong = None
        if self.mamba is not None:
            hide = drawn_to_hide(maps[-1], masked, generator) if masked else None
            made = self.mamba(maps[-1], hide)
            wrong = None if hide is None else self.mamba.wrong(made, maps[-1], hide)
            maps[-1] = made
        return Said(self._decoded(maps), wrong)

    def _encoded(self, images: dict[str, Tensor]) -> tuple[Levels, Levels]:
        """Maps of every level by modality, and the share of each position that was in view, (B, 1, *space)."""
        pyramids = {m: self.encoders[m](x) for m, x in images.items()}
        count = range(len(self.config.channels))
        levels = [{m: maps[level] for m, maps in pyramids.items()} for level in count]
        return levels, [{m: averaged(images[m][:, -1:], x.shape[2:]) for m, x in maps.items()} for maps in levels]

    def _decoded(self, maps: list[Tensor]) -> Tensor:
        """maps: of every level, finest first, (B, channels[l], *space / 2^l)."""
        kept = maps if self.config.skips else maps[-1:]
        if self.attention is not None:
            kept = [attend(x) for attend, x in zip(self.attention, kept, strict=True)]
        return self.decoder(self.bottleneck(kept[-1]), kept[:-1] if self.config.skips else None)
