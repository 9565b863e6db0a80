"""CalDiff (X. Wang, M. Yang, S. Tosun, K. Nakamura, S. Li, X. Li, IEEE JBHI 2026): a mask diffused on image conditions.

Its training says of every step how the predicted mask's normals differ from those of the readers' masks (Step-UC), and
of S steps of its own predictions how their errors add up (Seq-UC).
docs/systems/caldiff.md tells what of this is the paper's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ... import diffusion as dm
from ... import losses
from ...core.errors import input_error
from ...networks import PyramidEncoder
from ...networks.draw import Draw
from ...networks.inputs import stacked
from .config import Config
from .denoiser import ImageTrunk, MaskDenoiser
from .objective import bound_term, noise_error
from .pyramid import MasksTold, UncertaintyNet, anchor, hierarchical_kl, of_all_readers
from .sampler import Seen, sampled, seen_in, stochastic_step
from .sequence import jump, reach, sequence_loss, weights_of

Encoded = list[dict[str, Tensor]]  # levels, finest first; by present modality
SUREST = 0.999  # of a probability


@dataclass(frozen=True)
class Step:
    """noisy: (B, 1, *space), what the denoiser is shown at t, (B,), and what it sees in it."""

    noisy: Tensor
    t: Tensor
    seen: Seen


class CalDiff(nn.Module):
    """The segmenter, which samples a whole volume (tasks/segment/contract.py). An absent modality is not read."""

    config_type = Config
    noise_channels: ClassVar[int] = 1
    abar: Tensor
    tau: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, dims = config, config.spatial_dims
        slope = (config.beta_last - config.beta_first) / (config.diffusion_steps - 1)
        abar = dm.linear_alphas_cumprod(config.diffusion_steps, slope, config.beta_first)
        self.register_buffer("abar", abar, persistent=False)
        self.register_buffer("tau", reach(abar), persistent=False)
        self.encoders = nn.ModuleDict(
            {m: PyramidEncoder(dims, 2, config.channels, config.blocks) for m in config.modalities}
        )
        self.trunk = ImageTrunk(dims, config.channels)
        self.denoiser = MaskDenoiser(dims, config.channels, config.denoiser)
        self.modeling, self.calibrating = (self._uncertainty_net() for _ in range(2))
        told = config.step_uc and config.anchor > 0
        self.masks_told = MasksTold(dims, len(config.pyramid), config.latents) if told else None

    def _uncertainty_net(self) -> UncertaintyNet | None:
        c = self.config
        if not c.step_uc:
            return None
        return UncertaintyNet(c.spatial_dims, 1 + 2 * len(c.modalities), c.pyramid, c.latents, c.pyramid_stride)

    @property
    def stride(self) -> tuple[int, ...]:
        """Each axis of a window is a multiple of its own."""
        return (2 ** len(self.config.channels),) * self.config.spatial_dims

    @property
    def options(self) -> Mapping[str, Any]:
        """Of the sampler: its steps, T of them for the paper's own, and whether each adds noise, (10)."""
        return {"steps": self.config.sampler_steps, "stochastic": self.config.stochastic}

    @property
    def sampler_steps(self) -> int:
        """Unless another number is asked for."""
        return self.config.sampler_steps

    def encode(self, images: dict[str, Tensor]) -> Encoded:
        """images: (B, 2, *space) each, intensity and valid -> maps at strides 2, 4, 8, 16: what a host may keep."""
        pyramids = {m: self.encoders[m](x) for m, x in images.items()}
        return [{m: p[level] for m, p in pyramids.items()} for level in range(len(self.config.channels))]

    def condition(self, inputs: Encoded) -> list[Tensor]:
        """What every step of the sampler is told of a window's images: maps at strides 2, 4, 8. Of modalities the mean,
        so that an absent one has no part in it."""
        return self.trunk([torch.stack(list(level.values())).mean(dim=0) for level in inputs])

    def denoise(self, noisy: Tensor, told: list[Tensor], t: Any) -> Tensor:
        """One window at step t: noisy, (B, 1, *space), is its part of the mask, told what condition() made of it ->
        (B, 2, *space), of which seen_in() tells the clean mask and the variance."""
        share = torch.full((noisy.shape[0],), int(t) / self.config.diffusion_steps, device=noisy.device)
        return self.denoiser(noisy, share, told)

    def sample(
        self,
        denoise: Callable[[Tensor, Any], Tensor],
        noise: Tensor,
        generator: torch.Generator | None = None,
        steps: int | None = None,
        stochastic: bool | None = None,
    ) -> Draw:
        """One draw of the whole volume from its field of noise; raises InputError for a number of steps that the chain
        does not have."""
        c = self.config
        steps = c.sampler_steps if steps is None else steps
        if not 1 <= steps <= c.diffusion_steps:
            raise input_error(f"{steps} steps", f"1 to {c.diffusion_steps} of them", "ask for another number")
        times = dm.ddim_times(c.diffusion_steps, steps)
        stochastic = c.stochastic if stochastic is None else stochastic
        look = lambda x, t: seen_in(denoise(x, t))  # noqa: E731
        return Draw(as_logits(sampled(look, noise, self.abar, times, stochastic, generator)))

    def loss(self, batch: losses.Batch, generator: torch.Generator | None = None) -> losses.Losses:
        """Algorithm 1 on one batch: the weighted parts of L_Diff + gamma L_Hier + kappa L_SA by name, and logits of the
        predicted mask. Of several annotators one is drawn, and all of them are known to the Modeling Net."""
        told, readers = self.condition(self.encode(batch.images)), losses.readers_of(batch)
        reference = 2 * readers.one(generator) - 1
        t = self._times(len(reference), generator).to(reference.device)
        noisy = dm.add_noise(reference, dm.gaussian_like(reference, generator), self.abar, t)
        step = self._step(noisy, t, told)
        bound = bound_term(step.seen, reference, noisy, t, self.abar)
        parts = {
            "mse": (self._error(step, reference) ** 2).mean(),
            "vlb": self.config.lambda_vlb * self.config.diffusion_steps * bound,
        }
        if self.config.step_uc:
            parts |= self._step_uc(step.seen, readers, batch.images, generator)
        if self.config.consecutive > 1:
            steps = self._trajectory(step, reference, told, generator)
            weights = weights_of(self.tau, [s.t for s in steps], self.config.relative_weights)
            parts["sa"] = self.config.kappa * sequence_loss([self._error(s, reference) for s in steps], weights)
        return losses.Losses(parts, as_logits(step.seen.clipped()))

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak memory of encoding and one step of a window, from the sizes of the largest tensors alive together: at
        stride 2, in float32, with what a residual block keeps beside them."""
        below = 2**self.config.spatial_dims
        per_voxel = 2 * modalities + 4 + 6 * (modalities + 2) * self.config.channels[0] / below
        return int(4 * voxels * per_voxel) + 4 * sum(p.numel() for p in self.parameters())

    def _times(self, size: int, generator: torch.Generator | None) -> Tensor:
        return torch.randint(1, self.config.diffusion_steps + 1, (size,), generator=generator)

    def _step(self, noisy: Tensor, t: Tensor, told: list[Tensor]) -> Step:
        return Step(noisy, t, seen_in(self.denoiser(noisy, t / self.config.diffusion_steps, told)))

    def _error(self, step: Step, reference: Tensor) -> Tensor:
        """That of the noise, (B, 1, *space), as it weighs; at t = 0 there is none, and it counts nowhere."""
        abar = dm.at_time(self.abar, step.t.clamp(min=1), reference)
        return noise_error(step.seen.clean, reference, abar, self.config.mse_weights)

    def _step_uc(
        self, seen: Seen, readers: losses.Readers, images: dict[str, Tensor], generator: torch.Generator | None
    ) -> dict[str, Tensor]:
        """gamma L_Hier of (14) between all readers' masks and the predicted one; its gradient reaches the denoiser."""
        assert self.modeling is not None
        assert self.calibrating is not None
        shown, masks = stacked(images, self.config.modalities), readers.each()
        own = self.modeling(masks, shown.repeat_interleave(readers.masks.shape[1], dim=0))
        posterior = of_all_readers(own, readers.counted)
        prior = self.calibrating((seen.clipped() + 1) / 2, shown)
        parts = {"hier": self.config.gamma * hierarchical_kl(posterior, prior)}
        if self.masks_told is not None:
            told = self.masks_told([level.sample(generator) for level in own])
            weight = self.config.gamma * self.config.anchor
            parts["anchor"] = weight * anchor(told, masks, readers.counted, self.config.pyramid_stride)
        return parts

    def _trajectory(
        self, first: Step, reference: Tensor, told: list[Tensor], generator: torch.Generator | None
    ) -> list[Step]:
        """S steps from the first one down, as far apart as a sampler's may be; each starts where the model's own last
        one ended."""
        steps = [first]
        for _ in range(self.config.consecutive - 1):
            last = steps[-1]
            then = jump(last.t, self.config.longest_jump, generator)
            noise = dm.gaussian_like(last.noisy, generator)
            if self.config.own_trajectory:
                noisy = self._stepped(last, then, noise)
            else:
                noisy = dm.add_noise(reference, noise, self.abar, then)
            steps.append(self._step(noisy, then, told))
        return steps

    def _stepped(self, last: Step, then: Tensor, noise: Tensor) -> Tensor:
        """(10) from t to an earlier time; the variance is trained by its own loss alone. At t = 0 nothing is left."""
        abar_now, abar_then = (dm.at_time(self.abar, s, last.noisy) for s in (last.t.clamp(min=1), then))
        held = Seen(last.seen.clean, last.seen.variance.detach())
        return stochastic_step(held, last.noisy, abar_now, abar_then, noise)


def as_logits(mask: Tensor) -> Tensor:
    """A mask of -1..1 as logits whose sigmoid is its place between the two."""
    return torch.logit((mask + 1) / 2, eps=1 - SUREST)
