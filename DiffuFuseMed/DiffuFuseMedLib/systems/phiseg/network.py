"""PHiSeg (C. Baumgartner, K. Tezcan, K. Chaitanya et al., MICCAI 2019), with latents from stride 2 on.

docs/systems/caldiff.md tells what differs from the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from monai.networks.blocks import SubpixelUpsample
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

from ... import diffusion as dm
from ... import losses
from ...networks.draw import Draw
from ...networks.encoder import residual_blocks
from ...networks.inputs import stacked
from .config import Config
from .hierarchy import Hierarchy, Level


class Likelihood(nn.Module):
    """Latents, finest first -> logits of each level at its own size and, first, those at full size.

    What a level says is added to what the coarser ones said, as in the paper's residual masks.
    """

    def __init__(self, spatial_dims: int, channels: Sequence[int], latents: int) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        coarser = [*channels[1:], 0]
        self.enter = nn.ModuleList([conv(latents + c, n, 3, padding=1) for n, c in zip(channels, coarser, strict=True)])
        self.blocks = nn.ModuleList([residual_blocks(spatial_dims, n, 1) for n in channels])
        self.heads = nn.ModuleList([conv(n, 1, 1) for n in channels])
        self.subpixel = SubpixelUpsample(spatial_dims, channels[0], 1, 2, apply_pad_pool=False)

    def forward(self, latents: Sequence[Tensor]) -> list[Tensor]:
        x: Tensor | None = None
        said: list[Tensor] = []
        for level in reversed(range(len(latents))):
            z = latents[level]
            given = z if x is None else torch.cat([z, F.interpolate(x, z.shape[2:])], dim=1)
            x = self.blocks[level](self.enter[level](given))
            own = self.heads[level](x)
            said.append(own if not said else own + F.interpolate(said[-1], own.shape[2:]))
        assert x is not None
        full = self.subpixel(x)
        return [full + F.interpolate(said[-1], full.shape[2:]), *said[::-1]]


class PHiSeg(nn.Module):
    """The segmenter. Each window of a draw has latents of its own."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, dims, images = config, config.spatial_dims, 2 * len(config.modalities)
        self.prior, self.posterior = (
            Hierarchy(dims, channels, config.channels, config.latents) for channels in (images, images + 1)
        )
        self.likelihood = Likelihood(dims, config.likelihood, config.latents)

    @property
    def stride(self) -> tuple[int, ...]:
        """Each axis of a window is a multiple of its own."""
        return (2 ** len(self.config.channels),) * self.config.spatial_dims

    def segment(self, images: dict[str, Tensor], generator: torch.Generator | None = None) -> Draw:
        """images: (B, 2, *space) each, intensity and valid -> logits (B, 1, *space)."""
        levels = self.prior(stacked(images, self.config.modalities), _drawn_by(generator))
        return Draw(self._masks(levels)[0])

    def loss(self, batch: losses.Batch, generator: torch.Generator | None = None) -> losses.Losses:
        """The bound (4) of one reader's mask, divided by the number of voxels: cross-entropy at every level, and
        D_KL(Q || P) of every level given the posterior's draws of the coarser ones."""
        seen, mask = stacked(batch.images, self.config.modalities), losses.readers_of(batch).one(generator)
        posterior = self.posterior(torch.cat([seen, mask], dim=1), _drawn_by(generator))
        prior = self.prior(seen, lambda level, mean, log_variance: posterior[level].z)
        said = self._masks(posterior)
        parts = {
            "ce": torch.stack([losses.cross_entropy(x, losses.coarse_targets(mask, x)) for x in said]).sum(),
            "kl": _divergence(posterior, prior) / mask[0].numel(),
        }
        return losses.Losses(parts, said[0])

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass: the maps at stride 2 of prior and likelihood, in float32."""
        c = self.config
        per_voxel = 2 * len(c.modalities) + 4 + 10 * (c.channels[0] + c.likelihood[0]) / 2**c.spatial_dims
        return int(4 * voxels * per_voxel) + 4 * sum(p.numel() for p in self.parameters())

    def _masks(self, levels: Sequence[Level]) -> list[Tensor]:
        with torch.autocast(levels[0].z.device.type, enabled=False):
            return self.likelihood([level.z.float() for level in levels])


def _drawn_by(generator: torch.Generator | None) -> Callable[[int, Tensor, Tensor], Tensor]:
    def choose(level: int, mean: Tensor, log_variance: Tensor) -> Tensor:
        return mean + (log_variance / 2).exp() * dm.gaussian_like(mean, generator)

    return choose


def _divergence(posterior: Sequence[Level], prior: Sequence[Level]) -> Tensor:
    """Summed over positions, a mean over the batch; a position of a coarse level weighs as much as those of the finest
    one that it stands for."""
    below = 2 ** (posterior[0].mean.ndim - 2)
    apart = [
        below**level * losses.kl_of_normals(q.mean, q.log_variance, p.mean, p.log_variance).flatten(1).sum(1)
        for level, (q, p) in enumerate(zip(posterior, prior, strict=True))
    ]
    return torch.stack(apart).sum(dim=0).mean()
