"""Random windows: where to look, how to turn, scale and mirror, what to corrupt, what to leave out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from monai.transforms.utils import create_rotate
from torch import Tensor
from torch.nn import functional as F

from ..core.errors import input_error
from ..core.modalities import spec_of
from ..core.triples import triple
from ..losses import Batch
from ..uncertainty.readers import ReaderModel, ball_radius_mm, redrawn
from .corruptions import corrupt_window, uniform
from .dataset import TrainingCase
from .feedback import Feedback
from .uptake import fainter

FINER_IN_PLANE = 2 / 3
READERS_REACH_MM = 30.0  # simulated readers differ by less


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
    clean_complete: float = 0.0  # share of batches without artefacts and with every modality
    originals: bool = False  # give every modality without its artefact too
    simulated_readers: int = 0  # masks drawn by as many, where a case has one reference alone
    faint: float = 0.0  # share of windows whose lesion takes up less tracer than it did

    @property
    def working_spacing_kji_mm(self) -> tuple[float, float, float]:
        """Of the cases in memory: finer in plane than the window, so that a rotated one is not interpolated from what
        is blurred."""
        k, j, i = self.spacing_kji_mm
        return k, j * FINER_IN_PLANE, i * FINER_IN_PLANE

    @property
    def of_the_network(self) -> dict[str, tuple[float, ...]]:
        """shape and spacing_kji_mm of the window that the network sees: one slice has two axes."""
        first = 1 if self.shape[0] == 1 else 0
        return {"shape": self.shape[first:], "spacing_kji_mm": self.spacing_kji_mm[first:]}


@dataclass(frozen=True)
class Placement:
    """Where a window lies: its center in millimetres from the box's first corner, its zoom, rotation and mirrors."""

    center_mm: np.ndarray
    zoom: float
    rotation: np.ndarray
    mirror: np.ndarray


@dataclass(frozen=True)
class Place:
    """Where a window of a batch was looked at: the case's number, the first voxel of the box, its placement there."""

    case: int
    start: np.ndarray
    placement: Placement


def draw_batch(
    cases: list[TrainingCase],
    size: int,
    settings: WindowSettings,
    generator: torch.Generator,
    feedback: Feedback | None = None,
) -> Batch:
    """`size` windows from random cases, with one random set of present modalities for the whole batch.

    Windows of one slice are pictures, (B, C, H, W). Feedback says which cases and places are drawn more often.
    """
    if settings.clean_complete and uniform(0, 1, generator) < settings.clean_complete:
        settings = replace(settings, corrupt=0.0, drop_one=0.0, drop_two=0.0)
    chosen = draw_cases(len(cases), size, generator, feedback)
    present = draw_modalities(list(cases[chosen[0]].images), settings, generator)
    if lacking := [cases[i].name for i in chosen if not set(present) <= set(cases[i].images)]:
        raise input_error(
            f"the case {lacking[0]} without {', '.join(present)}", "one set of modalities", "leave it out"
        )
    weights = [feedback.voxel_weights(i) if feedback else None for i in chosen]
    windows = [draw_window(cases[i], present, settings, generator, w) for i, w in zip(chosen, weights, strict=True)]
    images = {m: flat(torch.stack([w.images[m] for w in windows])) for m in present}
    clean = {m: torch.tensor([w.clean[m] for w in windows]) for m in present}
    target, distance = (flat(torch.stack([getattr(w, key) for w in windows])) for key in ("target", "distance"))
    places = tuple(Place(i, w.start, w.placement) for i, w in zip(chosen, windows, strict=True))
    several = settings.simulated_readers or any(cases[i].references is not None for i in chosen)
    references, raters = joined_masks(windows) if several else (None, None)
    originals = {m: flat(torch.stack([w.originals[m] for w in windows])) for m in windows[0].originals} or None
    return Batch(images, target, distance, clean, references, raters, places, originals)


def draw_cases(count: int, size: int, generator: torch.Generator, feedback: Feedback | None) -> list[int]:
    """`size` of `count` cases, with replacement; each as often as the others without feedback."""
    if feedback is None:
        return torch.randint(count, (size,), generator=generator).tolist()
    return torch.multinomial(feedback.case_weights(count), size, replacement=True, generator=generator).tolist()


def flat(x: Tensor) -> Tensor:
    """(B, C, 1, H, W) as pictures, (B, C, H, W); thicker windows as they are."""
    return x.squeeze(2) if x.shape[2] == 1 else x


def joined_masks(windows: list[Window]) -> tuple[Tensor, Tensor]:
    """(B, R, *space) of the windows' masks, empty where a case has fewer than R, and how many each has, (B,)."""
    raters = torch.tensor([len(w.masks) for w in windows])
    most = int(raters.max())
    padded = [F.pad(w.masks, (0, 0) * 3 + (0, most - len(w.masks))) for w in windows]
    return flat(torch.stack(padded)), raters


