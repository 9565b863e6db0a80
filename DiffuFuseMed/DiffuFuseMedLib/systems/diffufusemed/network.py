"""DiffuFuseMed (S. Nandini et al.): diffusion of latent tokens before time-conditioned cross-modal fusion.

Equation numbers are the paper's; docs/systems/diffufusemed.md records each decision where it is silent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ... import diffusion as dm
from ... import losses
from ...core.triples import pair
from ...networks import (
    CrossModalBlock,
    FusionDecoder,
    LatentDenoiser,
    PyramidEncoder,
    Reliability,
    TimeEmbedding,
    gates,
    texture,
    uniform_gates,
    window_position,
)
from ...networks.draw import Draw
from .config import Config

if TYPE_CHECKING:
    from ...training.dataset import TrainingCase
    from .recipe import DiffuFuseMedRecipe

Tokens = list[dict[str, Tensor]]  # stems, textures, then per level, finest first, tokens; by modality


@dataclass
class Fused:
    """What the fusion of one draw gives: logits at full size, coarser ones, and what the losses look at, per level."""

    logits: Tensor
    coarse: list[Tensor]
    denoised: Tokens
    reliability: list[dict[str, Tensor]]
    gates: list[dict[str, Tensor]]


class Level(nn.Module):
    """Everything that happens at one resolution: latent diffusion, reliability and DG-CMT (3.4 to 3.6)."""

    abar: Tensor

    def __init__(self, config: Config, index: int) -> None:
        super().__init__()
        self.config, channels = config, config.channels[index]
        self.steps = config.diffusion_steps[index]
        self.register_buffer("abar", dm.linear_alphas_cumprod(self.steps), persistent=False)
        self.modality = nn.ParameterDict({m: nn.Parameter(0.02 * torch.randn(channels)) for m in config.modalities})
        self.position_scale = nn.Parameter(torch.full((1,), 0.1))
        self.time = TimeEmbedding(channels)
        self.denoiser = LatentDenoiser(config.spatial_dims, channels, config.modalities)
        self.reliability = nn.ModuleDict({m: Reliability(channels, config.spatial_dims) for m in config.modalities})
        self.transformer = nn.ModuleList(
            [
                CrossModalBlock(channels, config.heads[index], config.windows[index], config.summaries[index])
                for _ in range(config.transformer_blocks[index] if config.transformer else 0)
            ]
        )

    def judge(self, modality: str) -> Reliability:
        """phi of (11) for a modality."""
        return cast(Reliability, self.reliability[modality])

    def embed(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Eq. (6). Features are brought to unit variance first: the schedule of (7) assumes tokens of that size, and an
        encoder could otherwise escape (24) by shrinking them."""
        first = next(iter(features.values()))
        position = window_position(first.shape[2:], first.shape[1]).to(first.device, first.dtype)
        place = self.position_scale * position
        return {m: F.group_norm(z, 1) + place + _channels(self.modality[m], z) for m, z in features.items()}

    def predict(self, noisy: dict[str, Tensor], t: Tensor) -> dict[str, Tensor]:
        """The denoiser's raw output at time t, (B,)."""
        return self.denoiser(noisy, self.time(t / self.steps), dict(self.modality))

    def denoise(self, clean: dict[str, Tensor], generator: torch.Generator | None) -> tuple[dict, dict, dict, Tensor]:
        """Noise to the start time by (7), then few-step DDIM on all modalities at once: (Z_t, Z_hat, residual, t)."""
        first = next(iter(clean.values()))
        start = max(1, round(self.config.start * self.steps))
        t = torch.full((first.shape[0],), start, device=first.device)
        noisy = {m: dm.add_noise(z, dm.gaussian_like(z, generator), self.abar, t) for m, z in clean.items()}
        names, joint = list(noisy), torch.cat(list(noisy.values()), dim=1)
        residuals: dict[str, Tensor] = {}

        def joint_denoiser(x: Tensor, now: Tensor) -> tuple[Tensor, Tensor]:
            split = dict(zip(names, x.chunk(len(names), dim=1), strict=True))
            pairs = {m: self._decode(out, split[m], now) for m, out in self.predict(split, now).items()}
            if not residuals:  # the first call is at the start time, as in training
                residuals.update({m: eps for m, (_, eps) in pairs.items()})
            return pair(torch.cat([pairs[m][i] for m in names], dim=1) for i in (0, 1))

        times = dm.ddim_times(start, self.config.sampler_steps)
        clean_again = dm.ddim(joint_denoiser, joint, times, self.abar).chunk(len(names), dim=1)
        return noisy, dict(zip(names, clean_again, strict=True)), residuals, t

    def denoise_once(self, clean: dict[str, Tensor], t: Tensor, generator: torch.Generator | None) -> tuple:
        """One step from Z_t to Z_hat as training needs it: (Z_t, Z_hat, residual, L_diff)."""
        noise = {m: dm.gaussian_like(z, generator) for m, z in clean.items()}
        noisy = {m: dm.add_noise(z, noise[m], self.abar, t) for m, z in clean.items()}
        outputs = self.predict(noisy, t)
        abar = dm.at_time(self.abar, t, next(iter(clean.values())))
        kind = self.config.parametrisation
        targets = {m: dm.target(kind, z.detach(), noise[m], abar) for m, z in clean.items()}
        pairs = {m: self._decode(out, noisy[m], t) for m, out in outputs.items()}
        denoised, residuals = ({m: p[i] for m, p in pairs.items()} for i in (0, 1))
        return noisy, denoised, residuals, losses.noise_prediction(outputs, targets)

    def fuse(self, denoised: dict[str, Tensor], weights: dict[str, Tensor], t: Tensor) -> Tensor:
        """Eq. (13)-(18), then the gate-weighted sum over modalities, (B, d, *space).

        The layer norm of (18) undoes the scaling of (13), so the gates weigh the tokens once more when they are summed.
        In (13) they are multiplied by the number of modalities: an average of one, whether two are present or five.
        """
        names = list(denoised)
        fused = torch.stack([len(names) * _samples(weights[m], denoised[m]) * denoised[m] for m in names], dim=1)
        bias = torch.stack([self.modality[m] for m in names]).unsqueeze(0).expand(t.shape[0], -1, -1)
        asking = None
        if self.config.time_conditioned:
            time = self.time(t / self.steps)
            bias, asking = bias + time.unsqueeze(1), time if self.config.time_in_queries else None
        for block in self.transformer:
            fused = block(fused, bias, asking)
        return losses.barycenter(dict(zip(names, fused.unbind(1), strict=True)), weights)

    def _decode(self, output: Tensor, noisy: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        return dm.decode(self.config.parametrisation, output, noisy, dm.at_time(self.abar, t, noisy))


class DiffuFuseMed(nn.Module):
    """The segmenter. Modalities that are not in a dict of images are absent: nothing of them is ever computed."""

    config_type = Config
    options: ClassVar[dict[str, Any]] = {"gating": True}

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoders = nn.ModuleDict(
            {
                m: PyramidEncoder(
                    config.spatial_dims,
                    2,
                    (config.stem_channels, *config.channels),
                    (config.stem_blocks, *config.blocks),
                )
                for m in config.modalities
            }
        )
        self.levels = nn.ModuleList([Level(config, i) for i in range(len(config.channels))])
        self.decoder = FusionDecoder(config.spatial_dims, (config.stem_channels, *config.channels), config.classes)

    @property
    def resolutions(self) -> list[Level]:
        """The levels, finest first, as what they are: a ModuleList does not say what it holds."""
        return cast("list[Level]", list(self.levels))

    @property
    def stride(self) -> tuple[int, ...]:
        """Each axis of a window is a multiple of its own."""
        return (2 ** (1 + len(self.config.channels)),) * self.config.spatial_dims

    def encode(self, images: dict[str, Tensor]) -> Tokens:
        """images: (B, 2, *space) each, intensity and valid -> stems and tokens (4)-(6): what a host may keep."""
        pyramids = {m: self.encoders[m](x) for m, x in images.items()}
        stems = {m: p[0] for m, p in pyramids.items()}
        textures = {m: texture(x) for m, x in images.items()}
        return [
            stems,
            textures,
            *(level.embed({m: p[i] for m, p in pyramids.items()}) for i, level in enumerate(self.resolutions, 1)),
        ]

    def segment(self, tokens: Tokens, generator: torch.Generator | None = None, gating: bool = True) -> Draw:
        """One draw: noise (7), few-step DDIM, fusion, decoding -> logits (B, classes, *space) and gates, (B,) each.

        gating off gives every present modality the same weight: the column "without gating" of the paper's Table 4.
        """
        levels = [self._denoised(level, clean, generator) for level, clean in self._by_level(tokens)]
        fused = self._fuse(tokens[0], tokens[1], levels, gating)
        mean_gates = {m: torch.stack([g[m] for g in fused.gates]).mean(dim=0) for m in fused.gates[0]}
        return Draw(fused.logits, mean_gates)

    def loss(self, batch: losses.Batch, generator: torch.Generator | None = None) -> losses.Losses:
        """Eq. (27) on one batch: every weighted part by name, and the logits."""
        tokens = self.encode(batch.images)
        drawn = torch.rand(batch.target.shape[0], generator=generator).to(batch.target.device)
        steps = [self._denoised_once(level, clean, drawn, generator) for level, clean in self._by_level(tokens)]
        fused = self._fuse(tokens[0], tokens[1], [step[:4] for step in steps])
        parts = self._segmentation_parts(fused, batch)
        parts["diff"] = self.config.lambda_diff * torch.stack([s[-1] for s in steps]).mean()
        pairs = list(zip(fused.denoised, fused.gates, strict=True))
        parts["align"] = self.config.lambda_align * torch.stack([losses.alignment(z, w) for z, w in pairs]).mean()
        if self.config.gating:
            parts["rel"] = self.config.lambda_rel * self._reliability_loss(fused, batch.clean)
        return losses.Losses(parts, fused.logits)

    def fit_after_training(
        self,
        cases: list[TrainingCase],
        recipe: DiffuFuseMedRecipe,
        device: str = "cpu",
        progress: Callable[[float, str], None] | None = None,
    ) -> None:
        """Fit phi of (11) to the trained rest, where there are gates to judge."""
        from .reliability_fit import fit_reliability  # who predicts needs no training

        if self.config.gating:
            fit_reliability(self, cases, recipe, device, progress)

    def reliability_inputs(
        self, images: dict[str, Tensor], generator: torch.Generator | None = None
    ) -> list[dict[str, Tensor]]:
        """Per level and modality what phi of (11) judges, (B, features), at the time that prediction starts from."""
        tokens = self.encode(images)
        drawn = [(level, self._denoised(level, clean, generator)) for level, clean in self._by_level(tokens)]
        return [
            {m: level.judge(m).inputs(noisy[m], residual[m], tokens[1][m]) for m in noisy}
            for level, (noisy, _, residual, _) in drawn
        ]

    @torch.no_grad()
    def denoising(self, images: dict[str, Tensor], generator: torch.Generator) -> dict[str, float]:
        """By level, the denoiser's squared error at prediction's first time, as a share of the best scalar's.

        images: (B, 2, *space) by modality. {} without diffusion.
        """
        if not self.config.diffusion:
            return {}
        told = {}
        for index, (level, clean) in enumerate(self._by_level(self.encode(images))):
            start = max(1, round(self.config.start * level.steps))
            t = torch.full((next(iter(clean.values())).shape[0],), start, device=next(iter(clean.values())).device)
            noisy, denoised, _, _ = level.denoise_once(clean, t, generator)
            told[f"level {index}"] = losses.share_of_best_scalar(denoised, noisy, clean)
        return told

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak memory of encoding and one draw of a window, from the sizes of the largest tensors alive together.

        Per voxel of the window, in float32: the images, the stems' maps with what a residual block keeps beside them,
        and the full-size maps of the decoder. Compared with the real peak by `python -m benchmarks`.
        """
        stem = self.config.stem_channels / 2**self.config.spatial_dims
        per_voxel = 2 * modalities + 6 * modalities * stem + 4 * 8
        return int(4 * voxels * per_voxel) + 4 * sum(p.numel() for p in self.parameters())

    def _by_level(self, tokens: Tokens) -> list[tuple[Level, dict[str, Tensor]]]:
        return list(zip(self.resolutions, tokens[2:], strict=True))

    def _denoised(self, level: Level, clean: dict[str, Tensor], generator: torch.Generator | None) -> tuple:
        return level.denoise(clean, generator) if self.config.diffusion else _undiffused(clean)

    def _denoised_once(self, level: Level, clean: dict, drawn: Tensor, generator: torch.Generator | None) -> tuple:
        if not self.config.diffusion:
            return (*_undiffused(clean), torch.zeros((), device=drawn.device))
        t = (drawn * level.steps).long() + 1
        noisy, denoised, residual, diff = level.denoise_once(clean, t, generator)
        return noisy, denoised, residual, t, diff

    def _fuse(self, stems: dict, textures: dict, levels: list[tuple], gating: bool = True) -> Fused:
        maps, reliability, weights = [], [], []
        for level, (noisy, denoised, residual, t) in zip(self.resolutions, levels, strict=True):
            logits = {m: level.judge(m)(noisy[m], residual[m], textures[m]) for m in noisy}
            on = gating and self.config.gating
            w = gates(logits, self.config.gate_sharpness) if on else uniform_gates(logits)
            maps.append(level.fuse(denoised, {m: x.to(denoised[m].dtype) for m, x in w.items()}, t))
            reliability.append(logits)
            weights.append(w)
        skip = losses.barycenter(stems, {m: x.to(stems[m].dtype) for m, x in weights[0].items()})
        logits, coarse = self.decoder([skip, *maps])
        return Fused(logits, coarse, [denoised for _, denoised, _, _ in levels], reliability, weights)

    def _segmentation_parts(self, fused: Fused, batch: losses.Batch) -> dict[str, Tensor]:
        parts = losses.segmentation(fused.logits, batch.target, batch.distance, self.config.segmentation)
        for logits in fused.coarse if self.config.deep_supervision else ():
            target = losses.coarse_targets(batch.target, logits)
            extra = losses.soft_dice(logits.float(), target) + losses.cross_entropy(logits.float(), target)
            parts["coarse"] = parts.get("coarse", 0) + self.config.deep_supervision / len(fused.coarse) * extra
        return parts

    def _reliability_loss(self, fused: Fused, clean: dict[str, Tensor]) -> Tensor:
        entropy = self.config.gate_entropy
        pairs = zip(fused.reliability, fused.gates, strict=True)
        return torch.stack([losses.reliability(rho, clean, w, entropy) for rho, w in pairs]).mean()


def _samples(values: Tensor, like: Tensor) -> Tensor:
    """(B,) shaped to broadcast over (B, d, *space)."""
    return values.view(-1, *[1] * (like.ndim - 1))


def _channels(values: Tensor, like: Tensor) -> Tensor:
    """(d,) shaped to broadcast over (B, d, *space)."""
    return values.view(1, -1, *[1] * (like.ndim - 2))


def _undiffused(clean: dict[str, Tensor]) -> tuple:
    """Tokens as the encoder made them, without residual and at time 0: the ablation without diffusion."""
    first = next(iter(clean.values()))
    return clean, clean, {m: torch.zeros_like(z) for m, z in clean.items()}, first.new_zeros(first.shape[0])
