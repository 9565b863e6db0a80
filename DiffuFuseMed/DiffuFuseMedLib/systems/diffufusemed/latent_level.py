"""One resolution of DiffuFuseMed on few latent channels: latents, their diffusion, reliability and fusion."""

from __future__ import annotations

from typing import cast

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from ... import diffusion as dm
from ... import losses
from ...networks import CrossModalBlock, JointDenoiser, Reliability, Standardise, TimeEmbedding, window_position
from ...networks.precision import exact_if_tiny
from .latent_config import LatentConfig

Latents = dict[str, Tensor]  # (B, latents, *space) by modality


class LatentLevel(nn.Module):
    """Everything that happens at one resolution (3.4 to 3.6).

    Only what was denoised reaches the fusion: there is no way round the latents at this level.
    """

    abar: Tensor

    def __init__(self, config: LatentConfig, index: int) -> None:
        super().__init__()
        self.config, self.steps = config, config.diffusion_steps[index]
        channels, width, dims = config.channels[index], config.latents, config.spatial_dims
        conv = Conv[Conv.CONV, dims]
        last = index == len(config.channels) - 1
        self.register_buffer("abar", dm.cosine_alphas_cumprod(self.steps), persistent=False)
        self.enter = nn.ModuleDict({m: conv(channels, width, 1) for m in config.modalities})
        self.sizes = nn.ModuleDict({m: Standardise(width) for m in config.modalities})
        context = 0 if last else len(config.modalities) * width
        self.denoiser = JointDenoiser(dims, config.modalities, width, context, config.denoiser)
        self.leave = nn.ModuleDict({m: conv(width, channels, 1) for m in config.modalities})
        self.modality = nn.ParameterDict({m: nn.Parameter(0.02 * torch.randn(channels)) for m in config.modalities})
        self.time = TimeEmbedding(channels)
        self.position_scale = nn.Parameter(torch.full((1,), 0.1))
        self.reliability = nn.ModuleDict({m: Reliability(width, dims) for m in config.modalities})
        self.imputed = nn.ParameterDict({m: nn.Parameter(torch.full((1,), -2.0)) for m in config.modalities})
        blocks = config.transformer_blocks[index] if config.transformer else 0
        heads, window, summary = config.heads[index], config.windows[index], config.summaries[index]
        self.transformer = nn.ModuleList([CrossModalBlock(channels, heads, window, summary) for _ in range(blocks)])
        reads = config.readers and index in config.reader_levels
        self.reader = conv(config.reader_channels, channels, 3, padding=1) if reads else None

    def judge(self, modality: str) -> Reliability:
        """phi of (11) for a modality."""
        return cast(Reliability, self.reliability[modality])

    def latents(self, features: dict[str, Tensor], follow: bool = False) -> Latents:
        """Few channels of unit size; features: (B, channels, *space) by present modality. follow: let what is usual
        follow these, as training on clean windows does."""
        entered = {m: self.enter[m](z) for m, z in features.items()}
        for m, z in entered.items() if follow else ():
            cast(Standardise, self.sizes[m]).follow(z)
        return {m: self.sizes[m](z) for m, z in entered.items()}

    def noised(self, latents: Latents, noise: Latents, t: dict[str, Tensor]) -> Latents:
        """Eq. (7); of a modality without latents its noise alone, as at t = T."""
        return {m: dm.add_noise(latents[m], e, self.abar, t[m]) if m in latents else e for m, e in noise.items()}

    def times(self, latents: Latents, share: Tensor) -> dict[str, Tensor]:
        """t of every modality, (B,): `share` of T, at least 1; T where a modality is absent."""
        t = (share * self.steps).round().long().clamp(1, self.steps)
        return {m: t if m in latents else torch.full_like(t, self.steps) for m in self.config.modalities}

    def clean(self, noisy: Latents, t: dict[str, Tensor], context: Tensor | None) -> Latents:
        """Z_0 of every modality as the denoiser sees it from Z_t, eq. (8)."""
        v = self.denoiser(noisy, {m: now / self.steps for m, now in t.items()}, context)
        return {m: dm.decode("v", v[m], z, dm.at_time(self.abar, t[m], z))[0] for m, z in noisy.items()}

    def denoise(self, latents: Latents, noise: Latents, context: Tensor | None) -> Latents:
        """Few-step DDIM of all modalities at once, (9), (10): present ones from start * T, absent ones from T."""
        first = next(iter(noise.values()))
        begin = self.times(latents, torch.full((first.shape[0],), self.config.start, device=first.device))
        noisy, count = self.noised(latents, noise, begin), self.config.sampler_steps
        for step in range(count):
            now, then = ({m: t * (count - s) // count for m, t in begin.items()} for s in (step, step + 1))
            clean = self.clean(noisy, {m: t.clamp(min=1) for m, t in now.items()}, context)
            noisy = {
                m: dm.ddim_step(x0, noisy[m], dm.at_time(self.abar, now[m], x0), dm.at_time(self.abar, then[m], x0))
                for m, x0 in clean.items()
            }
        return noisy

    def trust(self, latents: Latents, denoised: Latents, textures: dict[str, Tensor]) -> dict[str, Tensor]:
        """phi of (11) as a logit, (B,) by modality; what denoising changed is the residual. Absent modalities have one
        logit each."""
        size = next(iter(denoised.values())).shape[0]
        return {
            m: self.judge(m)(latents[m], denoised[m] - latents[m], textures[m])
            if m in latents
            else self.imputed[m].expand(size)
            for m in denoised
        }

    def fuse(self, denoised: Latents, weights: dict[str, Tensor], t: dict[str, Tensor]) -> Tensor:
        """Eq. (6), (13)-(18), then the gate-weighted sum over modalities, (B, channels, *space).

        t, by modality, is where each was denoised from: in the keys of (15) it acts, since it differs among them.
        """
        tokens = {m: self._tokens(m, z) for m, z in denoised.items()}
        names = list(tokens)
        scaled = [len(names) * weights[m].to(z.dtype).view(-1, *[1] * (z.ndim - 1)) * z for m, z in tokens.items()]
        fused = torch.stack(scaled, dim=1)
        bias = torch.stack([self.modality[m].expand(fused.shape[0], -1) for m in names], dim=1)
        if self.config.time_conditioned:
            bias = bias + torch.stack([self.time(t[m] / self.steps) for m in names], dim=1)
        for block in self.transformer:
            fused = block(fused, bias)
        return losses.barycenter(dict(zip(names, fused.unbind(1), strict=True)), weights)

    def read(self, fused: Tensor, noise: Tensor) -> Tensor:
        """The fused map as one reader sees it; noise: (B, reader_channels, *space), standard normal."""
        if self.reader is None:
            return fused
        with exact_if_tiny(noise):
            return fused + self.reader(noise)

    def _tokens(self, modality: str, latents: Tensor) -> Tensor:
        tokens = self.leave[modality](latents)
        position = window_position(tokens.shape[2:], tokens.shape[1]).to(tokens.device, tokens.dtype)
        own = self.modality[modality].view(1, -1, *[1] * (tokens.ndim - 2))
        return tokens + self.position_scale * position + own
