"""How far each modality's tokens can be trusted, and the gates made of it, DiffuFuseMed eq. (11), (12)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def texture(stem: Tensor) -> Tensor:
    """How fine-grained a convolutional map is: per channel the log share of high-pass energy, and the log variance.

    (B, c, *space) -> (B, 2 c). The tokens of (11) lie deep in an encoder that learns to look through corruption, until
    nothing of it is left in them; the first convolutions still see noise and blur.
    """
    stem = stem.float()
    pool = F.avg_pool3d if stem.ndim == 5 else F.avg_pool2d
    grain = (stem - pool(stem, 3, 1, 1, count_include_pad=False)).square().flatten(2).mean(2)
    spread = stem.flatten(2).var(2, correction=0)
    return torch.cat([(grain + 1e-6).log() - (spread + 1e-6).log(), (spread + 1e-6).log()], dim=1)


class Reliability(nn.Module):
    """rho_m = sigmoid(phi([GAP(Z_t), Var(eps_hat), texture])), eq. (11), as a logit; (B, d, ...) twice -> (B,).

    Var is taken per channel over the tokens, which keeps which feature was hard to denoise. Var enters as a logarithm:
    it spans decades between a clean and a noisy modality.
    """

    def __init__(self, channels: int, stem_channels: int) -> None:
        super().__init__()
        inputs = 2 * channels + 2 * stem_channels
        self.phi = nn.Sequential(nn.Linear(inputs, channels), nn.SiLU(), nn.Linear(channels, 1))

    def forward(self, noisy: Tensor, residual: Tensor, stem_texture: Tensor) -> Tensor:
        tokens = residual.flatten(2).float()
        correction = min(1, tokens.shape[2] - 1)  # a window of one stride leaves one token, which has no spread
        spread = tokens.var(dim=2, correction=correction).add(1e-6).log()
        return self.phi(torch.cat([noisy.flatten(2).float().mean(dim=2), spread, stem_texture], dim=1)).squeeze(1)


def gates(logits: dict[str, Tensor], sharpness: float) -> dict[str, Tensor]:
    """w_m = softmax over the present modalities of sharpness * rho_m, eq. (12); each (B,), summing to one."""
    rho = torch.stack([torch.sigmoid(x) for x in logits.values()])
    return dict(zip(logits, torch.softmax(sharpness * rho, dim=0), strict=True))


def uniform_gates(logits: dict[str, Tensor]) -> dict[str, Tensor]:
    """Gating switched off: every present modality weighs the same."""
    return {m: torch.full_like(x, 1 / len(logits)) for m, x in logits.items()}
