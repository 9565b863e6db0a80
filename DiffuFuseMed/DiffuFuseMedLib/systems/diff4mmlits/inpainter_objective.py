"""What the inpainter learns from: LaMa's objective (Suvorov et al. 2022, eq. 6) without networks that others trained.

The discriminator learns in the same step, from the same loop and optimizer: its parts of the loss reach only its own
parameters, and those of the inpainter only the inpainter's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from ...losses import Losses
from .inpainter import Inpainter
from .inpainter_slices import SliceBatch

SLOPE = 0.2


@dataclass(frozen=True)
class InpainterWeights:
    """What each part weighs; penalized: the share of batches that the gradient penalty is computed on."""

    hole: float = 1.0  # L1 in the hole
    known: float = 0.1  # L1 elsewhere
    adversarial: float = 0.02
    features: float = 0.5  # the discriminator's, LaMa's L_DiscPL, and here in the place of L_HRFPL too
    penalty: float = 0.001  # R1, gamma
    penalized: float = 0.125


class Discriminator(nn.Module):
    """Patches of (B, modalities, H, W): real or filled in; each level halves, so the last sees `field` pixels."""

    def __init__(self, modalities: int, channels: tuple[int, ...] = (24, 48, 96, 96)) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            [nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise((modalities, *channels))]
        )
        self.last = nn.Conv2d(channels[-1], 1, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, 1, h, w), above 0 for real, and the features of each level."""
        features = []
        for level in self.levels:
            x = F.leaky_relu(level(x), SLOPE)
            features.append(x)
        return self.last(x), features


class InpainterTraining(nn.Module):
    """The inpainter with its discriminator: what the training loop trains; only the inpainter is kept."""

    def __init__(self, inpainter: Inpainter, weights: InpainterWeights) -> None:
        super().__init__()
        self.inpainter, self.weights = inpainter, weights
        self.discriminator = Discriminator(len(inpainter.config.modalities))

    def loss(self, batch: SliceBatch, generator: torch.Generator | None = None) -> Losses:
        """The parts of a batch's loss."""
        blind = torch.clamp(batch.hole + batch.lesion, max=1)  # no lesion is seen, and none is learned
        filled = self.inpainter.fill(batch.images, blind)
        truth, told = batch.truth(self.inpainter.config.modalities)  # told: (B, M, H, W), 1 where there is a truth
        inside, outside = told * batch.hole, told * (1 - batch.hole)
        difference = (filled - truth).abs()
        fake = torch.where(batch.hole > 0, filled, truth) * told
        real = truth * told
        parts = {
            "hole": self.weights.hole * _mean(difference, inside),
            "known": self.weights.known * _mean(difference, outside),
        }
        parts |= self._deceiving(fake, real, batch.hole)
        return Losses(parts | self._discerning(fake.detach(), real, batch.hole, generator))

    def _deceiving(self, fake: Tensor, real: Tensor, hole: Tensor) -> dict[str, Tensor]:
        """What the inpainter descends: non-saturating, on patches that hold a filled pixel; features as in a real
        picture. The discriminator is held still."""
        still = self._still()
        logits, features = still(fake)
        with torch.no_grad():
            _, wanted = still(real)
        filled = _patches(hole, logits)
        alike = torch.stack([_mean((a - b).abs(), _patches(hole, a)) for a, b in zip(features, wanted, strict=True)])
        return {
            "adversarial": self.weights.adversarial * _mean(F.softplus(-logits), filled),
            "features": self.weights.features * alike.mean(),
        }

    def _still(self) -> Callable[[Tensor], tuple[Tensor, list[Tensor]]]:
        frozen = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        return lambda x: functional_call(self.discriminator, frozen, (x,))

    def _discerning(
        self, fake: Tensor, real: Tensor, hole: Tensor, generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """What the discriminator descends: a patch without a filled pixel is real in either picture; R1."""
        on_real, on_fake = self.discriminator(real)[0], self.discriminator(fake)[0]
        filled = _patches(hole, on_fake)
        told = F.binary_cross_entropy_with_logits(on_fake, 1 - filled)
        parts = {"discriminator": F.softplus(-on_real).mean() + told}
        penalized, share = real.new_zeros(()), self.weights.penalized
        if float(torch.rand(1, generator=generator)) < share:
            penalized = self._gradient_penalty(real) / share
        return parts | {"penalty": self.weights.penalty * penalized}

    def _gradient_penalty(self, real: Tensor) -> Tensor:
        """R1 (Mescheder et al. 2018): the squared gradient of the logits at real pictures."""
        real = real.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(self.discriminator(real)[0].sum(), real, create_graph=True)
        return gradient.square().sum(dim=(1, 2, 3)).mean()


def _patches(hole: Tensor, like: Tensor) -> Tensor:
    """(B, 1, h, w): 1 for every patch of the map `like` that holds a pixel of the hole."""
    return F.adaptive_max_pool2d(hole, like.shape[-2:])


def _mean(x: Tensor, where: Tensor) -> Tensor:
    """The mean of x where `where`, of the same shape or one channel, is 1; 0 where it is nowhere."""
    where = where.expand_as(x)
    return (x * where).sum() / where.sum().clamp(min=1)
