"""What the autoencoder learns from: L1, the codebook's loss, and a discriminator of patches (Esser et al. 2021).

As the inpainter's, the discriminator learns in the same step: its part of the loss reaches only its own parameters.
The perceptual loss of VQGAN is left out: it needs a network that others trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from monai.networks.nets import PatchDiscriminator
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from ...losses import Losses
from ...training.corruptions import uniform
from .autoencoder import TumorAutoencoder, holed, values_of
from .tumor_windows import TumorBatch, margin_weight


@dataclass(frozen=True)
class AutoencoderWeights:
    """What each part weighs; tumor: a voxel of a tumor against one elsewhere; holes: the share of batches whose tumors
    the encoder does not see, as in synthesis."""

    reconstruction: float = 1.0
    codebook: float = 1.0
    adversarial: float = 0.02
    tumor: float = 3.0
    holes: float = 0.3


class AutoencoderTraining(nn.Module):
    """The autoencoder with its discriminator: what the loop trains; only the autoencoder is kept."""

    def __init__(self, autoencoder: TumorAutoencoder, weights: AutoencoderWeights) -> None:
        super().__init__()
        self.autoencoder, self.weights = autoencoder, weights
        modalities = len(autoencoder.config.modalities)
        self.discriminator = PatchDiscriminator(3, 16, modalities, num_layers_d=2, norm="INSTANCE")

    def loss(self, batch: TumorBatch, generator: torch.Generator | None = None) -> Losses:
        """The parts of a batch's loss."""
        images, lesion = batch.images, batch.lesion
        if generator is not None and uniform(0, 1, generator) < self.weights.holes:
            images = holed(images, (margin_weight(lesion) > 0).float())
        z = self.autoencoder.encode(images)
        self.autoencoder.revive_codes(z, generator)
        made, codebook = self.autoencoder.reconstruct(z)
        fake = torch.cat(list(made.values()), dim=1)
        real, told = values_of(images, self.autoencoder.config.modalities)
        weight = told * (1 + (self.weights.tumor - 1) * lesion)
        fake, real = fake * told, real * told
        difference = ((fake - real).abs() * weight).sum() / weight.sum().clamp(min=1)
        return Losses(
            {
                "reconstruction": self.weights.reconstruction * difference,
                "codebook": self.weights.codebook * codebook,
                "adversarial": self.weights.adversarial * F.softplus(-self._still()(fake)).mean(),
                "discriminator": F.softplus(-self._logits(real)).mean()
                + F.softplus(self._logits(fake.detach())).mean(),
            }
        )

    def _logits(self, x: Tensor) -> Tensor:
        """Above 0 for real, one a patch."""
        return self.discriminator(x)[-1]

    def _still(self) -> Callable[[Tensor], Tensor]:
        """The discriminator held still: the autoencoder's part must not teach it."""
        frozen = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        return lambda x: functional_call(self.discriminator, frozen, (x,))[-1]
