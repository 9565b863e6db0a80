"""Slices of cases as the inpainter sees them, and the windows of them that it is trained on."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from ...core.case import Case
from ...core.errors import input_error
from ...core.grid import Grid
from ...core.resampling import resample_smoothly
from ...networks.inputs import network_grid
from ...preprocessing.intensity import body_mask
from ...preprocessing.rois.body import body_inside
from ...preprocessing.rois.shapes import dilated
from ...training.corruptions import uniform
from ...training.fingerprint import fingerprint
from .inpainter_holes import HoleSettings, draw_hole
from .scales import Scale, scale_of

TOUCHED = 0.01  # of a pixel: what of it is hole makes all of it hole
LESION_MARGIN_MM = 8.0  # around the drawn lesion, in training: no uptake of its rim is learned as healthy


@dataclass(frozen=True)
class Slices:
    """images: (2, K, J, I) by present modality, intensity in the units of scales.py and valid, on `grid`, whose slices
    lie as far apart as the case's; scales: the way back."""

    grid: Grid
    images: dict[str, Tensor]
    scales: dict[str, Scale]


def slices_of(case: Case, modalities: tuple[str, ...], spacing_mm: float) -> Slices:
    """The case in pixels of spacing_mm. Raises InputError for a case with none of the modalities, and for one in
    color."""
    present = [m for m in modalities if m in case.volumes]
    if not present:
        has = ", ".join(case.modalities) or "no image"
        raise input_error(f"a case with {has}", f"one of {', '.join(modalities)}", "add one of these")
    if colored := [m for m in present if case.volumes[m].in_color]:
        raise input_error(f"a picture in color as {colored[0]}", "an image of gray values", "leave it out")
    grid = network_grid(case.grid, (case.grid.spacing_kji_mm[0], spacing_mm, spacing_mm))
    scales = {m: scale_of(case.volumes[m], case.valid[m]) for m in present}
    return Slices(grid, {m: channels_on(case, m, scales[m], grid) for m in present}, scales)


def channels_on(case: Case, modality: str, scale: Scale, grid: Grid) -> Tensor:
    """(2, K, J, I). Voxels that are not valid take no part in a value."""
    array, valid = case.volumes[modality].array, case.valid[modality] & np.isfinite(case.volumes[modality].array)
    scaled = np.where(valid, scale.forward(np.where(valid, array, 0)), np.float32(0))
    weight = resample_smoothly(valid, case.grid, grid)
    inside = weight >= 0.5
    image = resample_smoothly(scaled, case.grid, grid) / np.maximum(weight, 0.5)
    return torch.from_numpy(np.stack([np.where(inside, image, 0), inside]).astype(np.float32))


def hole_on(grid: Grid, mask: np.ndarray, source: Grid) -> np.ndarray:
    """bool on `grid`: every pixel that has a part of the mask, bool [k, j, i] on the grid `source`."""
    return resample_smoothly(mask, source, grid) > TOUCHED


def body_of(case: Case) -> np.ndarray:
    """bool [k, j, i]: the patient without table and air, by the CT where there is one, else by the first image."""
    if "CT" in case.volumes:
        hu = np.where(case.valid["CT"], case.volumes["CT"].array, np.float32(-1000))
        return body_inside(hu, case.grid.spacing_kji_mm)
    first = case.modalities[0]
    return body_mask(case.volumes[first], case.valid[first])


@dataclass(frozen=True)
class TrainingSlices:
    """images as in Slices; lesion: (K, J, I), 1 where a lesion is or may reach; healthy: bool (K, J, I), the body
    without it."""

    name: str
    images: dict[str, Tensor]
    lesion: Tensor
    healthy: Tensor

    def fingerprint(self) -> str:
        """What tells these slices from others, or from themselves read from changed files."""
        return fingerprint(self.name, *self.images.values(), self.lesion, self.healthy)


def training_slices(case: Case, modalities: tuple[str, ...], spacing_mm: float) -> TrainingSlices:
    """Raises InputError for a case without a drawn lesion: nobody would know where it is healthy."""
    if case.reference_mask is None:
        raise input_error(f"the case {case.name} without a drawn lesion", "a GTV file", "leave the case out or add one")
    slices = slices_of(case, modalities, spacing_mm)
    near = dilated(case.reference_mask.array > 0, LESION_MARGIN_MM, case.grid.spacing_kji_mm)
    lesion = hole_on(slices.grid, near, case.grid)
    body = resample_smoothly(body_of(case), case.grid, slices.grid) > 0.5
    healthy = ndimage.binary_erosion(body, np.ones((1, 3, 3))) & ~lesion
    return TrainingSlices(
        case.name, slices.images, torch.from_numpy(lesion.astype(np.float32)), torch.from_numpy(healthy)
    )


