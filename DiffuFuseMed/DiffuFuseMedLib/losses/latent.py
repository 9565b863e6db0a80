"""Losses on the latent tokens: noise prediction (24), alignment (25) and reliability (26) of DiffuFuseMed."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional as F


def noise_prediction(outputs: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
    """Eq. (24) as a mean over modalities, tokens and channels (the paper's squared norm, divided by its length).

    outputs, targets: (B, d, *space) by modality.
    """
    return torch.stack([F.mse_loss(outputs[m].float(), targets[m].float()) for m in outputs]).mean()


def share_of_best_scalar(denoised: dict[str, Tensor], noisy: dict[str, Tensor], clean: dict[str, Tensor]) -> float:
    """Squared error of what was denoised over that of the noisy tokens times the best scalar, one for each modality: 1
    for a denoiser that has learned nothing. All (B, d, *space) by modality."""
    made = sum(float(F.mse_loss(denoised[m].float(), z.float())) for m, z in clean.items())
    scaled = {m: (noisy[m].float() * z.float()).sum() / (noisy[m].float() ** 2).sum() for m, z in clean.items()}
    best = sum(float(F.mse_loss(scaled[m] * noisy[m].float(), z.float())) for m, z in clean.items())
    return made / best


def barycenter(tokens: dict[str, Tensor], weights: dict[str, Tensor]) -> Tensor:
    """Zbar = sum_m w_m Z_m; tokens (B, d, ...), weights (B,)."""
    return reduce(torch.add, (weights[m].view(-1, *[1] * (z.ndim - 1)) * z for m, z in tokens.items()))


def alignment(tokens: dict[str, Tensor], weights: dict[str, Tensor]) -> Tensor:
    """Eq. (25): mean over modalities and tokens (and channels, so that it does not grow with d) of |Z_m - Zbar|^2.

    tokens: (B, d, *space) by modality; weights: (B,).
    """
    center = barycenter(tokens, weights)
    return torch.stack([F.mse_loss(z.float(), center.float()) for z in tokens.values()]).mean()


def reliability(
    logits: dict[str, Tensor], clean: dict[str, Tensor], weights: dict[str, Tensor], entropy_weight: float
) -> Tensor:
    """Eq. (26): cross-entropy of rho_m with q_m, and the entropy H(w) that keeps the gates from collapsing.

    The paper adds + tau H(w) and says that this prevents collapse; minimising + H does the opposite. The text is
    followed, not the sign: - tau H(w), as a mean over the batch. logits, clean, weights: (B,) by modality.
    """
    fit = torch.stack([F.binary_cross_entropy_with_logits(x, clean[m]) for m, x in logits.items()]).sum()
    w = torch.stack(list(weights.values()))
    entropy = -(w * w.clamp(min=1e-8).log()).sum(dim=0).mean()
    return fit - entropy_weight * entropy
