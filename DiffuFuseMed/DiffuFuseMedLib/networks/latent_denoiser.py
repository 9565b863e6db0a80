"""Time-conditioned denoiser of one level's tokens that sees all modalities, DiffuFuseMed eq. (8)."""

from __future__ import annotations

from collections.abc import Sequence

from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

from .encoder import norm


class LatentDenoiser(nn.Module):
    """(Z_t of every present modality, time embedding) -> one output per modality, in the parametrisation trained for.

    The shared context C = {Z_t^(k)} enters as the mean of per-modality projections: any set of modalities gives a
    context of one size, and an absent one is simply not in the mean. One network serves all modalities; which one it
    denoises and when is told by scale and shift (FiLM) from the modality and time embeddings.
    """

    def __init__(self, spatial_dims: int, channels: int, modalities: Sequence[str]) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, spatial_dims]
        self.context = nn.ModuleDict({m: conv(channels, channels, 1) for m in modalities})
        self.own = conv(channels, channels, 1)
        self.first, self.second = norm(channels), norm(channels)
        self.film = nn.Linear(channels, 4 * channels)
        self.mix = conv(channels, channels, 3, padding=1)
        self.out = conv(channels, channels, 1)
        nn.init.zeros_(self.out.weight)  # starts as "no residual", so early training sees the encoder's own tokens
        nn.init.zeros_(self.out.bias)

    def forward(self, noisy: dict[str, Tensor], time: Tensor, modality: dict[str, Tensor]) -> dict[str, Tensor]:
        """noisy: (B, d, ...) each; time: (B, d); modality: (d,) each."""
        context = sum(self.context[m](z) for m, z in noisy.items()) / len(noisy)
        return {m: self._one(z, context, time + modality[m]) for m, z in noisy.items()}

    def _one(self, noisy: Tensor, context: Tensor, condition: Tensor) -> Tensor:
        film = self.film(F.silu(condition)).view(*condition.shape[:1], -1, *[1] * (noisy.ndim - 2))
        scale_1, shift_1, scale_2, shift_2 = film.chunk(4, dim=1)
        hidden = F.silu(self.first(self.own(noisy) + context) * (1 + scale_1) + shift_1)
        hidden = F.silu(self.second(self.mix(hidden)) * (1 + scale_2) + shift_2)
        return self.out(hidden)
