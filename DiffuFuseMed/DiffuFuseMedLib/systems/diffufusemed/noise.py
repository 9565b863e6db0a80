"""One field of noise for a whole volume, and what each level of a window takes of it.

What windows that overlap draw must be the same where they overlap, or averaging them would wash the draws out.
"""

from __future__ import annotations

from math import ceil, prod

import torch
from torch import Tensor
from torch.nn import functional as F

from .latent_config import LatentConfig


def stride_of(level: int) -> int:
    """Voxels between two positions of a level, along each axis."""
    return 4 * 2**level


def latent_channels(config: LatentConfig) -> int:
    """Channels of the field that the finest level's latents take."""
    return ceil(len(config.modalities) * config.latents / stride_of(0) ** config.spatial_dims)


def field_channels(config: LatentConfig) -> int:
    """All channels of the field."""
    return latent_channels(config) + config.reader_channels


def latent_noise(field: Tensor, level: int, config: LatentConfig) -> dict[str, Tensor]:
    """Standard normal noise by modality, (B, latents, *space / stride): the voxels below a position are its channels.

    field: (B, field_channels(config), *space).
    """
    below = space_to_depth(field[:, : latent_channels(config)], stride_of(level))
    parts = below[:, : len(config.modalities) * config.latents].chunk(len(config.modalities), dim=1)
    return dict(zip(config.modalities, parts, strict=True))


def reader_noise(field: Tensor, level: int, config: LatentConfig) -> Tensor:
    """Standard normal noise, (B, reader_channels, *space / stride): the field's mean below each position, at unit size.

    As means it is smooth: a coarse level's is that of the finer one, seen from further away.
    """
    stride = stride_of(level)
    own = field[:, latent_channels(config) :]
    pool = F.avg_pool3d if own.ndim == 5 else F.avg_pool2d
    return pool(own, stride) * stride ** (config.spatial_dims / 2)


def space_to_depth(x: Tensor, stride: int) -> Tensor:
    """(B, C, *space) -> (B, C * stride ** axes, *space / stride)."""
    batch, channels, *space = x.shape
    axes = len(space)
    x = x.reshape(batch, channels, *[v for n in space for v in (n // stride, stride)])
    inner, outer = [3 + 2 * a for a in range(axes)], [2 + 2 * a for a in range(axes)]
    x = x.permute(0, 1, *inner, *outer)
    return x.reshape(batch, channels * prod([stride] * axes), *[n // stride for n in space])


def draw_field(shape: tuple[int, ...], generator: torch.Generator | None, like: Tensor) -> Tensor:
    """Standard normal, drawn on the CPU in float32: one seed, one result on every device."""
    return torch.randn(shape, generator=generator, dtype=torch.float32).to(like.device)