def draw_modalities(names: list[str], settings: WindowSettings, generator: torch.Generator) -> list[str]:
    """Modality dropout: mostly all, sometimes one or two fewer, never none."""
    u = uniform(0, 1, generator)
    drop = 2 if u < settings.drop_two else 1 if u < settings.drop_two + settings.drop_one else 0
    order = torch.randperm(len(names), generator=generator).tolist()
    kept = sorted(order[: max(1, len(names) - drop)])
    return [names[i] for i in kept]


@dataclass(frozen=True)
class Window:
    """One window: images (C, *shape) and whether they are clean by modality, target, distance and masks (n, *shape),
    and where it was looked at; originals: images without artefacts, of every modality, where they were asked for."""

    images: dict[str, Tensor]
    clean: dict[str, float]
    target: Tensor
    distance: Tensor
    masks: Tensor
    start: np.ndarray
    placement: Placement
    originals: dict[str, Tensor]


def draw_window(
    case: TrainingCase,
    present: list[str],
    settings: WindowSettings,
    generator: torch.Generator,
    weights: Tensor | None = None,
) -> Window:
    """A random window; weights: (K, J, I), how often each voxel is its center."""
    start, stop = draw_box(case, settings, generator)
    placement = draw_placement((stop - start) * np.array(case.spacing_kji_mm), settings, generator)
    if weights is not None:
        start, stop, placement = around(case, draw_voxel(weights, generator), placement, settings)
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    seen = list(case.images) if settings.originals else present
    masks = () if case.references is None else tuple(case.references)
    scalars = torch.stack([*(x[box] for x in (*masks, case.lesion, case.distance_mm)), _depth(case, box)])
    stacked = torch.cat([*(case.images[m][(slice(None), *box)] for m in seen), scalars])
    sampled = sample(stacked, case.spacing_kji_mm, placement, settings)
    *pictures, masks, target, distance, depth = sampled.split(
        [*(len(case.images[m]) for m in seen), len(masks), 1, 1, 1]
    )
    pictures = with_uptake(dict(zip(seen, pictures, strict=True)), target[0], settings, generator)
    augmented = {m: augment(x, m, settings, generator) for m, x in pictures.items()}
    return Window(
        {m: augmented[m].image for m in present},
        {m: augmented[m].clean for m in present},
        target.clamp(0, 1),
        (distance / settings.distance_reach_mm).clamp(0, 1),
        _masks_of(case, masks, target, depth, placement, settings, generator),
        start,
        placement,
        {m: augmented[m].original for m in seen} if settings.originals else {},
    )


def with_uptake(
    pictures: dict[str, Tensor], lesion: Tensor, settings: WindowSettings, generator: torch.Generator
) -> dict[str, Tensor]:
    """The window's pictures, (C + 1, *shape) by modality, sometimes with a fainter lesion in PET."""
    pets = [m for m in pictures if spec_of(m).scale == "SUV"]
    if not settings.faint or not pets or uniform(0, 1, generator) >= settings.faint:
        return pictures
    return pictures | {m: fainter(pictures[m], lesion, generator) for m in pets}


def _depth(case: TrainingCase, box: tuple[slice, ...]) -> Tensor:
    """(k, j, i) in mm, READERS_REACH_MM at the border, more inside, 0 far outside: so that what lies beyond the scan,
    where sampling gives 0, is far from any border."""
    distance, inside = case.distance_mm[box], case.lesion[box] > 0.5
    signed = torch.where(inside, -distance, distance)
    return (READERS_REACH_MM - signed).clamp(0, 2 * READERS_REACH_MM)


def _masks_of(
    case: TrainingCase,
    masks: Tensor,
    target: Tensor,
    depth: Tensor,
    placement: Placement,
    settings: WindowSettings,
    generator: torch.Generator,
) -> Tensor:
    """(R, *shape): the annotators' masks; of a single one, what simulated readers make of it where they are wanted."""
    if case.references is not None:
        return masks.clamp(0, 1)
    if not settings.simulated_readers:
        return target.clamp(0, 1)
    rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    spacing = triple(float(s) * placement.zoom for s in settings.spacing_kji_mm)
    radius = ball_radius_mm(float(case.lesion.sum()) * float(np.prod(case.spacing_kji_mm)))
    signed, readers = READERS_REACH_MM - depth[0].numpy(), ReaderModel()
    moves = [readers.displacement_mm(settings.shape, spacing, radius, rng) for _ in range(settings.simulated_readers)]
    step = float(np.cbrt(np.prod(spacing)))
    return torch.from_numpy(np.stack([redrawn(signed, move, step) for move in moves]))


def whole(case: TrainingCase) -> tuple[np.ndarray, np.ndarray]:
    """The box of all of the case."""
    return np.zeros(3, dtype=int), np.array(case.lesion.shape)


def around(
    case: TrainingCase, voxel: np.ndarray, placement: Placement, settings: WindowSettings
) -> tuple[np.ndarray, np.ndarray, Placement]:
    """The same look with this voxel, index (k, j, i), as its center, and the box of all that it sees of the case."""
    spacing, step_mm = np.array(case.spacing_kji_mm), np.array(settings.spacing_kji_mm) * placement.zoom
    far_mm = (
        np.abs(placement.rotation) @ (np.array(settings.shape) * step_mm / 2) + step_mm.max()
    )  # as it averages over
    reach = np.ceil(far_mm / spacing).astype(int)
    start, stop = np.maximum(voxel - reach, 0), np.minimum(voxel + reach + 1, case.lesion.shape)
    return start, stop, replace(placement, center_mm=(voxel + 0.5 - start) * spacing)


