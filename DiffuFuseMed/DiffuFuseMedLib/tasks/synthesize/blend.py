"""A synthetic tumor's window of some millimeters, put into a case of finer voxels without a visible seam.

Outside of the tumor's margin every voxel of the case is kept to the last bit. In the margin what was made goes over
into the case by half a cosine. Detail finer than the window's voxels, which the network does not make, is the case's
own at that place (noise, mostly), held to its own robust spread so that no edge of a removed or covered structure
shines through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ...core.case import Case
from ...core.grid import Grid
from ...core.resampling import resample_smoothly
from ...core.triples import triple
from ...core.volume import Volume
from ...metrics.tumor_appearance import Appearance, appearance
from ...models.zoo import Model
from ...systems.diff4mmlits.inpainter_slices import channels_on
from ...systems.diff4mmlits.scales import Scale, scale_of
from ...systems.diff4mmlits.tumor_mask import TumorMask
from ...systems.diff4mmlits.tumor_windows import MARGIN_VOXELS, falling

HELD_SHARE = 0.75  # of the window that the tumor's longest side may take
DETAIL_SPREADS = 1.0
ROUNDS = 3
POWER = (0.5, 2.0)  # of the logarithm of the PET's peak over its mean, in a round at most
LEAST_SUV = 0.01  # of what a network made before it is raised to a power
STEEPEST = 1.0  # the logarithm by which rim over center may change in a round
MAD_TO_SD = 1.4826
SPREAD_MM = 2.5  # standard deviation, about 6 mm of full width at half maximum


@dataclass(frozen=True)
class Window:
    """What the network sees: images, (2, size, size, size) by modality, and the lesion, (size, size, size) in 0..1, on
    cubes; scales: the way back."""

    grid: Grid
    images: dict[str, Tensor]
    lesion: Tensor
    scales: dict[str, Scale]

    @property
    def margin_mm(self) -> float:
        """How far around the tumor voxels of the case may change."""
        return MARGIN_VOXELS * self.grid.spacing_mm[0]


def window_around(case: Case, mask: np.ndarray, model: Model) -> Window:
    """Around the mask, bool [k, j, i], zoomed out where the tumor is too long for the model's own voxels."""
    config = model.network.config.autoencoder
    first, last = (f(np.argwhere(mask), axis=0) for f in (np.min, np.max))
    longest = float(((last - first + 1) * np.array(case.grid.spacing_kji_mm)).max())
    spacing = max(config.spacing_mm, longest / (HELD_SHARE * config.window))
    axes = np.reshape(case.grid.direction, (3, 3))
    center = case.grid.to_physical(((first + last) / 2)[::-1])
    origin = center - axes @ np.full(3, spacing * (config.window - 1) / 2)
    grid = Grid((config.window,) * 3, (spacing,) * 3, triple(float(x) for x in origin), case.grid.direction)
    present = [m for m in model.modalities if m in case.volumes and not case.volumes[m].in_color]
    scales = {m: scale_of(case.volumes[m], case.valid[m]) for m in present}
    images = {m: torch.as_tensor(channels_on(case, m, scales[m], grid)) for m in present}
    lesion = torch.from_numpy(resample_smoothly(mask, case.grid, grid)).clamp(0, 1)
    return Window(grid, images, lesion, scales)


def blended(
    case: Case, window: Window, made: dict[str, Tensor], at: TumorMask, body: np.ndarray, anchored: bool = True
) -> tuple[dict[str, Volume], np.ndarray]:
    """(volumes by modality, changed bool [k, j, i]): the case with what was made, (size, size, size) in the units of
    scales.py, inside the tumor's margin, where the image says anything and there is a body."""
    start, stop = _box(at.mask, window.margin_mm, case.grid)
    part, box = case.cropped(start, stop), tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    mask, inside = at.mask[box], body[box]
    far = ndimage.distance_transform_edt(~mask, sampling=case.grid.spacing_kji_mm)
    weight = falling(torch.from_numpy(far / window.margin_mm)).numpy() * (inside | mask)
    changed = np.zeros(case.grid.shape, dtype=bool)
    changed[box] = weight > 0
    drawn = {m: _values(part, m, window, made[m], weight) for m in made}
    if "PET" in drawn:
        drawn["PET"] = _smoothed(drawn["PET"], part.grid)
    for _ in range(ROUNDS if anchored else 0):
        drawn = _anchored(drawn, part, mask, inside, at.drawn.look)
    volumes = {}
    for m, values in drawn.items():
        array = case.volumes[m].array.copy()
        written = (weight > 0) & part.valid[m]
        whole = window.scales[m]
        mixed = whole.forward(part.volumes[m].array) * (1 - weight) + whole.forward(values) * weight
        array[box] = np.where(written, whole.inverse(mixed), array[box]).astype(array.dtype, copy=False)
        volumes[m] = case.volumes[m].with_array(array)
    return volumes, changed


