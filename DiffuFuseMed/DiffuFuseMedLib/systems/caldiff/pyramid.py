"""Step-UC of CalDiff, eq. (12)-(14): mask and image as a pyramid of axis-aligned normals, and how far two are apart.

The Uncertainty Modeling Net reads the readers' masks, the Uncertainty Calibrating Net the mask that the denoiser
predicts; both have this structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

from ...core.triples import pair, triple
from ...diffusion import gaussian_like
from ...losses.variational import kl_of_normals
from ...networks.encoder import norm
from ...networks.precision import exact, exact_if_tiny

LARGEST_LOG = 4.0  # of sigma and of 1 / sigma
LEVEL_FACTOR = 10.0  # e^(-l ln 10) of (14)


@dataclass(frozen=True)
class Normals:
    """Axis-aligned normals of one level: mean and log_deviation, (B, D, *space)."""

    mean: Tensor
    log_deviation: Tensor

    def sample(self, generator: torch.Generator | None) -> Tensor:
        """(B, D, *space), differentiable in both parameters."""
        return self.mean + self.log_deviation.exp() * gaussian_like(self.mean, generator)


class UncertaintyNet(nn.Module):
    """(mask, images) -> normals, finest level first; each level speaks of what the next coarser one does not show.

    Like a Laplacian pyramid: what is told of at a level is its features less their own coarse version.
    """

    def __init__(self, spatial_dims: int, in_channels: int, channels: Sequence[int], latents: int, stride: int) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        self.stride = stride
        widths = pairwise((in_channels, *channels))
        self.features = nn.ModuleList([nn.Sequential(conv(a, b, 3, padding=1), norm(b), nn.SiLU()) for a, b in widths])
        self.normals = nn.ModuleList([conv(c, 2 * latents, 1) for c in channels])

    def forward(self, mask: Tensor, images: Tensor) -> list[Normals]:
        """mask: (B, 1, *space) of 0..1; images: (B, C, *space) -> the levels' normals."""
        x, made = shrunk(torch.cat([mask, images], dim=1), self.stride), []
        for level, (features, normals) in enumerate(zip(self.features, self.normals, strict=True)):
            x = exact(x)
            with exact_if_tiny(x):
                x = features(x)
                coarse = shrunk(x, 2)
                last = level == len(self.features) - 1
                band = x if last else x - F.interpolate(coarse, x.shape[2:]).to(x.dtype)
                mean, log_deviation = normals(band).float().chunk(2, dim=1)
            made.append(Normals(mean, LARGEST_LOG * torch.tanh(log_deviation / LARGEST_LOG)))
            x = coarse
        return made


class MasksTold(nn.Module):
    """Latents of each level -> what they say of the mask there: a 1 x 1 convolution each."""

    def __init__(self, spatial_dims: int, levels: int, latents: int) -> None:
        super().__init__()
        self.tell = nn.ModuleList([Conv[Conv.CONV, spatial_dims](latents, 1, 1) for _ in range(levels)])

    def forward(self, latents: Sequence[Tensor]) -> list[Tensor]:
        """latents: (B, D, *space) of each level -> logits, (B, 1, *space)."""
        return [tell(z).float() for tell, z in zip(self.tell, latents, strict=True)]


def shrunk(x: Tensor, times: int) -> Tensor:
    """(B, C, *space) averaged over times ** axes voxels; an axis that has fewer is averaged over all it has."""
    size = [max(1, n // times) for n in x.shape[2:]]
    return F.adaptive_avg_pool3d(x, triple(size)) if x.ndim == 5 else F.adaptive_avg_pool2d(x, pair(size))


def level_weights(levels: int) -> list[float]:
    """e^(-l ln 10) of (14), finest level first; l counts from the coarsest, whose weight is 1."""
    return [LEVEL_FACTOR ** -(levels - 1 - index) for index in range(levels)]


def of_all_readers(normals: Sequence[Normals], counted: Tensor) -> list[Normals]:
    """One normal a position for several readers: that with the mean and the variance of their mixture.

    normals: of every reader, one after the other along the batch, (B * R, D, *space); counted: (B, R), 1 for a reader
    that there is and 0 for one that there is not.
    """
    return [_mixture(level, counted) for level in normals]


def _mixture(level: Normals, counted: Tensor) -> Normals:
    batch, readers = counted.shape
    split = lambda x: x.reshape(batch, readers, *x.shape[1:])  # noqa: E731
    means, variances = split(level.mean), split((2 * level.log_deviation).exp())
    share = (counted / counted.sum(dim=1, keepdim=True)).to(means.dtype).view(batch, readers, *[1] * (means.ndim - 2))
    mean = (share * means).sum(dim=1)
    variance = (share * (variances + (means - mean[:, None]) ** 2)).sum(dim=1)
    return Normals(mean, variance.log() / 2)


def hierarchical_kl(posterior: Sequence[Normals], prior: Sequence[Normals]) -> Tensor:
    """L_Hier of (14): D_KL(posterior || prior) of each level, summed over its positions, a mean over the batch; a
    scalar. posterior: of the Modeling Net, (12); prior: of the Calibrating Net, (13)."""
    terms = [
        weight * _summed(kl_of_normals(m.mean, 2 * m.log_deviation, c.mean, 2 * c.log_deviation))
        for weight, m, c in zip(level_weights(len(posterior)), posterior, prior, strict=True)
    ]
    return torch.stack(terms).sum()


def anchor(told: Sequence[Tensor], masks: Tensor, counted: Tensor, stride: int) -> Tensor:
    """How badly each reader's own latents tell its mask: cross-entropy, weighed and summed as (14); a scalar.

    Without it both nets of (14) agree best by saying the same whatever they are shown. told: logits of each level,
    (B * R, 1, *space); masks: (B * R, 1, *space) of 0..1; counted: (B, R).
    """
    target, terms, share = shrunk(masks, stride), [], (counted / counted.sum(dim=1, keepdim=True)).flatten()
    for weight, logits in zip(level_weights(len(told)), told, strict=True):
        wrong = F.binary_cross_entropy_with_logits(logits, target.to(logits.dtype), reduction="none")
        terms.append(weight * (share * wrong.flatten(1).sum(dim=1)).sum() / len(counted))
        target = shrunk(target, 2)
    return torch.stack(terms).sum()


def _summed(x: Tensor) -> Tensor:
    return x.flatten(1).sum(dim=1).mean()