@dataclass(frozen=True)
class SliceSettings:
    """How windows of `size` pixels are drawn, and how far augmentation goes."""

    size: int = 96
    zoom: tuple[float, float] = (0.8, 1.25)
    rotation_degrees: float = 20.0
    gain: float = 0.1
    shift: float = 0.05
    drop_one: float = 0.3
    drop_two: float = 0.1
    holes: HoleSettings = field(default_factory=HoleSettings)


@dataclass(frozen=True)
class SliceBatch:
    """images: (B, 2, H, W) by present modality; hole, lesion: (B, 1, H, W) of 0 and 1, apart from each other."""

    images: dict[str, Tensor]
    hole: Tensor
    lesion: Tensor

    def to(self, device: str) -> SliceBatch:
        """The batch with every tensor moved."""
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        images = {m: x.to(device) for m, x in moved.pop("images").items()}
        return SliceBatch(images, **{name: x.to(device) for name, x in moved.items()})

    def truth(self, modalities: tuple[str, ...]) -> tuple[Tensor, Tensor]:
        """(B, M, H, W) each: the intensities, and 1 where they say something that is healthy."""
        empty = torch.zeros_like(next(iter(self.images.values())))
        beside = torch.stack([self.images.get(m, empty) for m in modalities], dim=1)  # (B, M, 2, H, W)
        return beside[:, :, 0], beside[:, :, 1] * (1 - self.lesion)


def draw_slices(
    cases: list[TrainingSlices], count: int, settings: SliceSettings, generator: torch.Generator
) -> SliceBatch:
    """`count` windows, one random set of present modalities for all of them, each with a hole in healthy tissue."""
    present = _drawn_modalities(list(cases[0].images), settings, generator)
    windows = [_draw(cases[_integer(len(cases), generator)], present, settings, generator) for _ in range(count)]
    pictures, holes, lesions = zip(*windows, strict=True)
    images = {m: torch.stack([p[m] for p in pictures]) for m in present}
    return SliceBatch(images, torch.stack(holes), torch.stack(lesions))


def _drawn_modalities(names: list[str], settings: SliceSettings, generator: torch.Generator) -> list[str]:
    u = uniform(0, 1, generator)
    drop = 2 if u < settings.drop_two else 1 if u < settings.drop_two + settings.drop_one else 0
    kept = torch.randperm(len(names), generator=generator).tolist()[: max(1, len(names) - drop)]
    return [names[i] for i in sorted(kept)]


def _draw(
    case: TrainingSlices, present: list[str], settings: SliceSettings, generator: torch.Generator
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Images, hole and lesion of a window around a random healthy pixel."""
    slices = case.healthy.flatten(1).any(dim=1).nonzero().flatten()
    k = int(slices[_integer(len(slices), generator)])
    pixels = case.healthy[k].nonzero()
    center = pixels[_integer(len(pixels), generator)].float()
    layers = torch.cat([*(case.images[m][:, k] for m in present), case.lesion[k, None], case.healthy[k, None].float()])
    seen = _look(layers, center, settings, generator)
    *pictures, lesion, healthy = seen.split([*(2 for _ in present), 1, 1])
    lesion = (lesion > TOUCHED).float()
    hole = draw_hole((settings.size,) * 2, settings.holes, generator)[None] & (healthy > 0.5) & (lesion == 0)
    images = {m: _augmented(x, settings, generator) for m, x in zip(present, pictures, strict=True)}
    return images, hole.float(), lesion


def _look(layers: Tensor, center: Tensor, settings: SliceSettings, generator: torch.Generator) -> Tensor:
    """(C, J, I) -> (C, size, size): turned, scaled and mirrored about a pixel (j, i); 0 outside."""
    angle = float(np.radians(uniform(-settings.rotation_degrees, settings.rotation_degrees, generator)))
    low, high = np.log(settings.zoom)
    zoom = float(np.exp(uniform(low, high, generator)))
    turn = zoom * torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=torch.float32)
    turn = turn * (1 - 2 * torch.randint(2, (2,), generator=generator))
    steps = torch.arange(settings.size) - (settings.size - 1) / 2
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1)  # (H, W, 2), j and i
    index = offsets @ turn.T + center
    size = torch.tensor(layers.shape[1:])
    grid = (2 * index / (size - 1).clamp(min=1) - 1).flip(-1)[None].float()
    return F.grid_sample(layers[None], grid, padding_mode="zeros", align_corners=True)[0]


def _augmented(window: Tensor, settings: SliceSettings, generator: torch.Generator) -> Tensor:
    """(2, H, W), intensity and valid, with another gain and offset; invalid pixels are 0."""
    valid = (window[1:] >= 0.5).float()
    image = window[:1] / window[1:].clamp(min=0.5)
    gain = uniform(1 - settings.gain, 1 + settings.gain, generator)
    return torch.cat([(image * gain + uniform(-settings.shift, settings.shift, generator)) * valid, valid])


def _integer(count: int, generator: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=generator))