def _box(mask: np.ndarray, margin_mm: float, grid: Grid) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    where, margin = np.argwhere(mask), np.ceil(margin_mm / np.array(grid.spacing_kji_mm)).astype(int) + 1
    start = np.maximum(where.min(axis=0) - margin, 0)
    stop = np.minimum(where.max(axis=0) + 1 + margin, grid.shape)
    return triple(int(n) for n in start), triple(int(n) for n in stop)


def _values(part: Case, modality: str, window: Window, made: Tensor, weight: np.ndarray) -> np.ndarray:
    """float32 [k, j, i] in the modality's units: what was made, with the case's own detail."""
    scale, seen = window.scales[modality], window.images[modality]
    coarse = resample_smoothly(made.numpy(), window.grid, part.grid)
    own = scale.forward(np.where(part.valid[modality], part.volumes[modality].array, np.float32(0)))
    known = np.maximum(resample_smoothly(seen[1].numpy(), window.grid, part.grid), 1e-3)
    detail = own - resample_smoothly(seen[0].numpy(), window.grid, part.grid) / known
    return scale.inverse(coarse + _held(detail, (weight > 0) & part.valid[modality]))


def _held(detail: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The detail, its median 0 and no more than DETAIL_SPREADS of its robust spread."""
    if not where.any():
        return np.zeros_like(detail)
    middle = float(np.median(detail[where]))
    spread = MAD_TO_SD * float(np.median(np.abs(detail[where] - middle)))
    return np.clip(detail - middle, -DETAIL_SPREADS * spread, DETAIL_SPREADS * spread)


def _smoothed(array: np.ndarray, grid: Grid) -> np.ndarray:
    """As a PET scanner would show it: no uptake has an edge or a grain finer than its point spread."""
    return ndimage.gaussian_filter(array, SPREAD_MM / np.array(grid.spacing_kji_mm), mode="nearest")


def _anchored(
    drawn: dict[str, np.ndarray], part: Case, mask: np.ndarray, inside: np.ndarray, look: Appearance
) -> dict[str, np.ndarray]:
    """Nearer to the appearance that was drawn: CT moved, MR scaled, the PET's center against its rim, its mean and its
    peak. A small network gets the pattern right before the number. What is moved fades over the tumor's border as a
    scanner's point spread does, so one round is not enough."""
    arrays = {m: np.where(mask, x, part.volumes[m].array) for m, x in drawn.items()}
    seen = appearance(arrays, part.valid, mask, inside, part.grid.spacing_kji_mm)
    moved = dict(drawn)
    if "CT" in drawn and np.isfinite(seen.ct_hu):
        moved["CT"] = drawn["CT"] + np.float32(look.ct_hu - seen.ct_hu)
    if "MR_T1" in drawn and seen.t1_contrast > 0:
        moved["MR_T1"] = drawn["MR_T1"] * np.float32(look.t1_contrast / seen.t1_contrast)
    if "PET" in drawn and seen.suv_mean > 0:
        moved["PET"] = _uptake(drawn["PET"], part, mask, seen, look)
    share = _smoothed(mask.astype(np.float32), part.grid)
    return {m: share * moved[m] + (1 - share) * drawn[m] for m in drawn}


def _uptake(suv: np.ndarray, part: Case, mask: np.ndarray, seen: Appearance, look: Appearance) -> np.ndarray:
    """SUV with another center against the rim, mean and peak, as far as one round may go."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=part.grid.spacing_kji_mm)[1:-1, 1:-1, 1:-1]
    if seen.rim_to_center > 0:
        change = np.clip(np.log(look.rim_to_center / seen.rim_to_center), -STEEPEST, STEEPEST)
        suv = suv * np.exp(-change * depth / depth.max()).astype(np.float32)
    usable = mask & part.valid["PET"]
    suv = np.maximum(suv, LEAST_SUV)
    mean, peak = float(suv[usable].mean()), float(suv[usable].max())
    wanted = np.log(max(look.suv_max / look.suv_mean, 1 + 1e-3))
    power = np.clip(wanted / np.log(max(peak / mean, 1 + 1e-3)), *POWER)
    # A power keeps uptake above 0, which moving and stretching do not: no living tissue is without.
    suv = suv ** np.float32(power)
    return suv * np.float32(look.suv_mean / suv[usable].mean())
