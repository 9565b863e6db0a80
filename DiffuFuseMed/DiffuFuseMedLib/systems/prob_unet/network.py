"""Probabilistic U-Net (S. Kohl et al., NeurIPS 2018); equation numbers are that paper's."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from ... import diffusion as dm
from ... import losses
from ...networks import PyramidEncoder
from ...networks.draw import Draw
from ...networks.image_unet import ImageUNet
from ...networks.inputs import stacked
from .config import Config


@dataclass(frozen=True)
class Normal:
    """mean and log_variance: (B, latents)."""

    mean: Tensor
    log_variance: Tensor

    def at(self, noise: Tensor) -> Tensor:
        """The draw that this standard normal noise, (B or 1, latents), is."""
        return self.mean + (self.log_variance / 2).exp() * noise


class LatentNet(nn.Module):
    """Images, and for the posterior a mask beside them -> the axis-aligned normal of the latent, eq. (1), (3)."""

    def __init__(self, in_channels: int, config: Config) -> None:
        super().__init__()
        channels = config.latent_channels
        self.encoder = PyramidEncoder(config.spatial_dims, in_channels, channels, (1,) * len(channels))
        self.head = nn.Linear(channels[-1], 2 * config.latents)

    def forward(self, x: Tensor) -> Normal:
        seen = self.encoder(x)[-1].float().flatten(2).mean(dim=2)
        return Normal(*self.head(seen).float().chunk(2, dim=1))


class ProbabilisticUNet(nn.Module):
    """The segmenter. A draw has the same place in the prior in all of its windows."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, dims, images = config, config.spatial_dims, 2 * len(config.modalities)
        self.unet = ImageUNet(dims, images, config.channels, config.blocks, config.full, config.full, deep=False)
        self.prior, self.posterior = LatentNet(images, config), LatentNet(images + 1, config)
        conv = Conv[Conv.CONV, dims]
        self.combine = nn.Sequential(
            *(conv(config.full + config.latents, config.full, 1), nn.SiLU()),
            *(conv(config.full, config.full, 1), nn.SiLU()),
            conv(config.full, 1, 1),
        )

    @property
    def stride(self) -> tuple[int, ...]:
        """Each axis of a window is a multiple of its own."""
        return (2 ** len(self.config.channels),) * self.config.spatial_dims

    def latent(self, generator: torch.Generator | None = None) -> Tensor:
        """What all windows of a draw share: noise (1, latents)."""
        return torch.randn((1, self.config.latents), generator=generator)

    def segment(
        self, images: dict[str, Tensor], generator: torch.Generator | None = None, latent: Tensor | None = None
    ) -> Draw:
        """images: (B, 2, *space) each, intensity and valid -> logits (B, 1, *space), eq. (2)."""
        seen = stacked(images, self.config.modalities)
        noise = self.latent(generator) if latent is None else latent
        return Draw(self._told(self._features(seen), self.prior(seen).at(noise.to(seen))))

    def loss(self, batch: losses.Batch, generator: torch.Generator | None = None) -> losses.Losses:
        """Eq. (4) of the mask of one reader, divided by the number of voxels: cross-entropy and beta D_KL(Q || P)."""
        seen, mask = stacked(batch.images, self.config.modalities), losses.readers_of(batch).one(generator)
        posterior, prior = self.posterior(torch.cat([seen, mask], dim=1)), self.prior(seen)
        logits = self._told(self._features(seen), posterior.at(dm.gaussian_like(posterior.mean, generator)))
        apart = losses.kl_of_normals(posterior.mean, posterior.log_variance, prior.mean, prior.log_variance)
        voxels = mask[0].numel()
        parts = {
            "ce": losses.cross_entropy(logits.float(), mask),
            "kl": self.config.beta * apart.sum(dim=1).mean() / voxels,
        }
        return losses.Losses(parts, logits)

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak of one pass: the maps at stride 2 and the channels at full size, in float32."""
        c = self.config
        per_voxel = 2 * len(c.modalities) + 4 * c.full + 10 * c.channels[0] / 2**c.spatial_dims
        return int(4 * voxels * per_voxel) + 4 * sum(p.numel() for p in self.parameters())

    def _features(self, seen: Tensor) -> Tensor:
        features, _ = self.unet(seen)
        return features

    def _told(self, features: Tensor, z: Tensor) -> Tensor:
        """(B, full, *space) and (B, latents) -> logits (B, 1, *space): 1 x 1 convolutions of both."""
        laid = z.to(features).view(*z.shape, *[1] * self.config.spatial_dims).expand(-1, -1, *features.shape[2:])
        return self.combine(torch.cat([features, laid], dim=1))
