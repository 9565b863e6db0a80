"""Random windows: where to look, how to turn, scale and mirror, what to corrupt, what to leave out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from monai.transforms.utils import create_rotate
from torch import Tensor
from torch.nn import functional as F

from ..core.errors import input_error
from ..losses import Batch
from .corruptions import corrupt_window, uniform
from .dataset import TrainingCase


@dataclass(frozen=True)
class WindowSettings:
    """shape in voxels (k, j, i) and spacing of the network's window, and how far augmentation goes."""

    shape: tuple[int, int, int] = (48, 64, 64)
    spacing_kji_mm: tuple[float, float, float] = (3.5, 3.0, 3.0)
    margin_mm: tuple[float, float] = (5.0, 50.0)
    whole_scan: float = 0.2  # share of windows that see all of the scan around the lesion
    zoom: tuple[float, float] = (0.8, 1.3)
    overview: float = 0.5  # share of boxes larger than the window that are shrunk to fit it
    overview_zoom: float = 2.5
    rotation_degrees: tuple[float, float, float] = (15.0, 8.0, 8.0)  # about k (in plane), j, i
    gain: float = 0.15
    shift: float = 0.1
    noise: float = 0.15  # at most this share of the window's spread; artefacts begin at twice as much
    corrupt: float = 0.25  # share of modalities that get an artefact, q_m = 0
    drop_one: float = 0.3
    drop_two: float = 0.1
    distance_reach_mm: float = 30.0


def draw_batch(cases: list[TrainingCase], size: int, settings: WindowSettings, generator: torch.Generator) -> Batch:
    """`size` windows from random cases, with one random set of present modalities for the whole batch."""
    chosen = torch.randint(len(cases), (size,), generator=generator).tolist()
    present = draw_modalities(list(cases[chosen[0]].images), settings, generator)
    if lacking := [cases[i].name for i in chosen if not set(present) <= set(cases[i].images)]:
        raise input_error(
            f"the case {lacking[0]} without {', '.join(present)}", "one set of modalities", "leave it out"
        )
    windows = [draw_window(cases[i], present, settings, generator) for i in chosen]
    stack = lambda key: torch.stack([w[key] for w in windows])  # noqa: E731
    images = {m: torch.stack([w["images"][m] for w in windows]) for m in present}
    clean = {m: torch.tensor([w["clean"][m] for w in windows]) for m in present}
    return Batch(images, stack("target"), stack("distance"), clean)


def draw_modalities(names: list[str], settings: WindowSettings, generator: torch.Generator) -> list[str]:
    """Modality dropout: mostly all, sometimes one or two fewer, never none."""
    u = uniform(0, 1, generator)
    drop = 2 if u < settings.drop_two else 1 if u < settings.drop_two + settings.drop_one else 0
    order = torch.randperm(len(names), generator=generator).tolist()
    kept = sorted(order[: max(1, len(names) - drop)])
    return [names[i] for i in kept]


def draw_window(
    case: TrainingCase, present: list[str], settings: WindowSettings, generator: torch.Generator
) -> dict[str, object]:
    start, stop = draw_box(case, settings, generator)
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    stacked = torch.cat([case.images[m][(slice(None), *box)] for m in present])
    stacked = torch.cat([stacked, case.lesion[box][None], case.distance_mm[box][None]])
    extent_mm = (stop - start) * np.array(case.spacing_kji_mm)
    sampled = sample(stacked, case.spacing_kji_mm, draw_placement(extent_mm, settings, generator), settings)
    images, clean = {}, {}
    for i, m in enumerate(present):
        images[m], clean[m] = augment(sampled[2 * i : 2 * i + 2], m, settings, generator)
    reach = (sampled[-1:] / settings.distance_reach_mm).clamp(0, 1)
    return {"images": images, "clean": clean, "target": sampled[-2:-1].clamp(0, 1), "distance": reach}


