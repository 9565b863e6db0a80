"""The teacher of CLIN-FuseDiff++: eps_theta(x_t, t | c), guided by Algorithm 1 with eq. (1), (2) and (4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from monai.networks.nets import BasicUNet
from torch import Tensor, nn
from torch.nn import functional as F

from ... import diffusion as dm
from ...losses import roi
from ...networks import TimeEmbedding
from ...networks.conditional_unet import ConditionalUNet, padded
from ...networks.config import config_from
from .pair import MULTIPLE, Pair, fold

LARGEST_STEP = 0.08  # of the guidance, per voxel and step, in gray -1..1


@dataclass(frozen=True)
class TeacherConfig:
    channels: tuple[int, ...] = (48, 72, 96)
    encoder_channels: int = 24
    condition: int = 64
    steps: int = 250
    parametrisation: str = "v"
    head_features: tuple[int, ...] = (32, 32, 64, 96, 128, 32)
    modalities: tuple[str, ...] = ("CT", "MR")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TeacherConfig:
        return config_from(cls, values)


@dataclass(frozen=True)
class Guidance:
    """eta, eta_u: strengths of (1), per voxel; kappa of (4); modulated: whether (4) acts; jitter_px: how far the MRI is
    moved at most in the second conditioning, whose disagreement is the uncertainty; steps: of the reverse process;
    progress, cancel: called before each of them."""

    eta: float = 1.0
    eta_u: float = 0.2
    kappa: float = 4.0
    modulated: bool = True
    jitter_px: float = 2.0
    steps: int = 20
    progress: Callable[[float, str], None] | None = None
    cancel: Callable[[], bool] | None = None


class SliceEncoder(nn.Module):
    """phi of 3.1: a light encoder of one modality's slice and its neighbors, at half size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(12, 2 * channels, 3, padding=1), nn.SiLU(), nn.Conv2d(2 * channels, channels, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(fold(x))


class LesionHead(nn.Module):
    """S-hat: logits (B, 1, H, W) of the lesion in a fused picture in gray 0..1, from that picture alone."""

    def __init__(self, features: tuple[int, ...]) -> None:
        super().__init__()
        self.unet = BasicUNet(2, 4, 1, features, norm="instance")

    def forward(self, fused: Tensor) -> Tensor:
        """At half size, then bilinear: a border is a matter of a millimeter or two, and this runs in every step."""
        height, width = fused.shape[-2:]
        least = 2 * MULTIPLE if max(height, width) > 2 * MULTIPLE else 4 * MULTIPLE  # a norm needs more than one pixel
        logits = self.unet(fold(2 * padded(fused, least) - 1)).float()
        logits = F.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)
        return logits[..., :height, :width]


