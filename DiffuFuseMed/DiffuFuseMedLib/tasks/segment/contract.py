"""What a network has to be to segment, and what more it may be. docs/explanation/contracts.md tells it with examples.

A segmenter draws: window by window (DrawsWindows), or by a sampler that works on the whole volume (SamplesWholeVolume).
Everything else is a capability that a system has by having its methods; what it does not have nobody asks it for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ...core.errors import input_error
from ...networks.draw import Draw

Images = dict[str, Tensor]
Denoiser = Callable[[Tensor, Any], Tensor]


class Config(Protocol):
    """modalities: what the network takes; spatial_dims: 3, or 2 for a network of slices and pictures."""

    @property
    def modalities(self) -> tuple[str, ...]: ...

    @property
    def spatial_dims(self) -> int: ...


class Segmenter(Protocol):
    """What every segmenter has. stride: each axis of a window is a multiple of its own, one entry per spatial axis."""

    config: Config

    @property
    def stride(self) -> tuple[int, ...]: ...

    def memory_bytes(self, voxels: int, modalities: int) -> int:
        """Peak memory of one pass over a window of so many voxels."""


@runtime_checkable
class DrawsWindows(Protocol):
    """A segmenter whose windows are drawn one by one and merged at the end."""

    def segment(self, inputs: Any, generator: torch.Generator | None = None) -> Draw:
        """One draw of a batch of windows. inputs: by present modality (B, channels + 1, *space), intensities and valid;
        what encode() made of them where the system has that. A system with options takes them by name too."""


@runtime_checkable
class SharesLatent(Protocol):
    """A segmenter by windows whose draw is one thing for the whole volume: a latent, a member of an ensemble."""

    def latent(self, generator: torch.Generator | None = None) -> Any:
        """What segment() takes as `latent` in every window of a draw."""


@runtime_checkable
class SamplesWholeVolume(Protocol):
    """A mask-diffusion segmenter: one noise field for the whole volume, windows merged at every step of its sampler.

    noise_channels: of the noisy mask; sampler_steps: how often sample() asks its denoiser, for the progress; a run
    whose option `steps` says otherwise asks it so often.
    """

    @property
    def noise_channels(self) -> int: ...

    @property
    def sampler_steps(self) -> int: ...

    def denoise(self, noisy: Tensor, inputs: Any, t: Any) -> Tensor:
        """The network on a batch of windows: noisy (B, noise_channels, *space) -> (B, any channels, *space)."""

    def sample(self, denoise: Denoiser, noise: Tensor, generator: torch.Generator | None = None) -> Draw:
        """The sampler: noise (B, noise_channels, *space) -> Draw, all on the whole volume. It asks denoise(noisy, t),
        which is the network on all windows, merged. A system with options takes them by name too."""


@runtime_checkable
class EncodesModalities(Protocol):
    """Images are encoded apart from each other and from the noise, so that a host may keep each modality's part."""

    def encode(self, images: Images) -> list[dict[str, Tensor]]:
        """(B, channels + 1, *space) by modality -> levels of tensors by modality. Two calls with one modality each give
        what one call with both gives."""


@runtime_checkable
class ConditionsOnce(Protocol):
    """A whole-volume sampler whose steps share what they know of a window's images: made once, not at every step."""

    def condition(self, inputs: Any) -> Any:
        """What denoise() takes in place of the inputs, kept for every window until the draw is done."""


@runtime_checkable
class HasOptions(Protocol):
    """What a user may switch, by name, with its default: passed to segment() or sample() as keywords."""

    @property
    def options(self) -> Mapping[str, Any]: ...


def inputs_of(network: Any, images: Images) -> Any:
    """What segment() or denoise() takes: the images, or what the system encodes them to."""
    return network.encode(images) if isinstance(network, EncodesModalities) else images


def steps_of(network: SamplesWholeVolume, options: Mapping[str, Any]) -> int:
    """How often sample() asks its denoiser in a run with these options."""
    return int(options.get("steps", network.sampler_steps))


def check_draws(network: Any, system: str) -> None:
    """Raises InputError for a network that gives no draws, whatever its record says."""
    if not isinstance(network, (DrawsWindows, SamplesWholeVolume)):
        given = f"a network of the system {system} that gives no draws"
        raise input_error(given, "segment(), or denoise() and sample()", "choose a segmenter")


def options_of(network: Any) -> dict[str, Any]:
    """What a user may switch of this network, by name, with its default; {} for nothing."""
    return dict(network.options) if isinstance(network, HasOptions) else {}


def options_for(network: Any, asked: Mapping[str, Any], system: str) -> dict[str, Any]:
    """The system's options with those that were asked for; raises InputError for one that it does not have."""
    known = options_of(network)
    for name, value in asked.items():
        if name not in known:
            has = f"an option that it has ({', '.join(known) or 'it has none'})"
            raise input_error(f"the option {str(name)[:40]!r} for the system {system}", has, "leave it out")
        if type(value) is not type(known[name]):
            given = f"{name} = {str(value)[:40]!r} for the system {system}"
            raise input_error(given, f"a value like {known[name]!r}", "correct it")
    return {**known, **asked}
