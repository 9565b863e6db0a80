"""DiffuFuseMed (S. Nandini et al.) whose diffusion has something to do: few latents, absent or corrupted ones denoised.

Tokens are few channels of usual, not of unit, variance. They are denoised towards those that the moving average of the
encoders has of clean and complete images; an absent modality is denoised from pure noise. A smooth field of noise says
which reader draws. docs/systems/diffufusemed.md tells what of this is the paper's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn
from torch.nn import functional as F

from ... import losses
from ...core.triples import pair
from ...networks import FusionDecoder, PyramidEncoder, gates, texture, uniform_gates
from ...networks.draw import Draw
from .latent_config import LatentConfig
from .latent_level import LatentLevel, Latents
from .noise import draw_field, field_channels, latent_noise, reader_noise
from .reconstruction import Reconstruction, reconstruction

if TYPE_CHECKING:
    from ...training.dataset import TrainingCase
    from .recipe import DiffuFuseMedRecipe

Encoded = list[dict[str, Tensor]]  # maps at full size, stems, textures, then latents, finest level first; by modality
SKIPS = 3


@dataclass
class Fused:
    """What is decoded, and what the losses look at, per level."""

    skips: tuple[Tensor, Tensor]
    maps: list[Tensor]
    denoised: list[Latents]
    reliability: list[dict[str, Tensor]]
    gates: list[dict[str, Tensor]]


class LatentDiffuFuseMed(nn.Module):
    """The segmenter, which samples a whole volume (tasks/segment/contract.py). An absent modality is not read."""

    config_type = LatentConfig
    options: ClassVar[dict[str, Any]] = {"gating": True}
    learns_from_average = True
    sampler_steps = 1  # of the whole volume: a window's own few steps need no other window

    def __init__(self, config: LatentConfig) -> None:
        super().__init__()
        self.config, dims = config, config.spatial_dims
        widths = (config.stem_channels, *config.channels)
        conv = Conv[Conv.CONV, dims]
        self.full = nn.ModuleDict({m: conv(2, config.full_channels, 3, padding=1) for m in config.modalities})
        self.encoders = nn.ModuleDict(
            {m: PyramidEncoder(dims, 2, widths, (config.stem_blocks, *config.blocks)) for m in config.modalities}
        )
        self.levels = nn.ModuleList([LatentLevel(config, i) for i in range(len(config.channels))])
        self.decoder = FusionDecoder(dims, widths, config.classes, config.full_channels, config.full_channels)
        self.reconstruct = Reconstruction(config)

    @property
    def resolutions(self) -> list[LatentLevel]:
        """The levels, finest first, as what they are: a ModuleList does not say what it holds."""
        return cast("list[LatentLevel]", list(self.levels))

    @property
    def stride(self) -> tuple[int, ...]:
        """Each axis of a window is a multiple of its own."""
        return (2 ** (1 + len(self.config.channels)),) * self.config.spatial_dims

    @property
    def noise_channels(self) -> int:
        """Of the volume's field of noise."""
        return field_channels(self.config)

    def encode(self, images: dict[str, Tensor], follow: bool = False) -> Encoded:
        """images: (B, 2, *space) each, intensity and valid -> skips and latents (4)-(6): what a host may keep."""
        pyramids = {m: self.encoders[m](x) for m, x in images.items()}
        full = {m: F.silu(self.full[m](x)) for m, x in images.items()}
        stems = {m: p[0] for m, p in pyramids.items()}
        textures = {m: texture(x) for m, x in images.items()}
        features = [{m: p[i] for m, p in pyramids.items()} for i in range(1, 1 + len(self.resolutions))]
        levels = zip(self.resolutions, features, strict=True)
        return [full, stems, textures, *(level.latents(own, follow) for level, own in levels)]

    def denoise(self, noisy: Tensor, inputs: Encoded, t: Any) -> Tensor:
        """One window: noisy, (B, noise_channels, *space), is its part of the field, t whether gates are on ->
        (B, classes + modalities, *space), logits and the gates, 0 of an absent modality."""
        fused = self._fuse(inputs, noisy, gating=bool(t))
        logits = self._decode(fused, noisy)[0]
        shown = _of_present(fused.gates, list(inputs[0]))
        zero = logits.new_zeros(logits.shape[0])
        weights = torch.stack([shown.get(m, zero) for m in self.config.modalities], dim=1)
        spread = weights.view(*weights.shape, *[1] * (logits.ndim - 2)).expand(-1, -1, *logits.shape[2:])
        return torch.cat([logits, spread.to(logits.dtype)], dim=1)

    def sample(
        self,
        denoise: Callable[[Tensor, Any], Tensor],
        noise: Tensor,
        generator: torch.Generator | None = None,
        gating: bool = True,
    ) -> Draw:
        """One draw of the whole volume from its field of noise."""
        merged = denoise(noise, gating)
        logits, weights = merged[:, : self.config.classes], merged[:, self.config.classes :]
        mean = weights.flatten(2).mean(dim=2)
        shown = {m: mean[:, i] for i, m in enumerate(self.config.modalities) if bool((mean[:, i] > 0).any())}
        return Draw(logits, shown)

    def loss(self, batch: losses.Batch, generator: torch.Generator | None = None, teacher: Any = None) -> losses.Losses:
        """Eq. (27) on one batch: every weighted part by name, and the logits. teacher: the moving average of this
        network, whose latents of the clean and complete window are denoised towards."""
        inputs = self.encode(batch.images, follow=self.training)
        targets = _latents_of(teacher or self, batch)
        field = self._field(batch, generator)
        u = torch.rand(batch.target.shape[0], generator=generator).to(batch.target.device)
        fused = self._fuse(inputs, field, share=u**2)
        parts = self._diffusion_parts(fused, targets, batch)
        if not self.config.segment:
            return losses.Losses(parts)
        others = self._field(batch, generator) if self.config.readers else field
        logits = self._two_readers(fused, field, others, parts, batch)
        parts["align"] = self.config.lambda_align * _alignment(fused)
        if self.config.gating:
            parts["rel"] = self.config.lambda_rel * self._reliability_loss(fused, batch.clean)
        return losses.Losses(parts, logits)

    def fit_after_training(
        self,
        cases: list[TrainingCase],
        recipe: DiffuFuseMedRecipe,
        device: str = "cpu",
        progress: Callable[[float, str], None] | None = None,
    ) -> None:
        """Fit phi of (11) to the trained rest, where there are gates to judge."""
        from .reliability_fit import fit_reliability  # who predicts needs no training

        if self.config.gating and self.config.segment:
            fit_reliability(self, cases, recipe, device, progress)

    def reliability_inputs(
        self, images: dict[str, Tensor], generator: torch.Generator | None = None
    ) -> list[dict[str, Tensor]]:
        """Per level and modality what phi of (11) judges, (B, features), at the time that prediction starts from."""
        inputs, first = self.encode(images), next(iter(images.values()))
        field = draw_field((first.shape[0], self.noise_channels, *first.shape[2:]), generator, first)
        return [
            {m: level.judge(m).inputs(own[m], denoised[m] - own[m], inputs[2][m]) for m in own}
            for level, own, (denoised, _) in zip(
                self.resolutions, inputs[SKIPS:], self._denoised(inputs, field, None), strict=True
            )
        ]

    @torch.no_grad()
    def denoising(self, images: dict[str, Tensor], generator: torch.Generator) -> dict[str, float]:
        """By level, the denoiser's squared error at prediction's first time, as a share of the best scalar's;
        and for each modality that of its latents when it is absent, as a share of their variance.

        images: (B, 2, *space) by modality. {} without diffusion.
        """
        if not self.config.diffusion:
            return {}
        inputs, first = self.encode(images), next(iter(images.values()))
        field = draw_field((first.shape[0], self.noise_channels, *first.shape[2:]), generator, first)
        share = torch.full((first.shape[0],), self.config.start, device=first.device)
        told = {}
        for index, (made, t) in enumerate(self._denoised(inputs, field, share)):
            level, own = self.resolutions[index], inputs[SKIPS + index]
            noisy = level.noised(own, latent_noise(field, index, self.config), t)
            told[f"level {index}"] = losses.share_of_best_scalar({m: made[m] for m in own}, noisy, own)
        for absent in images if len(images) > 1 else ():
            told |= self._imputed(inputs, field, absent)
        return told

    def _imputed(self, inputs: Encoded, field: Tensor, absent: str) -> dict[str, float]:
        """Of each level, the error of the latents of a modality that is taken away, as a share of their variance."""
        left = [{m: x for m, x in level.items() if m != absent} for level in inputs]
        levels = enumerate(zip(self._denoised(left, field, None), inputs[SKIPS:], strict=True))
        return {
            f"level {i}, without {absent}": float(F.mse_loss(made[absent].float(), own[absent].float()))
            / float(own[absent].float().flatten(2).var(dim=2).mean())
            for i, ((made, _), own) in levels
        }

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak memory of encoding and one draw of a window, from the sizes of the largest tensors alive together.

        Per voxel of the window, in float32: images, noise, maps at full size, and the stems' with what a residual block
        keeps beside them. Compared with the real peak by `python -m benchmarks`.
        """
        stem, full = self.config.stem_channels / 2**self.config.spatial_dims, self.config.full_channels
        per_voxel = 2 * modalities + self.noise_channels + 6 * modalities * stem + (2 * modalities + 4) * full
        return int(4 * voxels * per_voxel) + 4 * sum(p.numel() for p in self.parameters())

    def _field(self, batch: losses.Batch, generator: torch.Generator | None) -> Tensor:
        shape = (batch.target.shape[0], self.noise_channels, *batch.target.shape[2:])
        return draw_field(shape, generator, batch.target)

    def _denoised(
        self, inputs: Encoded, field: Tensor, share: Tensor | None
    ) -> list[tuple[Latents, dict[str, Tensor]]]:
        """(Z_hat of every modality, the times that it comes from) per level, finest first; coarse levels come first and
        tell the finer ones. share: of T in one step, as training has it, or None for the sampler's few."""
        made: list[tuple[Latents, dict[str, Tensor]]] = []
        context: Tensor | None = None
        for index in reversed(range(len(self.resolutions))):
            level, own = self.resolutions[index], inputs[SKIPS + index]
            if context is not None:
                context = F.interpolate(context, next(iter(own.values())).shape[2:])
            made.append(self._denoised_level(level, own, latent_noise(field, index, self.config), context, share))
            context = torch.cat([made[-1][0][m] for m in self.config.modalities], dim=1)
        return made[::-1]

    def _denoised_level(
        self, level: LatentLevel, own: Latents, noise: Latents, context: Tensor | None, share: Tensor | None
    ) -> tuple[Latents, dict[str, Tensor]]:
        first = next(iter(own.values()))
        at_start = torch.full((first.shape[0],), self.config.start, device=first.device)
        t = level.times(own, at_start if share is None else share)
        if not self.config.diffusion:  # absent modalities are what is usual of them: 0
            return {m: own.get(m, torch.zeros_like(first)) for m in self.config.modalities}, t
        noise = {m: x.to(first.dtype) for m, x in noise.items()}
        if share is None:
            return level.denoise(own, noise, context), t
        return level.clean(level.noised(own, noise, t), t, context), t

    def _fuse(self, inputs: Encoded, field: Tensor, gating: bool = True, share: Tensor | None = None) -> Fused:
        full, stems, textures = inputs[:SKIPS]
        maps, reliability, weights, kept = [], [], [], []
        steps = zip(self.resolutions, inputs[SKIPS:], self._denoised(inputs, field, share), strict=True)
        for level, own, (denoised, t) in steps:
            logits = level.trust(own, denoised, textures)
            on = gating and self.config.gating
            w = gates(logits, self.config.gate_sharpness) if on else uniform_gates(logits)
            maps.append(level.fuse(denoised, w, t))
            reliability.append({m: logits[m] for m in own})
            weights.append(w)
            kept.append(denoised)
        seen = _of_present(weights[:1], list(full))
        fine, stem = (losses.barycenter(x, {m: w.to(x[m].dtype) for m, w in seen.items()}) for x in (full, stems))
        return Fused((fine, stem), maps, kept, reliability, weights)

    def _decode(self, fused: Fused, field: Tensor) -> tuple[Tensor, list[Tensor]]:
        fine, stem = fused.skips
        read = [
            level.read(x, reader_noise(field, i, self.config)) if self.config.reader_channels else x
            for i, (level, x) in enumerate(zip(self.resolutions, fused.maps, strict=True))
        ]
        return self.decoder([stem, *read], fine)

    def _two_readers(
        self, fused: Fused, field: Tensor, others: Tensor, parts: dict[str, Tensor], batch: losses.Batch
    ) -> Tensor:
        """Two draws that differ in their reader alone, against two references; returns the logits of their mean."""
        twice = Fused(
            pair(torch.cat([x, x]) for x in fused.skips),
            [torch.cat([x, x]) for x in fused.maps], fused.denoised, fused.reliability, fused.gates,
        )  # fmt: skip
        logits, coarse = self._decode(twice, torch.cat([field, others]))
        draws = logits.float().chunk(2)
        references = two_references(batch)
        mean = mean_logit(*draws)
        target = (references[0] + references[1]) / 2
        parts |= losses.segmentation(mean, target, batch.distance, self.config.segmentation)
        if self.config.readers:
            probabilities = draws[0].sigmoid(), draws[1].sigmoid()
            parts["energy"] = self.config.lambda_energy * losses.energy_score(probabilities, references)
        parts["coarse"] = self._coarse(coarse, torch.cat(references))
        return mean

    def _coarse(self, coarse: list[Tensor], target: Tensor) -> Tensor:
        weight = self.config.deep_supervision / len(coarse)
        terms = []
        for logits in coarse:
            own = losses.coarse_targets(target, logits)
            terms.append(losses.soft_dice(logits.float(), own) + losses.cross_entropy(logits.float(), own))
        return weight * torch.stack(terms).sum()

    def _diffusion_parts(self, fused: Fused, targets: list[Latents], batch: losses.Batch) -> dict[str, Tensor]:
        parts = {}
        if self.config.diffusion:
            pairs = [(z[m], wanted[m]) for z, wanted in zip(fused.denoised, targets, strict=True) for m in wanted]
            parts["diff"] = self.config.lambda_diff * torch.stack([F.mse_loss(a.float(), b) for a, b in pairs]).mean()
        images = self.reconstruct(fused.denoised)
        parts["recon"] = self.config.lambda_reconstruction * reconstruction(images, batch.originals or batch.images)
        return parts

    def _reliability_loss(self, fused: Fused, clean: dict[str, Tensor]) -> Tensor:
        entropy = self.config.gate_entropy
        pairs = zip(fused.reliability, fused.gates, strict=True)
        return torch.stack([losses.reliability(rho, clean, w, entropy) for rho, w in pairs]).mean()


