"""The Multimodal CT Synthesizer (III.B): latent diffusion that draws a tumor into every modality at once.

It sees the latent of the case around the tumor, the tumor's mask y and the appearance that is wanted, and makes the
latent of the whole window. What is below the mask is never looked at, so a removed tumor leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from monai.networks.nets import DiffusionModelUNet
from torch import Tensor, nn
from torch.nn import functional as F

from ... import diffusion as dm
from ...losses import Losses
from ...metrics.tumor_appearance import Appearance
from ...networks.config import Count, Steps, config_from
from .autoencoder import AutoencoderConfig, Images, TumorAutoencoder, holed
from .tumor_statistics import LOOK, TumorStatistics
from .tumor_windows import TumorBatch, margin_weight

PARAMETRISATION = "v"  # (3) is written with eps, which says nothing of z_0 at T, where all is noise
BACKGROUND = 0.1  # what a voxel of the latent far from the tumor weighs in (3): the case's own are kept there


@dataclass(frozen=True)
class SynthesizerConfig:
    """channels: of the denoiser at each halving; steps: T of (1); sampler_steps: of DDIM, unless told otherwise."""

    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    channels: tuple[int, ...] = (24, 32, 40)
    blocks: Count = 1
    groups: Count = 8
    steps: Steps = 1000
    sampler_steps: Steps = 25

    @property
    def modalities(self) -> tuple[str, ...]:
        return self.autoencoder.modalities

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SynthesizerConfig:
        return config_from(cls, values)


class TumorSynthesizer(nn.Module):
    """p(z_0) of (2), with y the mask, the surroundings and the appearance."""

    config_type = SynthesizerConfig
    stages = ("autoencoder", "denoiser", "statistics")

    def __init__(self, config: SynthesizerConfig) -> None:
        super().__init__()
        self.config = config
        latent = config.autoencoder.latent
        self.autoencoder = TumorAutoencoder(config.autoencoder)
        self.statistics = TumorStatistics(latent)
        self.denoiser = DiffusionModelUNet(
            spatial_dims=3,
            in_channels=2 * latent + 2 + len(LOOK),
            out_channels=latent,
            channels=config.channels,
            num_res_blocks=config.blocks,
            attention_levels=(False,) * len(config.channels),
            norm_num_groups=config.groups,
        )
        self.alphas_cumprod = dm.cosine_alphas_cumprod(config.steps)

    def latent(self, images: Images) -> Tensor:
        """z_0 with mean 0 and spread 1 over the training's windows, (B, latent, *space / factor)."""
        z = self.autoencoder.encode(images)
        return (z - _channels(self.statistics.latent_mean)) / _channels(self.statistics.latent_sd)

    def decoded(self, z: Tensor) -> Images:
        """The images of a latent(), (B, 1, *space) by modality, in the units of scales.py."""
        return self.autoencoder.decode(
            z * _channels(self.statistics.latent_sd) + _channels(self.statistics.latent_mean)
        )

    def condition(self, images: Images, lesion: Tensor, looks: Tensor) -> tuple[Tensor, Tensor]:
        """(condition (B, latent + 2 + 5, ...), weight (B, 1, ...)) on the latent's voxels: surroundings, y, weight of
        the rim, and the appearance inside y. images: (B, 2, *space); lesion: (B, 1, *space); looks: (B, 5)."""
        weight = margin_weight(lesion)
        around = self.latent(holed(images, (weight > 0).float()))
        lesion, weight = (F.avg_pool3d(x, self.autoencoder.factor) for x in (lesion, weight))
        wanted = looks[:, :, None, None, None] * lesion
        return torch.cat([around, lesion, weight, wanted], dim=1), weight

    def objective(self, batch: TumorBatch, looks: Tensor, generator: torch.Generator | None = None) -> Losses:
        """(3) at z_t of (1), t drawn evenly; looks: (B, 5), standardised."""
        with torch.no_grad():
            clean = self.latent(batch.images)
            condition, weight = self.condition(batch.images, batch.lesion, looks)
        t = torch.randint(1, self.config.steps + 1, (len(clean),), generator=generator).to(clean.device)
        noise = dm.gaussian_like(clean, generator)
        noisy = dm.add_noise(clean, noise, self.alphas_cumprod, t)  # (1)
        wanted = dm.target(PARAMETRISATION, clean, noise, dm.at_time(self.alphas_cumprod, t, clean))
        missed = (self._output(noisy, condition, t) - wanted).square()
        weight = (BACKGROUND + (1 - BACKGROUND) * weight).expand_as(missed)
        return Losses({"noise": (missed * weight).sum() / weight.sum()})

    def sample(
        self,
        images: Images,
        lesion: Tensor,
        looks: list[Appearance],
        generator: torch.Generator | None = None,
        steps: int | None = None,
        tell: Callable[[float], None] | None = None,
    ) -> Images:
        """(2) from pure noise in `steps` steps of DDIM: (B, 1, *space) by modality. tell: gets the share done, and may
        raise to stop."""
        condition, _ = self.condition(images, lesion, self.statistics.standardised(looks))
        noise = dm.gaussian_like(condition[:, : self.config.autoencoder.latent], generator)
        times = dm.ddim_times(self.config.steps, steps or self.config.sampler_steps)

        def denoise(noisy: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
            if tell:
                tell(1 - int(t[0]) / self.config.steps)
            abar = dm.at_time(self.alphas_cumprod, t, noisy)
            return dm.decode(PARAMETRISATION, self._output(noisy, condition, t), noisy, abar)

        return self.decoded(dm.ddim(denoise, noise, times, self.alphas_cumprod))

    def _output(self, noisy: Tensor, condition: Tensor, t: Tensor) -> Tensor:
        return self.denoiser(torch.cat([noisy, condition], dim=1), timesteps=t)

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Predicted peak memory of a window of so many voxels, float32."""
        latent = voxels // self.autoencoder.factor**3
        weights = sum(p.numel() for p in self.parameters())
        return self.autoencoder.memory_bytes(voxels, modalities) + 4 * (latent * 12 * self.config.channels[0] + weights)


def _channels(x: Tensor) -> Tensor:
    return x.view(1, -1, 1, 1, 1)
