"""What an inpainter is worth: healthy tissue that it had to make up, and what a segmenter still finds of a lesion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch.nn import functional as F

from ...core.case import Case
from ...core.errors import input_error
from ...core.healthy import Healthy
from ...core.resampling import resample
from ...core.volume import Volume
from ...metrics.frechet import frechet_distance
from ...models.zoo import Model
from ...networks.inputs import network_grid, network_images
from ...preprocessing.intensity import normalise
from ...systems.diff4mmlits.inpainter_holes import HoleSettings, draw_hole
from ...systems.diff4mmlits.inpainter_slices import TrainingSlices, body_of, hole_on, slices_of, training_slices
from ..segment.contract import EncodesModalities
from ..segment.predict import predict
from ..segment.settings import Settings
from .removal_mask import removal_mask
from .remove import remove, removed_by
from .trivial import FILLINGS, PlainInpainter

HEALTHY = "healthy slices alone"
BEYOND_MM, LEAST_MM = 10.0, 20.0  # of healthy slices: how far from the lesion, and together how thick
HOLES, THICKNESS_MM = 3, 16.0  # a case's, each the same in so many slices
SSIM_PX, PSNR_CAP_DB = 7, 60.0
RANGES = {"PET": 1.0}  # of the gray values that are scored; else 2, preprocessing/intensity.py
IMAGED = "as imaged"
Row = dict[str, Any]
Removal = Callable[[Case, np.ndarray], Healthy]


@dataclass
class Features:
    """A segmenter's features at filled places, (n, d) each, by method and modality; those of the image itself too."""

    found: dict[tuple[str, str], list[np.ndarray]] = field(default_factory=dict)

    def add(self, method: str, by_modality: dict[str, np.ndarray]) -> None:
        for modality, rows in by_modality.items():
            self.found.setdefault((method, modality), []).append(rows)

    def distance(self, method: str, modality: str) -> float:
        """Frechet distance from the images' own features; NaN where there are too few places."""
        one, other = (np.concatenate(self.found[name, modality]) for name in (method, IMAGED))
        return frechet_distance(one, other) if len(one) > 1 else float("nan")


def removals_of(model: Model) -> dict[str, Removal]:
    """By name: the inpainter and what fills holes without having learned anything."""
    config = model.network.config
    plain = {name: partial(_plainly_removed, PlainInpainter(config, filling)) for name, filling in FILLINGS.items()}
    return {model.record.id: lambda case, mask: remove(case, mask, model), **plain}


def _plainly_removed(network: PlainInpainter, case: Case, mask: np.ndarray) -> Healthy:
    return removed_by(network, case, mask)


def reconstruction_rows(
    case: Case, removals: dict[str, Removal], model: Model, segmenter: Model, features: Features, seed: int = 0
) -> list[Row]:
    """A row per method and modality: PSNR and SSIM where healthy tissue was taken away, in the gray values that
    segmenters see. The drawn lesion is taken away as well, and scored nowhere. Fills `features`."""
    healthy = training_slices(case, model.modalities, model.network.config.spacing_mm)
    holes = healthy_holes(case, healthy, model, seed)
    mask = holes | removal_mask(_drawn(case), case.grid.spacing_kji_mm)
    features.add(IMAGED, features_at(case, holes, segmenter))
    rows = []
    for name, removal in removals.items():
        filled = removal(case, mask)
        features.add(name, features_at(replace(case, volumes={**case.volumes, **filled.volumes}), holes, segmenter))
        rows += [
            {"method": name, "case": case.name, "modality": m, **likeness(case, volume, holes)}
            for m, volume in filled.volumes.items()
        ]
    return rows