class Teacher(nn.Module):
    """The denoiser with its two encoders, and two frozen lesion heads: one guides, the other only scores."""

    config_type = TeacherConfig
    abar: Tensor

    def __init__(self, config: TeacherConfig) -> None:
        super().__init__()
        self.config = config
        self.phi_mri, self.phi_ct = (SliceEncoder(config.encoder_channels) for _ in range(2))
        self.time = TimeEmbedding(config.condition)
        self.tracer = nn.Parameter(torch.zeros(config.condition))
        width = 4 + 2 * config.encoder_channels + 16
        self.unet = ConditionalUNet(width, 4, config.channels, config.condition)
        self.heads = nn.ModuleDict({name: LesionHead(config.head_features) for name in ("guide", "score")})
        self.register_buffer("abar", dm.linear_alphas_cumprod(config.steps), persistent=False)

    def encode(self, pair: Pair) -> Tensor:
        """c = {phi(I_M), phi(I_C), M}, (B, channels, H / 2, W / 2)."""
        return torch.cat([self.phi_mri(pair.mri), self.phi_ct(pair.ct), fold(pair.masks)], dim=1)

    def denoise(self, noisy: Tensor, t: Tensor, c: Tensor, tracer: Tensor) -> tuple[Tensor, Tensor]:
        """(x0, eps) that eps_theta gives; noisy: (B, 1, H, W) in -1..1, t: (B,)."""
        x0, _ = self._decoded(self._output(noisy, t, c, tracer), noisy, t)
        return self._clean(x0, noisy, t)

    def _output(self, noisy: Tensor, t: Tensor, c: Tensor, tracer: Tensor) -> Tensor:
        """(B, 1, H, W): what the network says, in its own parametrisation."""
        condition = self.time(t / self.config.steps) + tracer[:, None] * self.tracer
        return F.pixel_shuffle(self.unet(torch.cat([fold(noisy), c], dim=1), condition), 2).float()

    def _decoded(self, output: Tensor, noisy: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """(x0, eps) of what the network says."""
        return dm.decode(self.config.parametrisation, output, noisy, dm.at_time(self.abar, t, noisy))

    def _clean(self, x0: Tensor, noisy: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """A picture is within -1..1; eps follows from the clipped x0."""
        abar = dm.at_time(self.abar, t, noisy)
        x0 = x0.clamp(-1, 1)
        return x0, (noisy - abar.sqrt() * x0) / (1 - abar).sqrt().clamp(min=1e-3)

    def loss(self, pair: Pair, target: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """The first term of (3) and the denoised picture (gray 0..1) for its second; target: (B, 1, H, W) in 0..1.

        With v as the output, the squared error of v is that of eps over abar_t: the same minimum, without the
        explosion of x0 at large t."""
        clean = 2 * target - 1
        noise = dm.gaussian_like(clean, generator)
        t = torch.randint(1, self.config.steps + 1, (len(clean),), generator=generator).to(clean.device)
        noisy = dm.add_noise(clean, noise, self.abar, t)
        output = self._output(noisy, t, self.encode(pair), pair.tracer)
        wanted = dm.target(self.config.parametrisation, clean, noise, dm.at_time(self.abar, t, clean))
        x0, _ = self._decoded(output, noisy, t)
        return F.mse_loss(output, wanted), (x0.clamp(-1, 1) + 1) / 2

    def lesion(self, fused: Tensor, head: str = "guide") -> Tensor:
        """S-hat(F): lesion probability (B, 1, H, W) of a picture in gray 0..1."""
        return torch.sigmoid(self.heads[head](fused))

    def guided(
        self,
        pair: Pair,
        distance_mm: Tensor,
        sliders: roi.Sliders,
        guidance: Guidance,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Algorithm 1: a fused picture (B, 1, H, W) in gray 0..1. distance_mm: to the lesion's border."""
        # one field of noise for every slice: what differs between neighbors is the patient
        x = dm.gaussian_like(pair.slice_mri[:1], generator).expand_as(pair.slice_mri)
        c, other = self._conditions(pair, guidance, generator)
        times = dm.ddim_times(self.config.steps, guidance.steps)
        for now, then in pairwise(times):
            _check(guidance, 1 - now / self.config.steps)
            t = torch.full((len(x),), now, device=x.device)
            x0, eps, pull = self._step(x, t, pair, (c, other), distance_mm, sliders, guidance)
            abar_then = dm.at_time(self.abar, torch.full_like(t, then), x)
            x = abar_then.sqrt() * x0 + (1 - abar_then).sqrt() * eps - pull
        return (x.clamp(-1, 1) + 1) / 2

    def guided_target(
        self, noisy: Tensor, t: Tensor, pair: Pair, distance_mm: Tensor, sliders: roi.Sliders, guidance: Guidance
    ) -> Tensor:
        """Where one guided step takes x_t, as a picture in gray 0..1: what score distillation (3.5) aims at.

        The registration is taken as it is, so there is no uncertainty in it."""
        x0, _, pull = self._step(noisy, t, pair, (self.encode(pair), None), distance_mm, sliders, guidance)
        return ((x0 - pull).clamp(-1, 1) + 1) / 2

    def _conditions(self, pair: Pair, guidance: Guidance, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """c as registered, and c with the MRI moved by jitter: how the picture depends on the registration."""
        with torch.no_grad():
            shift = (2 * torch.rand(2, generator=generator) - 1) * guidance.jitter_px
            moved = replace(pair, mri=shifted(pair.mri, shift))
            return self.encode(pair), self.encode(moved)

    def _step(
        self,
        x: Tensor,
        t: Tensor,
        pair: Pair,
        conditions: tuple[Tensor, Tensor | None],
        distance_mm: Tensor,
        sliders: roi.Sliders,
        guidance: Guidance,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x0 and eps at x_t, and what (1) subtracts; conditions: c, and c of the moved MRI or None for no doubt."""
        area = float(x[0].numel())  # losses are means; a step per voxel wants sums
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            gradient = lambda value: torch.autograd.grad(area * value.sum(), x, retain_graph=True)[0]  # noqa: E731
            x0, eps = self.denoise(x, t, conditions[0], pair.tracer)
            other = self._moved(x, t, conditions[1], pair.tracer, x0)
            fused = (x0 + 1) / 2
            bracket = roi.lesion_loss(self.lesion(fused), pair.mask("lesion"), distance_mm, sliders)
            total = roi.roi_loss(fused, pair.slice_mri, pair.slice_ct, pair.masks_by_name(), bracket, sliders)
            grad_roi = gradient(total)
            # the squared difference from x0 itself is 0, and so is its gradient
            grad_uncertainty = 0.0 if conditions[1] is None else gradient(((x0 - other) ** 2).mean(dim=(1, 2, 3)) / 2)
        uncertain = ((x0.detach() - other).abs() / 2).clamp(0, 1)  # 1 - conf of (4)
        eta = guidance.eta * torch.sigmoid(guidance.kappa * uncertain) if guidance.modulated else guidance.eta
        scale = (1 - dm.at_time(self.abar, t, x)).clamp(min=0.02)  # less is moved as less noise is left
        pull = scale * (0.05 * eta * grad_roi + guidance.eta_u * grad_uncertainty)
        return x0.detach(), eps.detach(), pull.clamp(-LARGEST_STEP, LARGEST_STEP)

    def _moved(self, x: Tensor, t: Tensor, c: Tensor | None, tracer: Tensor, x0: Tensor) -> Tensor:
        """x0 under the other condition, without gradient; x0 itself where there is none."""
        if c is None:
            return x0.detach()
        with torch.no_grad():
            return self.denoise(x.detach(), t, c, tracer)[0]

    def memory_bytes(self, voxels: int, modalities: int = 2) -> int:
        """Predicted peak memory of one guided step on so many pixels, float32 with what the backward pass keeps."""
        return 4 * voxels * 30 * self.config.channels[0] // 4 + 4 * sum(p.numel() for p in self.parameters())


def shifted(x: Tensor, shift_px: Tensor) -> Tensor:
    """(B, C, H, W) moved by (rows, columns) pixels, bilinear."""
    height, width = x.shape[-2:]
    theta = torch.eye(2, 3, dtype=x.dtype, device=x.device)
    theta[0, 2], theta[1, 2] = 2 * float(shift_px[1]) / width, 2 * float(shift_px[0]) / height
    grid = F.affine_grid(theta.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _check(guidance: Guidance, share: float) -> None:
    if guidance.progress:
        guidance.progress(share, "guided diffusion")
    if guidance.cancel and guidance.cancel():
        raise InterruptedError("the guided diffusion was stopped by its user")
