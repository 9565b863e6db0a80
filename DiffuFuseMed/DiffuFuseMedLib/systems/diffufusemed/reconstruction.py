"""Clean images back from denoised latents: what keeps the latents those of images, and needs no drawn lesion."""

from __future__ import annotations

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

from .latent_config import LatentConfig
from .noise import space_to_depth, stride_of

HIDDEN = 64


class Reconstruction(nn.Module):
    """Denoised latents of all levels -> (B, voxels below a position, *space / 4) of every modality, absent ones too:
    masked and cross-modal reconstruction. Without a nonlinearity in space: the latents have to hold the image."""

    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        conv = Conv[Conv.CONV, config.spatial_dims]
        width, voxels = len(config.channels) * config.latents, stride_of(0) ** config.spatial_dims
        self.heads = nn.ModuleDict(
            {m: nn.Sequential(conv(width, HIDDEN, 1), nn.SiLU(), conv(HIDDEN, voxels, 1)) for m in config.modalities}
        )

    def forward(self, denoised: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        finest = denoised[0]
        made = {}
        for m, head in self.heads.items():
            levels = [F.interpolate(level[m], finest[m].shape[2:]) for level in denoised[1:]]
            made[m] = head(torch.cat([finest[m], *levels], dim=1))
        return made


def reconstruction(made: dict[str, Tensor], images: dict[str, Tensor]) -> Tensor:
    """Mean absolute error over the valid voxels, a mean over the modalities there are, a scalar.

    images: (B, 2, *space), intensity and valid; made: their voxels below each position as channels.
    """
    terms = []
    for m, image in images.items():
        wanted, valid = (space_to_depth(image[:, i : i + 1], stride_of(0)) for i in (0, 1))
        wrong = (made[m].float() - wanted).abs() * (valid > 0.5)
        terms.append(wrong.sum() / (valid > 0.5).sum().clamp(min=1))
    return torch.stack(terms).mean()