def healthy_holes(case: Case, healthy: TrainingSlices, model: Model, seed: int) -> np.ndarray:
    """bool [k, j, i] on the case's grid: HOLES holes of LaMa's kind in healthy tissue, off the lesion's surroundings,
    the same in slices of THICKNESS_MM. One seed gives a case the same holes whatever fills them."""
    generator = torch.Generator().manual_seed(seed)
    grid = slices_of(case, model.modalities, model.network.config.spacing_mm).grid
    thick, holes = max(1, round(THICKNESS_MM / grid.spacing_kji_mm[0])), torch.zeros(grid.shape, dtype=torch.bool)
    places = healthy.healthy.nonzero()
    for _ in range(HOLES):
        k, j, i = places[int(torch.randint(len(places), (), generator=generator))].tolist()
        drawn = draw_hole((2 * grid.shape[1] + 1, 2 * grid.shape[2] + 1), HoleSettings(), generator)
        around = drawn[grid.shape[1] - j : 2 * grid.shape[1] - j, grid.shape[2] - i : 2 * grid.shape[2] - i]
        some = slice(max(0, k - thick // 2), k - thick // 2 + thick)
        holes[some] |= around & healthy.healthy[some]
    on_case = resample(Volume(holes.numpy().astype(np.uint8), grid), case.grid, "nearest")
    return on_case.array > 0


def likeness(case: Case, filled: Volume, holes: np.ndarray) -> Row:
    """psnr in dB, at most 60, and ssim over 7 x 7 pixels of a slice, inside the holes, bool [k, j, i], where the image
    is valid; NaN where there is nothing to score."""
    modality = str(filled.modality)
    before, valid = case.volumes[modality], case.valid[modality]
    where = holes & valid
    if not where.any():
        return {"psnr": float("nan"), "ssim": float("nan")}
    one, other = (normalise(volume, valid) for volume in (before, filled))
    data_range = RANGES.get(modality, 2.0)
    maps = [
        structural_similarity(one[k], other[k], win_size=SSIM_PX, data_range=data_range, full=True)[1][where[k]]
        for k in np.flatnonzero(where.any(axis=(1, 2)))
    ]
    with np.errstate(divide="ignore"):  # equal images have no noise: infinite, so the cap
        psnr = float(min(peak_signal_noise_ratio(one[where], other[where], data_range=data_range), PSNR_CAP_DB))
    return {"psnr": psnr, "ssim": float(np.concatenate(maps).mean())}


def features_at(case: Case, mask: np.ndarray, segmenter: Model) -> dict[str, np.ndarray]:
    """(n, d) by modality: what the segmenter's encoders first make of each place of the mask, bool [k, j, i].

    Raises InputError for a segmenter that does not encode its modalities.
    """
    if not isinstance(segmenter.network, EncodesModalities):
        wanted = "a segmenter that encodes its modalities, such as sts-diffufusemed"
        raise input_error(f"the model {segmenter.record.id}", wanted, "choose another with --segmenter")
    grid = network_grid(case.grid, segmenter.record.window["spacing_kji_mm"])
    images = {m: _padded(x[None], segmenter) for m, x in network_images(case, grid, segmenter.modalities).items()}
    inside = torch.from_numpy(hole_on(grid, mask, case.grid).astype(np.float32))[None, None]
    with torch.inference_mode():
        maps = segmenter.network.encode({m: x.to(segmenter.device) for m, x in images.items()})[0]
    found = {}
    for m, x in maps.items():
        whole = torch.cat([_padded(inside, segmenter), images[m][:, 1:]], dim=1)
        share, seen = F.interpolate(whole, x.shape[2:], mode="area")[0]
        found[m] = x[0, :, (share > 0.5) & (seen > 0.5)].T.float().cpu().numpy()
    return found


def _padded(x: torch.Tensor, segmenter: Model) -> torch.Tensor:
    """(1, C, *space) with zeros, which are missing voxels, up to multiples of the network's stride."""
    short = [-n % s for n, s in zip(x.shape[2:], segmenter.network.stride, strict=True)]
    return F.pad(x, (0, short[2], 0, short[1], 0, short[0]))


def removal_rows(
    case: Case, removals: dict[str, Removal], segmenter: Model, margins_mm: Sequence[float], samples: int, seed: int = 0
) -> Iterator[Row]:
    """A row per method and margin: the share of the drawn lesion that the segmenter finds, before and after it was
    removed, and the milliliters that it finds in all."""
    drawn = _drawn(case)
    yield {"method": IMAGED, "margin_mm": "", "case": case.name, **found(case, case, segmenter, samples, seed)}
    body = body_of(case)
    for margin_mm in margins_mm:
        mask = removal_mask(drawn, case.grid.spacing_kji_mm, margin_mm, body)
        for name, removal in removals.items():
            after = removal(case, mask).of(case)
            told = found(after, case, segmenter, samples, seed)
            yield {"method": name, "margin_mm": margin_mm, "case": case.name, **told}


def healthy_rows(case: Case, segmenter: Model, samples: int, seed: int = 0) -> list[Row]:
    """A row of what the segmenter calls lesion where it is shown healthy slices alone, those beyond the lesion's nearer
    or farther end, whichever are more: what it finds after a removal beyond that is of what was filled in. None where
    they are too few."""
    shown = _healthy_slices(case)
    if shown is None:
        return []
    labels = predict(shown, segmenter, Settings(samples=samples, seed=seed)).labels > 0
    ml, body = case.grid.voxel_mm3 / 1000, body_of(shown)
    told = {"found_ml": float(labels.sum()) * ml, "body_ml": float(body.sum()) * ml}
    return [{"method": HEALTHY, "margin_mm": "", "case": case.name, **told}]


def _healthy_slices(case: Case) -> Case | None:
    slices = np.flatnonzero(_drawn(case).any(axis=(1, 2)))
    spacing_mm, count = case.grid.spacing_kji_mm[0], case.grid.shape[0]
    apart = round(BEYOND_MM / spacing_mm)
    below, above = (0, int(slices[0]) - apart), (int(slices[-1]) + 1 + apart, count)
    start, stop = max(below, above, key=lambda ends: ends[1] - ends[0])
    if (stop - start) * spacing_mm < LEAST_MM:
        return None
    return case.unscored().cropped((start, 0, 0), (stop, *case.grid.shape[1:]))


def found(shown: Case, case: Case, segmenter: Model, samples: int, seed: int) -> Row:
    """found: the share of the case's drawn lesion that the segmenter calls lesion in what it is shown; found_ml: all
    that it calls so."""
    labels = predict(shown, segmenter, Settings(samples=samples, seed=seed)).labels > 0
    drawn = _drawn(case)
    ml = case.grid.voxel_mm3 / 1000
    return {"found": float(labels[drawn].mean()), "found_ml": float(labels.sum()) * ml, "drawn_ml": drawn.sum() * ml}


def _drawn(case: Case) -> np.ndarray:
    if case.reference_mask is None or not (case.reference_mask.array > 0).any():
        raise input_error(f"the case {case.name} without a drawn lesion", "a GTV file", "leave the case out or add one")
    return case.reference_mask.array > 0
