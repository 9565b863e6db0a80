"""Windows around tumors, on cubes of a few millimeters: what autoencoder and latent diffusion are trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from ...core.case import Case
from ...core.errors import input_error
from ...core.grid import Grid
from ...core.resampling import resample_smoothly
from ...metrics.tumor_appearance import Appearance, appearance
from ...networks.inputs import network_grid
from ...training.corruptions import uniform
from ...training.fingerprint import fingerprint
from .inpainter_slices import body_of, channels_on
from .scales import scale_of

MARGIN_VOXELS = 3.0  # of a window: how far around a tumor its rim is made up too
Images = dict[str, Tensor]


@dataclass(frozen=True)
class TumorCase:
    """images: (2, K, J, I) by modality, intensity in the units of scales.py and valid; lesion, body: (K, J, I) in
    0..1, all on cubes of spacing_mm; semi_axes_mm: of the ellipsoid of the tumor's second moments, falling;
    depth_mm: of its center below the skin."""

    name: str
    images: Images
    lesion: Tensor
    body: Tensor
    spacing_mm: float
    look: Appearance
    semi_axes_mm: tuple[float, float, float]
    depth_mm: float

    def fingerprint(self) -> str:
        """What tells this case from others, or from itself read from changed files."""
        return fingerprint(self.name, *self.images.values(), self.lesion, self.body)


def tumor_case(case: Case, modalities: tuple[str, ...], spacing_mm: float) -> TumorCase:
    """Raises InputError for a case without a drawn lesion, or without one of the modalities: what they have in common
    could not be learned from it."""
    if case.reference_mask is None or not (case.reference_mask.array > 0).any():
        raise input_error(f"the case {case.name} without a drawn lesion", "a GTV file", "leave the case out or add one")
    if missing := [m for m in modalities if m not in case.volumes]:
        raise input_error(f"the case {case.name} without {missing[0]}", ", ".join(modalities), "leave the case out")
    tumor, body = case.reference_mask.array > 0, body_of(case)
    grid = network_grid(case.grid, (spacing_mm,) * 3)
    arrays = {m: case.volumes[m].array for m in modalities}
    look = appearance(arrays, case.valid, tumor, body, case.grid.spacing_kji_mm)
    on_grid = lambda mask: torch.from_numpy(resample_smoothly(mask, case.grid, grid)).clamp(0, 1)  # noqa: E731
    images = {
        m: torch.from_numpy(np.asarray(channels_on(case, m, scale_of(case.volumes[m], case.valid[m]), grid)))
        for m in modalities
    }
    axes, depth = _semi_axes_mm(tumor, case.grid), _depth_mm(tumor, body, case.grid)
    return TumorCase(case.name, images, on_grid(tumor), on_grid(body), spacing_mm, look, axes, depth)


def _semi_axes_mm(tumor: np.ndarray, grid: Grid) -> tuple[float, float, float]:
    """Of a solid ellipsoid with the same second moments: sqrt(5) times their square roots."""
    points = np.argwhere(tumor) * np.array(grid.spacing_kji_mm)
    variances = np.linalg.eigvalsh(np.cov(points.T) + np.diag(np.square(grid.spacing_kji_mm)) / 12)
    first, second, third = np.sqrt(5 * variances[::-1])
    return float(first), float(second), float(third)


def _depth_mm(tumor: np.ndarray, body: np.ndarray, grid: Grid) -> float:
    """Slice by slice: a scan ends above and below, and no skin is there."""
    k, j, i = np.round(np.argwhere(tumor).mean(axis=0)).astype(int)
    inside = np.pad(body[k] | tumor[k], 1)
    return float(ndimage.distance_transform_edt(inside, sampling=grid.spacing_kji_mm[1:])[j + 1, i + 1])


@dataclass(frozen=True)
class WindowSettings:
    """size: voxels along each axis; zoom of a small tumor's window; held_share: of the window that a large tumor's
    longest side may take, which zooms out until it does, up to zoom_out; anywhere: share of windows that look
    somewhere in the body (of the autoencoder); drop: probability that a modality is not seen."""

    size: int = 32
    zoom: tuple[float, float] = (0.85, 1.2)
    held_share: float = 0.75
    zoom_out: float = 2.5
    rotation_degrees: float = 20.0
    anywhere: float = 0.0
    drop: float = 0.1
    shift_voxels: float = 5.0


@dataclass(frozen=True)
class TumorBatch:
    """images: (B, 2, K, J, I) by modality, an absent one with an empty mask; lesion: (B, 1, K, J, I) in 0..1; case:
    the number of each window's case, (B,)."""

    images: Images
    lesion: Tensor
    case: Tensor

    def to(self, device: str) -> TumorBatch:
        """The batch with every tensor moved."""
        images = {m: x.to(device) for m, x in self.images.items()}
        return TumorBatch(images, self.lesion.to(device), self.case.to(device))


