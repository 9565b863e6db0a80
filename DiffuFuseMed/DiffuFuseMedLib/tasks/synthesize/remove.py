"""From a case and a mask to its tumor-free images, slice by slice, all modalities at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ... import __version__
from ...core.case import Case
from ...core.errors import CancelledError, input_error
from ...core.healthy import Healthy
from ...core.resampling import resample_smoothly
from ...core.volume import Volume
from ...models.zoo import Model
from ...systems.diff4mmlits.inpainter_slices import Slices, hole_on, slices_of
from .contract import Inpaints, check_inpaints

CONTEXT_PX = 24  # seen on each side of a hole, at least
SLICES_AT_ONCE = 8
Progress = Callable[[float, str], None]


def remove(
    case: Case,
    mask: np.ndarray,
    model: Model,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Healthy:
    """The case without what lies in the mask, bool [k, j, i] on its grid (removal_mask() makes one of a lesion).

    The same case, mask and model give the same voxels. Raises InputError for an empty mask or one on another grid, for
    a model that fills no holes, and for a case with none of its modalities; CancelledError when cancel says so.
    """
    began = time.monotonic()
    check_inpaints(model.network, model.record.system)
    healthy = removed_by(model.network, case, mask, model.device, progress, cancel)
    return replace(healthy, provenance=_provenance(case, model, healthy, time.monotonic() - began))


def removed_by(
    network: Inpaints,
    case: Case,
    mask: np.ndarray,
    device: str = "cpu",
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Healthy:
    """remove() by anything that fills holes, without provenance; raises InputError and CancelledError as that does."""
    removed = _checked(mask, case)
    slices = slices_of(case, tuple(network.config.modalities), network.config.spacing_mm)
    hole = hole_on(slices.grid, removed, case.grid)
    filled = fill(slices, hole, network, device, progress, cancel)
    return Healthy({m: _written(case, m, filled[m], hole, slices, removed) for m in slices.images}, removed)


def _checked(mask: np.ndarray, case: Case) -> np.ndarray:
    mask = np.asarray(mask) > 0
    if mask.shape != case.grid.shape:
        given = f"a mask of shape {mask.shape}"
        raise input_error(given, f"one on the case's grid, {case.grid.shape} (k, j, i)", "resample it first")
    if not mask.any():
        raise input_error("an empty mask", "at least one voxel to remove", "draw or segment the lesion first")
    return mask


@dataclass(frozen=True)
class Frame:
    """The part of each slice that the network sees: rows and columns from `start` on, which may lie outside."""

    start: tuple[int, int]
    shape: tuple[int, int]

    def cut(self, x: Tensor) -> Tensor:
        """(..., J, I) -> (..., *shape); what lies outside is 0."""
        height, width = x.shape[-2:]
        (top, left), (rows, columns) = self.start, self.shape
        return F.pad(x, (-left, left + columns - width, -top, top + rows - height))

    def paste(self, part: Tensor, onto: Tensor) -> Tensor:
        """`onto` (..., J, I) with the part, (..., *shape), where it lies."""
        whole = Frame((-self.start[0], -self.start[1]), (onto.shape[-2], onto.shape[-1]))
        there = whole.cut(torch.ones_like(part))
        return torch.where(there > 0, whole.cut(part), onto)


def frame_of(hole: np.ndarray, least_px: int, stride: tuple[int, int]) -> Frame:
    """One frame for all slices around the hole, bool [k, j, i]: what is filled in next to each other was seen alike."""
    start, shape = [], []
    for axis, step in zip((1, 2), stride, strict=True):
        there = np.flatnonzero(hole.any(axis=(0, 3 - axis)))
        size = max(least_px, int(there[-1] - there[0]) + 1 + 2 * CONTEXT_PX)
        size = -(-size // step) * step
        shape.append(size)
        start.append(int(there[0] + there[-1] + 1 - size) // 2)
    return Frame((start[0], start[1]), (shape[0], shape[1]))


def fill(
    slices: Slices,
    hole: np.ndarray,
    network: Inpaints,
    device: str = "cpu",
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> dict[str, Tensor]:
    """(K, J, I) by modality, in the units of scales.py, filled where the hole, bool [k, j, i], is."""
    where = torch.from_numpy(hole)
    filled = {m: x[0].clone() for m, x in slices.images.items()}
    if not hole.any():
        return filled
    frame = frame_of(hole, network.config.window_px, network.stride)
    numbers = np.flatnonzero(hole.any(axis=(1, 2)))
    for first in range(0, len(numbers), SLICES_AT_ONCE):
        if cancel and cancel():
            raise CancelledError("the removal was stopped by its user")
        some = numbers[first : first + SLICES_AT_ONCE]
        images = {m: frame.cut(x[:, some].movedim(1, 0)).to(device) for m, x in slices.images.items()}
        with torch.inference_mode():
            made = network.inpaint(images, frame.cut(where[some, None].float()).to(device))
        for m, x in made.items():
            filled[m][some] = frame.paste(x[:, 0].cpu().float(), filled[m][some])
        if progress:
            progress((first + len(some)) / len(numbers), "removing the lesion")
    return filled


def _written(
    case: Case, modality: str, filled: Tensor, hole: np.ndarray, slices: Slices, removed: np.ndarray
) -> Volume:
    """The case's own image with what was filled in, exactly inside `removed` and where the image is valid."""
    volume = case.volumes[modality]
    known = ((slices.images[modality][1].numpy() > 0) | hole).astype(np.float32)
    weight = resample_smoothly(known, slices.grid, case.grid)
    values = resample_smoothly(filled.numpy() * known, slices.grid, case.grid) / np.maximum(weight, 1e-3)
    new = slices.scales[modality].inverse(values)
    changed = removed & case.valid[modality]
    return volume.with_array(np.where(changed, new, volume.array).astype(volume.array.dtype, copy=False))


def _provenance(case: Case, model: Model, healthy: Healthy, seconds: float) -> dict[str, Any]:
    record = model.record
    left = [m for m in case.modalities if m not in healthy.volumes]
    notes = [f"{m} is unknown to {record.id} and shows the lesion still." for m in left]
    return {
        "model": record.id,
        "sha256": record.sha256,
        "system": record.system,
        "device": model.device,
        "modalities": list(healthy.volumes),
        "versions": {"DiffuFuseMed": __version__, "torch": torch.__version__},
        "notes": ["What is shown inside the mask is made up by a network, not measured.", *notes],
        "timings_s": {"removal": round(seconds, 2)},
    }
