"""A plain U-Net over images that lie beside each other: what the rivals of the published systems have in common."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from .decoder import FULL_RESOLUTION_CHANNELS, FusionDecoder
from .encoder import PyramidEncoder


class ImageUNet(nn.Module):
    """(B, in_channels, *space) -> (B, classes, *space) and the coarser logits that it learns from, coarsest first;
    none without deep.

    kept: of each level's channels, finest first, (1, channels[l], 1, ...) or None: what is multiplied into a map on its
    way to the decoder.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        channels: Sequence[int],
        blocks: Sequence[int],
        classes: int = 1,
        full: int = FULL_RESOLUTION_CHANNELS,
        deep: bool = True,
    ) -> None:
        super().__init__()
        self.encoder = PyramidEncoder(spatial_dims, in_channels, channels, blocks)
        self.decoder = FusionDecoder(spatial_dims, channels, classes, full=full, deep=deep)

    def forward(self, x: Tensor, kept: Sequence[Tensor] | None = None) -> tuple[Tensor, list[Tensor]]:
        maps = self.encoder(x)
        return self.decoder(maps if kept is None else [m * k.to(m) for m, k in zip(maps, kept, strict=True)])
