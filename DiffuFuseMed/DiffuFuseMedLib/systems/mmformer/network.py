"""mmFormer (Y. Zhang et al., MICCAI 2022, Section 2): an encoder and an intra-modal transformer for each modality, an
inter-modal transformer over all of them, a decoder. What an absent modality would say is zeros.

Training leaves out modalities that are there, and two auxiliary losses keep every encoder useful by itself: one decoder
that all modalities share sees one of them alone, and the fusing decoder answers at every level. The paper's published
code is github.com/YaoZhang93/mmFormer, read at commit 9de0bf7; nothing of it is copied.
docs/systems/baselines.md tells what differs.
"""

from __future__ import annotations

from typing import cast

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

from ... import losses
from ...core.errors import input_error
from ...networks.draw import Draw
from ...networks.grid_transformer import AttentionBlock, Positions, as_map, as_tokens
from .config import Config
from .parts import LEVELS, Decoder, Encoder, FusingDecoder


class OfOneModality(nn.Module):
    """Its encoder, and its intra-modal transformer over the coarsest map."""

    def __init__(self, config: Config, in_channels: int, widths: list[int]) -> None:
        super().__init__()
        c = config
        self.encoder = Encoder(c.spatial_dims, in_channels, widths)
        self.embed = Conv[Conv.CONV, c.spatial_dims](widths[-1], c.embedding, 1)
        self.positions = Positions(c.grid, c.embedding)
        self.transformer = transformer(c)

    def tokens(self, coarsest: Tensor) -> Tensor:
        """(B, widths[-1], *space) -> (B, positions, embedding)."""
        embedded, positions = as_tokens(self.embed(coarsest)), self.positions(coarsest.shape[2:])
        return with_positions(self.transformer, embedded, positions)


class MMFormer(nn.Module):
    """The segmenter. Raises InputError for a grid of other dimensions, or an embedding that its heads do not divide.

    in_channels: of each modality, intensity and valid mask; the paper's networks have no masks.
    """

    config_type = Config

    def __init__(self, config: Config, in_channels: int = 2) -> None:
        super().__init__()
        self.config, c = config, config
        if len(c.grid) != c.spatial_dims:
            given = f"a grid of positions of {len(c.grid)} axes"
            raise input_error(given, f"{c.spatial_dims} axes", "correct the config")
        if c.embedding % c.heads:
            given = f"an embedding of {c.embedding} for {c.heads} heads"
            raise input_error(given, "a multiple of the heads", "correct the config")
        count, widths = len(c.modalities), [c.base * 2**level for level in range(LEVELS)]
        self.modalities = nn.ModuleDict({m: OfOneModality(c, in_channels, widths) for m in c.modalities})
        self.transformer = transformer(c)
        self.unembed = Conv[Conv.CONV, c.spatial_dims](count * c.embedding, count * widths[-1], 1)
        self.decoder = FusingDecoder(c.spatial_dims, widths, c.classes, count)
        self.shared_decoder = Decoder(c.spatial_dims, widths, c.classes)

    @property
    def stride(self) -> tuple[int, ...]:
        """Four halvings along each axis."""
        return (2 ** (LEVELS - 1),) * self.config.spatial_dims

    def segment(self, images: dict[str, Tensor], generator: torch.Generator | None = None) -> Draw:
        """images: (B, 2, *space) each, intensity and valid -> logits (B, classes, *space)."""
        logits, _ = self._fused(self._encoded(images))
        return Draw(logits)

    def loss(self, batch: losses.Batch, generator: torch.Generator | None = None) -> losses.Losses:
        """Eq. (23) of DiffuFuseMed for what all modalities say together, and its sum for what each says alone and for
        every coarser level, drawn to full size."""
        c, encoded = self.config, self._encoded(batch.images)
        heard = subset(list(encoded), generator) if c.drops else list(encoded)
        logits, coarse = self._fused({m: encoded[m] for m in heard})
        parts = self._parts(logits, batch)
        alone = [self._whole(self.shared_decoder(maps), batch) for maps in encoded.values()]
        mode, size = {2: "bilinear", 3: "trilinear"}[c.spatial_dims], logits.shape[2:]
        below = [self._whole(F.interpolate(x.float(), size, mode=mode, align_corners=True), batch) for x in coarse]
        parts |= {"separate": c.separate * torch.stack(alone).sum(), "deep": c.deep * torch.stack(below).sum()}
        return losses.Losses(parts, logits)

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass, in float32: maps of every modality at full size, and what fuses them."""
        per_voxel = 2 * modalities + (4 * len(self.config.modalities) + 6) * self.config.base
        return int(4 * voxels * per_voxel) + 4 * sum(p.numel() for p in self.parameters())

    def _of(self, modality: str) -> OfOneModality:
        return cast(OfOneModality, self.modalities[modality])

    def _encoded(self, images: dict[str, Tensor]) -> dict[str, list[Tensor]]:
        there = [m for m in self.config.modalities if m in images]
        return {m: self._of(m).encoder(images[m]) for m in there}

    def _fused(self, encoded: dict[str, list[Tensor]]) -> tuple[Tensor, list[Tensor]]:
        names, first = self.config.modalities, next(iter(encoded.values()))
        finer = [
            torch.cat([encoded[m][level] if m in encoded else torch.zeros_like(first[level]) for m in names], dim=1)
            for level in range(LEVELS - 1)
        ]
        return self.decoder([*finer, self._inter_modal({m: maps[-1] for m, maps in encoded.items()})])

    def _inter_modal(self, coarsest: dict[str, Tensor]) -> Tensor:
        """(B, widths[-1], *space) by modality -> (B, modalities x widths[-1], *space)."""
        space = next(iter(coarsest.values())).shape[2:]
        own = {m: self._of(m).tokens(x) for m, x in coarsest.items()}
        nothing = torch.zeros_like(next(iter(own.values())))
        tokens = torch.cat([own.get(m, nothing) for m in self.config.modalities], dim=1)
        positions = torch.cat([self._of(m).positions(space) for m in self.config.modalities], dim=1)
        said = with_positions(self.transformer, tokens, positions).chunk(len(self.config.modalities), dim=1)
        return self.unembed(torch.cat([as_map(x, space) for x in said], dim=1))

    def _parts(self, logits: Tensor, batch: losses.Batch) -> dict[str, Tensor]:
        return losses.segmentation(logits, batch.target, batch.distance, self.config.segmentation)

    def _whole(self, logits: Tensor, batch: losses.Batch) -> Tensor:
        return torch.stack(list(self._parts(logits, batch).values())).sum()


def transformer(config: Config) -> nn.ModuleList:
    """The blocks of one transformer of mmFormer."""
    return nn.ModuleList([AttentionBlock(config.embedding, config.heads, config.hidden) for _ in range(config.layers)])


def with_positions(blocks: nn.ModuleList, tokens: Tensor, positions: Tensor) -> Tensor:
    """Every block is told the positions anew: (B, N, C) -> (B, N, C)."""
    for block in blocks:
        tokens = block(tokens + positions)
    return tokens


def subset(names: list[str], generator: torch.Generator | None) -> list[str]:
    """Some of the names, at least one: each such set as often as the others."""
    chosen = int(torch.randint(1, 2 ** len(names), (), generator=generator))
    return [name for bit, name in enumerate(names) if chosen >> bit & 1]
