"""Simulated artefacts that make the corruption labels q_m of DiffuFuseMed eq. (26), on one window of one modality.

Each takes (K, J, I) float32 in network units and a torch generator, and returns the corrupted window. The introduction
of the paper names them: Poisson noise in PET, streaks in CT, bias fields and motion in MR.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ..core.modalities import spec_of
from ..preprocessing.intensity import PET_KNEE_SUV


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    return float(low + (high - low) * torch.rand((), generator=generator))


def suv_of(network_units: Tensor) -> Tensor:
    """preprocessing.intensity.pet_scale() undone."""
    return torch.exp((network_units + 0.5) * _log_knee()) - 1


def network_units_of(suv: Tensor) -> Tensor:
    """preprocessing.intensity.pet_scale() of a tensor."""
    return torch.log1p(suv.clamp(min=0)) / _log_knee() - 0.5


def _log_knee() -> Tensor:
    return torch.log(torch.tensor(1 + PET_KNEE_SUV))


def gaussian_noise(x: Tensor, generator: torch.Generator) -> Tensor:
    """Additive noise of 0.3 to 0.8 of the window's own spread."""
    return x + uniform(0.3, 0.8, generator) * x.std() * torch.randn(x.shape, generator=generator)


def blur(x: Tensor, generator: torch.Generator) -> Tensor:
    """Motion blur: a running mean of 5 to 9 voxels along one in-plane axis."""
    size = 2 * int(torch.randint(2, 5, (), generator=generator)) + 1
    axis = int(torch.randint(1, 3, (), generator=generator))
    kernel, padding = [1, 1, 1], [0, 0, 0]
    kernel[axis], padding[axis] = size, size // 2
    return F.avg_pool3d(x[None, None], kernel, 1, padding, count_include_pad=False)[0, 0]


def pet_noise(x: Tensor, generator: torch.Generator) -> Tensor:
    """Few counts: a Poisson draw of the SUV (network units undone), smoothed as a reconstruction would."""
    activity = suv_of(x)
    counts_per_suv = uniform(0.5, 4.0, generator)
    noisy = torch.poisson(activity.clamp(min=0) * counts_per_suv, generator=generator) / counts_per_suv
    kernel = [3 if n >= 3 else 1 for n in x.shape]  # a window of one slice has nothing above and below
    smooth = F.avg_pool3d(noisy[None, None], kernel, 1, [k // 2 for k in kernel], count_include_pad=False)[0, 0]
    return network_units_of(smooth)


def ct_streaks(x: Tensor, generator: torch.Generator) -> Tensor:
    """Bright and dark rays from one dense point, fading with distance, as metal or photon starvation casts them."""
    j, i = x.shape[1:]
    center = [uniform(0.2, 0.8, generator) * n for n in (j, i)]
    dj, di = torch.meshgrid(torch.arange(j) - center[0], torch.arange(i) - center[1], indexing="ij")
    rays = F.avg_pool1d(torch.randn(1, 1, 180, generator=generator), 3, 1, 1)[0, 0]
    angle = ((torch.atan2(dj, di) / torch.pi + 1) * 90).long().clamp(max=179)
    fade = 1 / (1 + torch.hypot(dj, di) / uniform(10, 30, generator))
    return (x + uniform(0.8, 2.0, generator) * rays[angle] * fade).clamp(-1, 1)


def mr_bias(x: Tensor, generator: torch.Generator) -> Tensor:
    """A smooth multiplicative field from 1 / 2.5 to 2.5, on intensities counted from the darkest."""
    coarse = torch.rand((1, 1, 2, 3, 3), generator=generator) * 2 - 1
    field = F.interpolate(coarse, x.shape, mode="trilinear", align_corners=True)[0, 0]
    strength = uniform(0.4, 0.92, generator)
    return (x + 1) * torch.exp(strength * field) - 1


def mr_motion(x: Tensor, generator: torch.Generator) -> Tensor:
    """The head or limb moved during the scan: a random share of k-space lines belongs to a shifted image."""
    axis = int(torch.randint(1, 3, (), generator=generator))
    shift = int(torch.randint(3, 8, (), generator=generator))
    spectra = [torch.fft.fft(v, dim=axis) for v in (x, torch.roll(x, shift, dims=axis))]
    moved = torch.rand(x.shape[axis], generator=generator) < uniform(0.25, 0.5, generator)
    shape = [1, 1, 1]
    shape[axis] = -1
    return torch.fft.ifft(torch.where(moved.view(shape), spectra[1], spectra[0]), dim=axis).real


Corruption = Callable[[Tensor, torch.Generator], Tensor]
# By the names in ModalitySpec.artefacts.
ARTEFACTS: dict[str, Corruption] = {
    "gaussian_noise": gaussian_noise,
    "blur": blur,
    "ct_streaks": ct_streaks,
    "pet_noise": pet_noise,
    "mr_bias": mr_bias,
    "mr_motion": mr_motion,
}


def artefacts_of(modality: str) -> tuple[Corruption, ...]:
    """What can happen to this modality in a scan; to one that is not in the table, what happens to any picture."""
    return tuple(ARTEFACTS[name] for name in spec_of(modality).artefacts)


def corrupt_window(x: Tensor, valid: Tensor, modality: str, generator: torch.Generator) -> Tensor:
    """One artefact drawn from the modality's own, on (K, J, I) or every channel of (C, K, J, I); invalid voxels stay
    0."""
    family = artefacts_of(modality)
    artefact = family[int(torch.randint(len(family), (), generator=generator))]
    slices = x.reshape(-1, *x.shape[-2:])  # what happens in plane happens to every channel
    return artefact(slices, generator).view_as(x) * valid