def draw_voxel(weights: Tensor, generator: torch.Generator) -> np.ndarray:
    """Index (k, j, i) of a voxel, each as often as it weighs; weights: (K, J, I), not all 0."""
    course = weights.flatten().double().cumsum(dim=0)
    at = torch.rand(1, generator=generator, dtype=torch.float64) * course[-1]
    # beyond what is 0: a voxel that weighs nothing is never drawn
    index = int(torch.searchsorted(course, at, right=True))
    return np.array(np.unravel_index(min(index, len(course) - 1), weights.shape))


def draw_box(case: TrainingCase, settings: WindowSettings, generator: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The lesion's box with another random margin on each side: no cue says where in a scan a lesion lies."""
    if uniform(0, 1, generator) < settings.whole_scan:
        return whole(case)
    first, last = case.lesion_box()
    margins = np.array([[uniform(*settings.margin_mm, generator) for _ in range(3)] for _ in range(2)])
    steps = np.round(margins / np.array(case.spacing_kji_mm)).astype(int)
    return np.maximum(first - steps[0], 0), np.minimum(last + steps[1], case.lesion.shape)


def draw_placement(extent_mm: np.ndarray, settings: WindowSettings, generator: torch.Generator) -> Placement:
    """A window that holds all of a small box, or lies inside a large one, which it may also be shrunk to see whole."""
    window_mm = np.array(settings.shape) * np.array(settings.spacing_kji_mm)
    low, high = np.log(settings.zoom)
    zoom = float(np.exp(uniform(low, high, generator)))
    thick = np.array(settings.shape) > 1  # one slice is not meant to hold what lies above and below it
    fit = float((extent_mm / window_mm)[thick].max())
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
    grid = affine_grid(affine, settings.shape)
    return F.grid_sample(stacked[None].float(), grid, padding_mode="zeros", align_corners=True)[0]


def voxels_of(place: Place, spacing_kji_mm: tuple[float, ...], settings: WindowSettings) -> np.ndarray:
    """(3, *settings.shape): the index (k, j, i) in its case, not rounded, that each voxel of a window was looked up at.

    Feedback needs it to take an error in the window back to the case.
    """
    steps = np.indices(settings.shape, dtype=float) - (np.array(settings.shape)[:, None, None, None] - 1) / 2
    offset_mm = place.placement.mirror * np.array(settings.spacing_kji_mm) * place.placement.zoom
    moved = place.placement.rotation @ (offset_mm[:, None] * steps.reshape(3, -1))
    index = (moved + place.placement.center_mm[:, None]) / np.array(spacing_kji_mm)[:, None] - 0.5
    return (index + place.start[:, None]).reshape(3, *settings.shape)


def affine_grid(affine: Tensor, shape: tuple[int, ...]) -> Tensor:
    """(1, *shape, 3) as F.affine_grid gives it, which warns of an axis of one voxel: there its column of the matrix is
    0, so that any slice of a thicker grid is the one."""
    grid = F.affine_grid(affine, [1, 1, *(n if n > 1 else 2 for n in shape)], align_corners=True)
    return grid[(slice(None), *(slice(n) for n in shape))]


def without_aliasing(stacked: Tensor, steps: np.ndarray) -> Tensor:
    """Averaged over what lies between two samples that are `steps` voxels (k, j, i) apart, once that is over two."""
    kernel = [2 * round((step - 1) / 2) + 1 if step > 2 else 1 for step in steps]
    if max(kernel) == 1:
        return stacked
    half = [(k - 1) // 2 for k in kernel]
    return F.avg_pool3d(stacked[None].float(), kernel, 1, half, count_include_pad=False)[0]


class Augmented(NamedTuple):
    """image: (C + 1, K, J, I), channels and valid; clean: its q_m; original: the image before its artefact."""

    image: Tensor
    clean: float
    original: Tensor


def augment(window: Tensor, modality: str, settings: WindowSettings, generator: torch.Generator) -> Augmented:
    """(C + 1, K, J, I), channels and valid, with other gain, offset and noise, sometimes an artefact."""
    valid = (window[-1] >= 0.5).float()
    x = window[:-1] / window[-1].clamp(min=0.5)
    x = x * uniform(1 - settings.gain, 1 + settings.gain, generator)
    x = x + uniform(-settings.shift, settings.shift, generator)
    if uniform(0, 1, generator) < 0.5:
        x = x + uniform(0, settings.noise, generator) * x.std() * torch.randn(x.shape, generator=generator)
    clean = float(uniform(0, 1, generator) >= settings.corrupt)
    x = x * valid
    original = torch.cat([x, valid[None]])
    if clean:
        return Augmented(original, clean, original)
    return Augmented(torch.cat([corrupt_window(x, valid, modality, generator), valid[None]]), clean, original)
