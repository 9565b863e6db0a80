"""The autoencoder of the Multimodal CT Synthesizer (III.B): VQGAN, small, all modalities in one latent.

MONAI's VQVAE with PatchDiscriminator (Esser et al. 2021, "Taming transformers"). One latent for every modality is what
makes synthetic tumors aligned: nothing that is decoded from it can lie elsewhere in another image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from monai.networks.nets import VQVAE
from torch import Tensor, nn

from ...networks.config import Blocks, Count, config_from
from ...networks.inputs import stacked

LEAST_USED = 0.5  # voxels a batch, as the codebook's moving average counts them
Images = dict[str, Tensor]


@dataclass(frozen=True)
class AutoencoderConfig:
    """channels: at each halving; latent: channels of the latent; codes: of the codebook; spacing_mm: of a window's
    voxel, along every axis, and window its voxels along each."""

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    channels: tuple[int, ...] = (48,)
    blocks: Blocks = 1
    latent: Count = 6
    codes: int = 512
    spacing_mm: float = 4.0
    window: int = 32

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> AutoencoderConfig:
        return config_from(cls, values)


class TumorAutoencoder(nn.Module):
    """E and D of III.B: z_0 = E(x_0), x~_0 = D(z_0)."""

    config_type = AutoencoderConfig

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        count, depth = len(config.modalities), len(config.channels)
        self.vqvae = VQVAE(
            spatial_dims=3,
            in_channels=2 * count,
            out_channels=count,
            channels=config.channels,
            num_res_layers=config.blocks,
            num_res_channels=config.channels,
            downsample_parameters=((2, 4, 1, 1),) * depth,
            upsample_parameters=((2, 4, 1, 1, 0),) * depth,
            num_embeddings=config.codes,
            embedding_dim=config.latent,
            decay=0.99,
            ddp_sync=False,
        )

    @property
    def factor(self) -> int:
        """How many voxels of the window a voxel of the latent is, along each axis."""
        return 2 ** len(self.config.channels)

    def encode(self, images: Images) -> Tensor:
        """z before the codebook, (B, latent, *space / factor). images: (B, 2, *space) by present modality."""
        return self.vqvae.encode(stacked(images, self.config.modalities))

    def decode(self, z: Tensor) -> Images:
        """(B, 1, *space) by every modality, in the units of scales.py, from z before the codebook."""
        return self._by_modality(self.vqvae.decode_stage_2_outputs(z))

    def reconstruct(self, z: Tensor) -> tuple[Images, Tensor]:
        """decode(), and the codebook's loss, with the gradient passed straight through the codebook."""
        codes, loss = self.vqvae.quantize(z)
        return self._by_modality(self.vqvae.decode(codes)), loss

    @torch.no_grad()
    def revive_codes(self, z: Tensor, generator: torch.Generator | None = None) -> int:
        """Move every code that hardly any voxel takes to a random voxel of z, (B, latent, *space), as Dhariwal et al.
        (2020, "Jukebox", 3.1) do: else a handful of codes near the first latents are all that is ever used. Returns how
        many were."""
        codebook = self.vqvae.quantizer.quantizer
        dead = codebook.ema_cluster_size < LEAST_USED
        count, voxels = int(dead.sum()), z.movedim(1, -1).reshape(-1, z.shape[1]).float()
        drawn = voxels[torch.randint(len(voxels), (count,), generator=generator).to(z.device)]
        codebook.embedding.weight.data[dead] = drawn
        codebook.ema_w[dead], codebook.ema_cluster_size[dead] = drawn, 1.0
        return count

    def _by_modality(self, made: Tensor) -> Images:
        return {m: made[:, i, None] for i, m in enumerate(self.config.modalities)}

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Predicted peak memory of one pass over so many voxels, float32."""
        return 4 * voxels * 4 * self.config.channels[0] + 4 * sum(p.numel() for p in self.parameters())


def holed(images: Images, hole: Tensor) -> Images:
    """The images where they are known: 0 and not valid inside the hole, (B, 1, *space) of 0 and 1."""
    return {m: x * (1 - hole) for m, x in images.items()}


def values_of(images: Images, modalities: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """(B, M, *space) each: the intensities, and 1 where they say something."""
    beside = torch.stack([images[m] for m in modalities], dim=1)  # (B, M, 2, *space)
    return beside[:, :, 0], beside[:, :, 1]
