"""Random crops of random slices in three planes, turned, scaled, mirrored and slightly misregistered (3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

from . import Pair, joined
from .stacks import Stack


@dataclass(frozen=True)
class CropSettings:
    """size in pixels; jitter_mm: largest warp of one source against the other; roi_px: how far ROIs that the loss
    looks in may differ from those that the network is given."""

    size: int = 128
    zoom: tuple[float, float] = (0.7, 1.5)
    rotation_degrees: float = 20.0
    jitter_mm: float = 3.0
    jittered: float = 0.5
    gain: float = 0.15
    lesion: float = 0.5  # share of crops that look at the lesion where there is one
    roi_px: int = 2
    neighbors: float = 0.3  # share of pairs of single pictures that are shown their neighbors


@dataclass(frozen=True)
class Crop:
    """pair: what the network sees; mri, ct: (B, 1, H, W) as registered, before the jitter; distance_mm: to the lesion's
    border; loss_masks: ROIs of the losses."""

    pair: Pair
    mri: Tensor
    ct: Tensor
    distance_mm: Tensor
    loss_masks: dict[str, Tensor]

    def to(self, device: str) -> Crop:
        """The crops with every tensor moved."""
        masks = {name: mask.to(device) for name, mask in self.loss_masks.items()}
        mri, ct, distance_mm = (x.to(device) for x in (self.mri, self.ct, self.distance_mm))
        return Crop(self.pair.to(device), mri, ct, distance_mm, masks)


def draw_crops(stacks: list[Stack], count: int, settings: CropSettings, generator: torch.Generator) -> Crop:
    crops = [_draw(stacks[_integer(len(stacks), generator)], settings, generator) for _ in range(count)]
    join = lambda name: torch.cat([getattr(c, name) for c in crops])  # noqa: E731
    masks = {k: torch.cat([c.loss_masks[k] for c in crops]) for k in crops[0].loss_masks}
    return Crop(joined([c.pair for c in crops]), join("mri"), join("ct"), join("distance_mm"), masks)


def random_pair(stack: Stack, generator: torch.Generator, size: int = 128) -> tuple[Pair, float]:
    """A random crop as it is, neither turned nor graded nor misregistered, and its mean pixel size in mm."""
    plain = CropSettings(size=size, zoom=(1.0, 1.0), rotation_degrees=0.0, jittered=-1.0, gain=0.0)
    planes, spacing_mm = _slices(stack, plain, generator)
    seen = F.grid_sample(planes[None], _placement(planes, plain, generator), align_corners=False)
    masks = (seen[:, 6:] > 0.5).float()
    return Pair(seen[:, :3] * masks[:, 3:4], seen[:, 3:6], masks, torch.tensor([float(stack.tracer)])), spacing_mm


def misregistered(pair: Pair, largest_px: float, generator: torch.Generator) -> Pair:
    """The pair with its MRI warped by a smooth field of at most `largest_px` pixels."""
    return replace(pair, mri=_warp(pair.mri, _uniform(0, largest_px, generator), generator)(pair.mri))


def _draw(stack: Stack, settings: CropSettings, generator: torch.Generator) -> Crop:
    planes, spacing = _slices(stack, settings, generator)  # (10, h, w): 3 MRI, 3 CT, 4 masks
    grid = _placement(planes, settings, generator)
    seen = F.grid_sample(planes[None], grid, padding_mode="zeros", align_corners=False)
    seen = _mirrored(seen, generator)
    mri, ct, masks = seen[:, :3], seen[:, 3:6], (seen[:, 6:] > 0.5).float()
    mri, ct = (_graded(x, settings, generator) for x in (mri, ct))
    mri = mri * masks[:, 3:4]
    shown_mri, shown_ct = _jittered(mri, ct, settings.jitter_mm / spacing, settings, generator)
    pair = Pair(shown_mri, shown_ct, masks, torch.tensor([float(stack.tracer)]))
    lesion = masks[0, 2].numpy() > 0.5
    distance = np.maximum(*(distance_transform_edt(x) for x in (lesion, ~lesion))) * spacing if lesion.any() else None
    distance = torch.full(masks[:, 2:3].shape, 99.0) if distance is None else torch.from_numpy(distance)[None, None]
    moved = _moved(masks, settings, generator)
    return Crop(pair, mri[:, 1:2], ct[:, 1:2], distance.float(), moved)


def _slices(stack: Stack, settings: CropSettings, generator: torch.Generator) -> tuple[Tensor, float]:
    """A slice with its neighbors of every picture and mask, and its mean pixel size in mm."""
    axis = 0 if stack.flat or _uniform(0, 1, generator) < 0.5 else 1 + _integer(2, generator)
    index = _index(stack, axis, settings, generator)
    alone = stack.flat and _uniform(0, 1, generator) > settings.neighbors
    around = [min(max(index + (0 if alone else d), 0), stack.mri.shape[axis] - 1) for d in (-1, 0, 1)]
    ct = stack.cts[_integer(len(stack.cts), generator)]
    pictures = [np.take(x, around, axis=axis) for x in (stack.mri, ct)]
    pictures = [np.moveaxis(p, axis, 0) for p in pictures]
    masks = np.stack([np.take(m, index, axis=axis) for m in stack.masks]).astype(np.float32)
    spacing = [s for a, s in enumerate(stack.spacing_kji_mm) if a != axis]
    return torch.from_numpy(np.concatenate([*pictures, masks]).astype(np.float32)), float(np.mean(spacing))


def _index(stack: Stack, axis: int, settings: CropSettings, generator: torch.Generator) -> int:
    lesion = stack.masks[2]
    if lesion.any() and _uniform(0, 1, generator) < settings.lesion:
        there = np.flatnonzero(lesion.any(axis=tuple(a for a in range(3) if a != axis)))
        return int(there[_integer(len(there), generator)])
    return _integer(stack.mri.shape[axis], generator)


def _placement(planes: Tensor, settings: CropSettings, generator: torch.Generator) -> Tensor:
    """Where the crop lies, as grid_sample wants it: around a random pixel that shows something."""
    height, width = planes.shape[1:]
    lesion = planes[8] > 0.5
    body = lesion if lesion.any() and _uniform(0, 1, generator) < settings.lesion else planes[1] + planes[4] > 0.1
    there = body.nonzero()
    if len(there) == 0:
        center = torch.tensor([height / 2, width / 2])
    else:
        center = there[_integer(len(there), generator)].float()
        center = center + (torch.rand(2, generator=generator) - 0.5) * settings.size / 2
    low, high = np.log(settings.zoom)
    zoom = float(np.exp(_uniform(low, high, generator)))
    angle = np.radians(_uniform(-settings.rotation_degrees, settings.rotation_degrees, generator))
    turn = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=torch.float32)
    steps = (torch.arange(settings.size) - (settings.size - 1) / 2) * zoom
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    where = torch.stack([rows, columns], dim=-1) @ turn.T + center
    size = torch.tensor([height, width], dtype=torch.float32)
    return (2 * (where + 0.5) / size - 1).flip(-1)[None]


def _mirrored(x: Tensor, generator: torch.Generator) -> Tensor:
    flips = [d for d in (2, 3) if _uniform(0, 1, generator) < 0.5]
    x = x.flip(flips) if flips else x
    return x.transpose(2, 3) if _uniform(0, 1, generator) < 0.5 else x


def _graded(x: Tensor, settings: CropSettings, generator: torch.Generator) -> Tensor:
    """Another brightness and contrast, as another window would give."""
    gamma = float(np.exp(_uniform(-settings.gain, settings.gain, generator)))
    return (x.clamp(0, 1) ** gamma * _uniform(1 - settings.gain, 1 + settings.gain, generator)).clamp(0, 1)


def _jittered(
    mri: Tensor, ct: Tensor, largest_px: float, settings: CropSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """One of the two warped by a smooth field of at most `largest_px` pixels."""
    if _uniform(0, 1, generator) > settings.jittered:
        return mri, ct
    moved = _warp(mri, _uniform(0, largest_px, generator), generator)
    return (moved(mri), ct) if _uniform(0, 1, generator) < 0.5 else (mri, moved(ct))


def _warp(like: Tensor, amount_px: float, generator: torch.Generator) -> Callable[[Tensor], Tensor]:
    """A smooth random deformation of pictures of this size, by about `amount_px` pixels at most along each axis."""
    field = 2 * torch.rand(1, 2, 5, 5, generator=generator) - 1
    field = F.interpolate(field, size=like.shape[-2:], mode="bicubic", align_corners=True).clamp(-1, 1)
    identity = F.affine_grid(torch.eye(2, 3)[None], [1, 1, *like.shape[-2:]], align_corners=False)
    grid = identity + amount_px * 2 / like.shape[-1] * field.permute(0, 2, 3, 1)
    return lambda x: F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _moved(masks: Tensor, settings: CropSettings, generator: torch.Generator) -> dict[str, Tensor]:
    """Soft and bone grown or shrunk by some pixels: the picture must not be right only inside the mask it was given."""
    soft, bone = masks[:, 0:1], masks[:, 1:2]
    by = _integer(2 * settings.roi_px + 1, generator) - settings.roi_px
    bone = _grown(bone, by)
    shrunk = _grown(soft, -_integer(settings.roi_px + 1, generator))
    return {"soft": shrunk * (1 - bone) * masks[:, 3:4], "bone": bone, "lesion": masks[:, 2:3], "valid": masks[:, 3:4]}


def _grown(mask: Tensor, by: int) -> Tensor:
    if by == 0:
        return mask
    size = 2 * abs(by) + 1
    return F.max_pool2d(mask, size, 1, abs(by)) if by > 0 else -F.max_pool2d(-mask, size, 1, abs(by))


def _uniform(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand(1, generator=generator))


def _integer(below: int, generator: torch.Generator) -> int:
    return int(torch.randint(below, (1,), generator=generator))
