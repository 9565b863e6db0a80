"""The few-step student of CLIN-FuseDiff++ (3.5): noise, pair and ROIs to a picture that follows the sliders.

The picture is F = B + alpha m_soft (S - B) + beta m_bone (K - B) + gamma m_border D. The network gives the soft-tissue
and bone forms S and K, the neutral picture B outside the ROIs (inside them B is the plain average of the sources), and
what it adds to the border's accent D, the local contrast of its two sides (docs/systems/clin-fusediff.md says why, and
why the sliders enter in closed form). What the network gives is w_M I_M + w_C I_C + r with a small bounded r: every
structure in the picture is a structure of one of the sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ... import diffusion as dm
from ...losses.roi import Sliders
from ...networks import TimeEmbedding
from ...networks.conditional_unet import ConditionalUNet
from ...networks.config import config_from
from .pair import Pair, border_band, feathered, fold, local_mean

LARGEST_WEIGHT = 1.2
LARGEST_RESIDUAL = 0.1
LARGEST_ACCENT = 0.25
ACCENT_PX, ACCENT_GAIN = 11, 1.0
OUTPUTS = 10  # three weights' worth for B, S and K, and D


@dataclass(frozen=True)
class StudentConfig:
    channels: tuple[int, ...] = (32, 48, 64, 96)
    condition: int = 48
    steps: int = 250
    modalities: tuple[str, ...] = ("CT", "MR")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> StudentConfig:
        return config_from(cls, values)


@dataclass(frozen=True)
class Components:
    """What a slider needs no network for, (B, 1, H, W) each: neutral, soft and bone pictures, the accent, and the
    feathered masks that they act in."""

    neutral: Tensor
    soft: Tensor
    bone: Tensor
    accent: Tensor
    soft_mask: Tensor
    bone_mask: Tensor
    border: Tensor

    def picture(self, alpha: Tensor | float, beta: Tensor | float, gamma: Tensor | float) -> Tensor:
        """F in gray 0..1."""
        f = self.neutral + alpha * self.soft_mask * (self.soft - self.neutral)
        f = f + beta * self.bone_mask * (self.bone - self.neutral)
        return (f + gamma * self.border * self.accent).clamp(0, 1)

    def cropped(self, height: int, width: int) -> Components:
        return Components(*(getattr(self, k)[..., :height, :width] for k in self.__dataclass_fields__))


def border_contrast(picture: Tensor, lesion: Tensor) -> Tensor:
    """How much the lesion differs from what is outside it, within a few pixels; 0 where only one of them is near.
    lesion: the share of each pixel that it has, 0 to 1."""
    outside, near = 1 - lesion, partial(local_mean, size=ACCENT_PX)
    mean = lambda mask: near(picture * mask) / near(mask).clamp(min=1e-3)  # noqa: E731
    both = (near(lesion) > 0.01) & (near(outside) > 0.01)
    return torch.where(both, mean(lesion) - mean(outside), 0.0)


def border_accent(picture: Tensor, lesion: Tensor) -> Tensor:
    """What makes the lesion's side of its border differ more from the other side, in the direction that it differs in
    already: half of the local difference, up on one side and down on the other; 0 where the two sides look alike."""
    return ACCENT_GAIN * (lesion - 0.5) * border_contrast(picture, lesion)


class Student(nn.Module):
    config_type = StudentConfig
    abar: Tensor

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.time = TimeEmbedding(config.condition)
        self.told = nn.Linear(5, config.condition)  # lambda 1 to 3, tau, tracer
        self.unet = ConditionalUNet(4 * 11, 4 * OUTPUTS, config.channels, config.condition)
        self.register_buffer("abar", dm.linear_alphas_cumprod(config.steps), persistent=False)

    def encode(self, pair: Pair) -> Tensor:
        """The pair as the network takes it, (B, 40, H / 2, W / 2)."""
        return fold(torch.cat([pair.mri, pair.ct, pair.masks], dim=1))

    def components(self, pair: Pair, noisy: Tensor, t: Tensor, sliders: Sliders) -> Components:
        """One denoising step from x_t; noisy: (B, 1, H, W) in -1..1, t: (B,)."""
        facts = torch.cat([sliders.lambdas, sliders.tau_mm[:, None] / 5, pair.tracer[:, None]], dim=1)
        condition = self.time(t / self.config.steps) + self.told(facts)
        x, precision = torch.cat([fold(noisy), self.encode(pair)], dim=1), self.unet.first.weight.dtype
        output = F.pixel_shuffle(self.unet(x.to(precision), condition.to(precision)), 2).float()
        pictures = [self._mixed(output[:, 3 * i : 3 * i + 3], pair, bias) for i, bias in enumerate((0.0, 1.0, -1.0))]
        bone = feathered(pair.mask("bone"))
        # bone wins where the feathers meet; outside the MRI's field of view there is nothing to be like
        soft = feathered(pair.mask("soft")) * (1 - bone) * pair.mask("valid")
        neutral, like_mri, like_ct = pictures
        even = pair.slice_ct + pair.mask("valid") * (pair.slice_mri - pair.slice_ct) / 2
        neutral = neutral + (soft + bone) * (even - neutral)
        # in bone, between the neutral picture and the CT, pixel by pixel: then beta only ever comes closer to the CT;
        # around it, where the feather reaches into brain or muscle, the network decides
        ends = neutral, pair.slice_ct
        held = torch.maximum(torch.minimum(like_ct, torch.maximum(*ends)), torch.minimum(*ends))
        like_ct = torch.where(pair.mask("bone") > 0.5, held, like_ct)
        whole = neutral + soft * (like_mri - neutral) + bone * (like_ct - neutral)
        accent = border_accent(whole, pair.mask("lesion")) + LARGEST_ACCENT * torch.tanh(output[:, 9:10])
        accent = accent.clamp(-LARGEST_ACCENT, LARGEST_ACCENT)
        return Components(neutral, like_mri, like_ct, accent, soft, bone, border_band(pair.mask("lesion")))

    def _mixed(self, output: Tensor, pair: Pair, bias: float) -> Tensor:
        """w_M I_M + w_C I_C + r; bias: how far the weights start out toward the MRI."""
        w_mri, w_ct, r = output.split(1, dim=1)
        mri = LARGEST_WEIGHT * torch.sigmoid(w_mri + bias) * pair.slice_mri * pair.mask("valid")
        ct = LARGEST_WEIGHT * torch.sigmoid(w_ct - bias) * pair.slice_ct
        return (mri + ct + LARGEST_RESIDUAL * torch.tanh(r)).clamp(0, 1)

    def sample(
        self, pair: Pair, sliders: Sliders, steps: int = 1, generator: torch.Generator | None = None
    ) -> Components:
        """Components after 1 to 4 steps from pure noise; between steps the sliders' own picture is what is renoised."""
        height, width = pair.mri.shape[-2:]
        whole = pair.padded()
        # one field of noise for every slice: what differs between neighbors is the patient
        noise = dm.gaussian_like(whole.slice_mri[:1], generator).expand_as(whole.slice_mri)
        times = dm.ddim_times(self.config.steps, steps)
        x = noise
        for now, then in pairwise(times):
            t = torch.full((len(x),), now, device=x.device)
            parts = self.components(whole, x, t, sliders)
            if then:
                x = dm.add_noise(2 * parts.picture(*sliders.views()) - 1, noise, self.abar, torch.full_like(t, then))
        return parts.cropped(height, width)

    def memory_bytes(self, voxels: int, modalities: int = 2) -> int:
        """Predicted peak memory of one step on so many pixels, float32."""
        return 4 * voxels * 8 * self.config.channels[0] // 4 + 4 * sum(p.numel() for p in self.parameters())
