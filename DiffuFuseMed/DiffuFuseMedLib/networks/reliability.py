"""How far each modality's tokens can be trusted, and the gates made of it, DiffuFuseMed eq. (11), (12)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SCALES = 3
CENTER = -2.5  # about where the log shares of clean images lie


def texture(image: Tensor) -> Tensor:
    """How fine-grained an image is: per axis and scale the log share of its energy that steps between neighbors hold.

    image: (B, 2, *space), intensity and valid -> (B, SCALES * len(space) + 1), the last being the log variance. Only
    valid voxels count. The tokens of (11) lie deep in an encoder that learns to look through corruption, until nothing
    of it is left in them; noise raises these shares, blur lowers them, streaks and motion set the axes apart.
    """
    image = image.float()
    inside = (image[:, 1:] > 0.5).float()
    value, valid = image[:, :1], inside
    pool = F.avg_pool3d if image.ndim == 5 else F.avg_pool2d
    shares = []
    for scale in range(SCALES):
        if scale and min(value.shape[2:]) >= 4:  # a window too small to halve counts its finest scale again
            value, valid = pool(value, 2), (pool(valid, 2) == 1).float()
        spread = _mean((value - _mean(value, valid)) ** 2, valid)
        for axis in range(2, image.ndim):
            both = valid.narrow(axis, 1, valid.shape[axis] - 1) * valid.narrow(axis, 0, valid.shape[axis] - 1)
            shares.append((_mean(value.diff(dim=axis) ** 2, both) + 1e-5).log() - (spread + 1e-5).log())
    first = _mean((image[:, :1] - _mean(image[:, :1], inside)) ** 2, inside)
    return torch.cat([*shares, (first + 1e-5).log()], dim=1).flatten(1) - CENTER


def _mean(x: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over space, kept as (B, 1, 1, ...); 0 without any weight."""
    space = tuple(range(2, x.ndim))
    return (x * weight).sum(space, keepdim=True) / weight.sum(space, keepdim=True).clamp(min=1)


class Reliability(nn.Module):
    """rho_m = sigmoid(phi([GAP(Z_t), Var(eps_hat), texture])), eq. (11), as a logit; (B, d, ...) twice -> (B,).

    Var is taken per channel over the tokens, which keeps which feature was hard to denoise. Var enters as a logarithm:
    it spans decades between a clean and a noisy modality.
    """

    def __init__(self, channels: int, spatial_dims: int) -> None:
        super().__init__()
        inputs = 2 * channels + SCALES * spatial_dims + 1
        self.phi = nn.Sequential(nn.Linear(inputs, channels), nn.SiLU(), nn.Linear(channels, 1))

    def forward(self, noisy: Tensor, residual: Tensor, image_texture: Tensor) -> Tensor:
        return self.phi(self.inputs(noisy, residual, image_texture)).squeeze(1)

    @staticmethod
    def inputs(noisy: Tensor, residual: Tensor, image_texture: Tensor) -> Tensor:
        """What phi looks at, (B, features)."""
        tokens = residual.flatten(2).float()
        correction = min(1, tokens.shape[2] - 1)  # a window of one stride leaves one token, which has no spread
        spread = tokens.var(dim=2, correction=correction).add(1e-6).log()
        return torch.cat([noisy.flatten(2).float().mean(dim=2), spread, image_texture], dim=1)


def gates(logits: dict[str, Tensor], sharpness: float) -> dict[str, Tensor]:
    """w_m = softmax over the present modalities of sharpness * rho_m, eq. (12); each (B,), summing to one."""
    rho = torch.stack([torch.sigmoid(x) for x in logits.values()])
    return dict(zip(logits, torch.softmax(sharpness * rho, dim=0), strict=True))


def uniform_gates(logits: dict[str, Tensor]) -> dict[str, Tensor]:
    """Gating switched off: every present modality weighs the same, (B,) each."""
    return {m: torch.full_like(x, 1 / len(logits)) for m, x in logits.items()}