def draw_windows(
    cases: list[TumorCase], count: int, settings: WindowSettings, generator: torch.Generator
) -> TumorBatch:
    """`count` windows of random cases, turned, scaled and mirrored."""
    numbers = torch.randint(len(cases), (count,), generator=generator)
    windows = torch.stack([_look(cases[int(n)], settings, generator) for n in numbers])
    names = list(cases[0].images)
    kept = torch.rand((count, len(names)), generator=generator) >= settings.drop
    kept[:, 0] |= ~kept.any(dim=1)
    images = {}
    for index, name in enumerate(names):
        image, valid = windows[:, 2 * index], (windows[:, 2 * index + 1] >= 0.5).float()
        image = image / windows[:, 2 * index + 1].clamp(min=0.5)
        seen = valid * kept[:, index, None, None, None]
        images[name] = torch.stack([image * seen, seen], dim=1)
    return TumorBatch(images, windows[:, -1:].clamp(0, 1), numbers)


def margin_weight(lesion: Tensor) -> Tensor:
    """(B, 1, K, J, I) of a lesion in 0..1: 1 in it and right at its border, falling to 0 within MARGIN_VOXELS."""
    inside = lesion.detach().cpu().numpy() > 0.5
    far = [ndimage.distance_transform_edt(~x[0]) if x.any() else np.full(x[0].shape, np.inf) for x in inside]
    share = torch.from_numpy(np.stack(far)[:, None]).float() - 0.5
    return falling(share / MARGIN_VOXELS).to(lesion.device)


def falling(share: Tensor) -> Tensor:
    """1 at 0 and below, 0 at 1 and beyond, half a cosine between, of any shape."""
    return (1 + torch.cos(torch.pi * share.clamp(0, 1))) / 2


def _look(case: TumorCase, settings: WindowSettings, generator: torch.Generator) -> Tensor:
    """(2 * modalities + 1, size, size, size): each image and its valid mask, and the lesion last."""
    layers = torch.cat([*case.images.values(), case.lesion[None]])
    low, high = np.log(settings.zoom)
    zoom = float(np.exp(uniform(low, high, generator)))
    if uniform(0, 1, generator) < settings.anywhere:
        center = _voxel(case.body > 0.5, generator)
    else:
        tumor = (case.lesion > 0.5).nonzero().float()
        longest = 2 * case.semi_axes_mm[0] / case.spacing_mm / settings.size
        zoom = max(zoom, min(longest / settings.held_share, settings.zoom_out))
        shift = 2 * torch.rand(3, generator=generator) - 1
        center = (tumor.amin(dim=0) + tumor.amax(dim=0)) / 2 + shift * settings.shift_voxels * zoom
    return sampled(layers, center, zoom, _turn(settings, generator), settings.size)


def _voxel(where: Tensor, generator: torch.Generator) -> Tensor:
    there = where.nonzero()
    return there[int(torch.randint(len(there), (), generator=generator))].float()


def _turn(settings: WindowSettings, generator: torch.Generator) -> Tensor:
    """3 x 3 in (k, j, i): turned about k, mirrored along any axis."""
    angle = np.radians(uniform(-settings.rotation_degrees, settings.rotation_degrees, generator))
    turn = torch.eye(3)
    turn[1, 1], turn[1, 2], turn[2, 1], turn[2, 2] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
    return turn * (1 - 2 * torch.randint(2, (3,), generator=generator))


def sampled(layers: Tensor, center: Tensor, step: float, turn: Tensor, size: int) -> Tensor:
    """(C, K, J, I) -> (C, size, size, size) around the voxel `center` (k, j, i), `step` voxels apart, averaged first
    where that is more than one; 0 outside."""
    if step > 1.5:
        layers = _smoothed(layers, step)
    steps = (torch.arange(size) - (size - 1) / 2) * step
    offsets = torch.stack(torch.meshgrid(steps, steps, steps, indexing="ij"), dim=-1)
    extent = torch.tensor(layers.shape[1:])
    grid = (2 * (offsets @ turn.T + center) / (extent - 1).clamp(min=1) - 1).flip(-1)[None].float()
    return F.grid_sample(layers[None], grid, padding_mode="zeros", align_corners=True)[0]


def _smoothed(layers: Tensor, step: float) -> Tensor:
    """Averaged over about `step` voxels."""
    width = 2 * round((step - 1) / 2) + 1
    return F.avg_pool3d(layers[None], max(width, 3), 1, max(width, 3) // 2, count_include_pad=False)[0]