def _alignment(fused: Fused) -> Tensor:
    pairs = zip(fused.denoised, fused.gates, strict=True)
    return torch.stack([losses.alignment(z, w) for z, w in pairs]).mean()


def two_references(batch: losses.Batch) -> tuple[Tensor, Tensor]:
    """The drawn lesion twice, or the first two annotators' masks, (B, 1, *space) each."""
    if batch.references is None:
        return batch.target, batch.target
    last = 1 if batch.references.shape[1] > 1 else 0
    return batch.references[:, :1], batch.references[:, last : last + 1]


def mean_logit(first: Tensor, second: Tensor) -> Tensor:
    """The logit of the mean of two probabilities, from their logits, without leaving the logarithms."""
    inside = torch.logaddexp(F.logsigmoid(first), F.logsigmoid(second))
    outside = torch.logaddexp(F.logsigmoid(-first), F.logsigmoid(-second))
    return inside - outside


def _of_present(weights: list[dict[str, Tensor]], present: list[str]) -> dict[str, Tensor]:
    """The levels' mean gates of present modalities, summing to one."""
    mean = {m: torch.stack([w[m] for w in weights]).mean(dim=0) for m in present}
    total = torch.stack(list(mean.values())).sum(dim=0)
    return {m: w / total for m, w in mean.items()}


@torch.no_grad()
def _latents_of(teacher: Any, batch: losses.Batch) -> list[Latents]:
    """What the teacher makes of the clean and complete window, in float32."""
    encoded = teacher.encode(batch.originals or batch.images)
    return [{m: z.float() for m, z in level.items()} for level in encoded[SKIPS:]]