def draw_box(case: TrainingCase, settings: WindowSettings, generator: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The lesion's box with another random margin on each side: no cue says where in a scan a lesion lies."""
    shape = np.array(case.lesion.shape)
    if uniform(0, 1, generator) < settings.whole_scan:
        return np.zeros(3, dtype=int), shape
    first, last = case.lesion_box()
    margins = np.array([[uniform(*settings.margin_mm, generator) for _ in range(3)] for _ in range(2)])
    steps = np.round(margins / np.array(case.spacing_kji_mm)).astype(int)
    return np.maximum(first - steps[0], 0), np.minimum(last + steps[1], shape)


@dataclass(frozen=True)
class Placement:
    """Where a window lies: its center in millimetres from the box's first corner, its zoom, rotation and mirrors."""

    center_mm: np.ndarray
    zoom: float
    rotation: np.ndarray
    mirror: np.ndarray


def draw_placement(extent_mm: np.ndarray, settings: WindowSettings, generator: torch.Generator) -> Placement:
    """A window that holds all of a small box, or lies inside a large one, which it may also be shrunk to see whole."""
    window_mm = np.array(settings.shape) * np.array(settings.spacing_kji_mm)
    zoom = float(np.exp(uniform(*np.log(settings.zoom), generator)))
    fit = float((extent_mm / window_mm).max())
    if fit > 1 and uniform(0, 1, generator) < settings.overview:
        zoom = min(fit * uniform(1.0, 1.15, generator), settings.overview_zoom)
    slack = np.abs(extent_mm - zoom * window_mm) / 2
    offset = np.array([uniform(-1, 1, generator) for _ in range(3)]) * slack
    angles = np.radians([uniform(-a, a, generator) for a in settings.rotation_degrees])
    mirror = np.array([1.0 if uniform(0, 1, generator) < 0.5 else -1.0 for _ in range(3)])
    return Placement(extent_mm / 2 + offset, zoom, rotation_matrix(angles), mirror)


def rotation_matrix(angles: np.ndarray) -> np.ndarray:
    """3 x 3 in (k, j, i) order from angles in radians about the k, j and i axes."""
    turned = create_rotate(3, (angles * (1, -1, 1)).tolist())  # MONAI turns about j the other way round
    return np.asarray(turned)[:3, :3]


def sample(
    stacked: Tensor, spacing_kji_mm: tuple[float, ...], placement: Placement, settings: WindowSettings
) -> Tensor:
    """(C, K, J, I) looked at through the window: (C, *settings.shape), trilinear, 0 outside the box."""
    size = np.array(stacked.shape[1:])
    step_mm = np.array(settings.spacing_kji_mm) * placement.zoom
    stacked = without_aliasing(stacked, step_mm / np.array(spacing_kji_mm))
    # window coordinate in [-1, 1] -> mm from the window's center -> rotated -> index of the box -> its own [-1, 1]
    half_mm = (np.array(settings.shape) - 1) / 2 * step_mm
    to_index = placement.rotation * (placement.mirror * half_mm) / np.array(spacing_kji_mm)[:, None]
    center = placement.center_mm / np.array(spacing_kji_mm) - 0.5
    theta = np.concatenate([to_index, center[:, None]], axis=1) * (2 / np.maximum(size - 1, 1))[:, None]
    theta[:, 3] -= 1
    theta = theta[::-1][:, [2, 1, 0, 3]]  # torch counts x, y, z
    affine = torch.from_numpy(np.ascontiguousarray(theta)).float()[None]
    grid = F.affine_grid(affine, [1, stacked.shape[0], *settings.shape], align_corners=True)
    return F.grid_sample(stacked[None].float(), grid, padding_mode="zeros", align_corners=True)[0]


def without_aliasing(stacked: Tensor, steps: np.ndarray) -> Tensor:
    """Averaged over what lies between two samples that are `steps` voxels (k, j, i) apart, once that is over two."""
    kernel = [2 * round((step - 1) / 2) + 1 if step > 2 else 1 for step in steps]
    if max(kernel) == 1:
        return stacked
    half = [(k - 1) // 2 for k in kernel]
    return F.avg_pool3d(stacked[None].float(), kernel, 1, half, count_include_pad=False)[0]


def augment(
    window: Tensor, modality: str, settings: WindowSettings, generator: torch.Generator
) -> tuple[Tensor, float]:
    """(2, K, J, I) with other gain, offset and noise, sometimes an artefact; returns it with its q_m."""
    valid = (window[1] >= 0.5).float()
    x = window[0] / window[1].clamp(min=0.5)
    x = x * uniform(1 - settings.gain, 1 + settings.gain, generator)
    x = x + uniform(-settings.shift, settings.shift, generator)
    if uniform(0, 1, generator) < 0.5:
        x = x + uniform(0, settings.noise, generator) * x.std() * torch.randn(x.shape, generator=generator)
    clean = float(uniform(0, 1, generator) >= settings.corrupt)
    x = x * valid
    return torch.stack([x if clean else corrupt_window(x, valid, modality, generator), valid]), clean
