"""TransBTS (W. Wang et al., MICCAI 2021, Section 2): convolutions down to an eighth, a transformer over what is left of
the volume, convolutions up again with what the way down saw.

Without dropout, as everything that it stands beside. docs/systems/baselines.md tells what differs from the paper.
"""

from __future__ import annotations

from itertools import pairwise

from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from ...core.errors import input_error
from ...losses.plain import PlainSegmenter
from ...networks.encoder import norm
from ...networks.grid_transformer import AttentionBlock, Positions, as_map, as_tokens
from .config import Config
from .parts import BLOCKS, Convolutions, Encoder, Up


class Network(nn.Module):
    """(B, in_channels, *space) -> logits (B, classes, *space)."""

    def __init__(self, config: Config, in_channels: int) -> None:
        super().__init__()
        c, dims = config, config.spatial_dims
        conv = Conv[Conv.CONV, dims]
        widths = [c.base * 2**level for level in range(len(BLOCKS))]
        self.encoder = Encoder(dims, in_channels, widths)
        self.embed = nn.Sequential(norm(widths[-1]), nn.ReLU(), conv(widths[-1], c.embedding, 3, padding=1))
        self.positions = Positions(c.grid, c.embedding)
        self.transformer = nn.Sequential(*[AttentionBlock(c.embedding, c.heads, c.hidden) for _ in range(c.layers)])
        self.unembed = nn.Sequential(
            Convolutions(dims, c.embedding, widths[-1]), Convolutions(dims, widths[-1], widths[-1])
        )
        self.up = nn.ModuleList([Up(dims, pair) for pair in pairwise(widths)])
        self.head = conv(c.base, c.classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        *skips, deepest = self.encoder(x)
        space = deepest.shape[2:]
        tokens = self.transformer(as_tokens(self.embed(deepest)) + self.positions(space))
        x = self.unembed(as_map(tokens, space))
        for up, skip in zip(reversed(self.up), reversed(skips), strict=True):
            x = up(x, skip)
        return self.head(x)


class TransBTS(PlainSegmenter):
    """The segmenter. Raises InputError for a grid of other dimensions, or an embedding that its heads do not divide."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        if len(config.grid) != config.spatial_dims:
            wanted = f"{config.spatial_dims} axes"
            raise input_error(f"a grid of positions of {len(config.grid)} axes", wanted, "correct the config")
        if config.embedding % config.heads:
            given = f"an embedding of {config.embedding} for {config.heads} heads"
            raise input_error(given, "a multiple of the heads", "correct the config")
        super().__init__(config, Network(config, 2 * len(config.modalities)))

    @property
    def stride(self) -> tuple[int, ...]:
        """Three halvings along each axis."""
        return (8,) * self.config.spatial_dims

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass, in float32: what a block keeps at full size, and the transformer's tokens."""
        c = self.config
        tokens = (4 * c.embedding + 2 * c.hidden) / 8**c.spatial_dims
        return self.bytes_with(voxels, 2 * len(c.modalities) + 8 * c.base + tokens)
