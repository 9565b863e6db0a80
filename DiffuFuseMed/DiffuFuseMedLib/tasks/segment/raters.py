"""A segmenter's samples against the masks of several annotators: the measures of CalDiff's Tables I and II, by case.

Where a case has one reference, simulated readers stand around it (uncertainty/readers.py), and every row says so.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects

from ...core.case import Case
from ...core.errors import input_error
from ...metrics.agreement import calibration_of_set, majority, volume_crps
from ...metrics.calibration import BAND_MM, band
from ...metrics.detection import s_ncc
from ...metrics.overlap import overlap_scores
from ...metrics.sets import collective_insights, combined_sensitivity, d_max, diversity_agreement, ged_squared, hm_iou
from ...models.zoo import Model
from ...uncertainty.platt import apply
from ...uncertainty.readers import ReaderModel, ball_radius_mm
from .drawn import Drawn
from .fitted import calibration_for
from .predict import draw
from .sampling import onto_case
from .settings import Settings
from .trivial import trivial_rows

SIMULATED = "simulated readers"
MAJORITY_ROW = "majority of the readers"
TABLE = ("s_ncc", "d_max", "ci", "ged2")  # the columns of the paper's tables
Row = dict[str, Any]


def with_simulated_readers(case: Case, count: int, seed: int) -> Case:
    """The case with the masks of so many simulated readers around its reference, the same for the same seed and name.

    Raises InputError for fewer than two, and for a case without a drawn lesion.
    """
    if count < 2:
        raise input_error(f"{count} simulated readers", "two or more", "choose another number")
    if case.reference_mask is None or not case.reference_mask.array.any():
        raise input_error(f"the case {case.name} without a drawn lesion", "one to redraw", "add a GTV file")
    drawn, spacing = case.reference_mask.array > 0, case.grid.spacing_kji_mm
    inside, outside = (distance_transform_edt(mask, sampling=spacing) for mask in (drawn, ~drawn))
    radius = ball_radius_mm(float(np.count_nonzero(drawn)) * case.grid.voxel_mm3)
    rng, model = np.random.default_rng((seed, zlib.crc32(case.name.encode()))), ReaderModel()
    masks = {}
    for n in range(1, count + 1):
        share = model.draws(outside - inside, spacing, radius, rng)
        masks[f"simulated reader {n}"] = case.reference_mask.with_array((share > 0.5).astype(np.uint8))
    return replace(case, references=masks)


def said_of(case: Case) -> str:
    """Whose masks the case is compared with, as a table says it."""
    simulated = any(name.startswith("simulated") for name in case.references)
    return f"{len(case.references)} {SIMULATED if simulated else 'readers'}"


def check_annotators(cases: Sequence[Case]) -> None:
    """Raises InputError for a case with fewer than two annotators."""
    if lone := [case.name for case in cases if len(case.references) < 2]:
        given = f"{len(lone)} of {len(cases)} cases without several annotators ({lone[0]} is the first)"
        raise input_error(given, "masks of at least two readers of each", "add them, or use --simulated-readers 4")


def evaluate_raters(
    model: Model, cases: Iterable[Case], settings: Settings, progress: Callable[[str], None] | None = None
) -> list[Row]:
    """One row of scores for each case; each has the masks of several annotators. A two-dimensional model's are means
    over the slices that anybody marked."""
    rows = []
    for case in cases:
        if progress:
            progress(f"{case.name}: {model.record.id}")
        began = time.monotonic()
        drawn = draw(case, model, settings)
        seconds = time.monotonic() - began
        samples = np.stack([onto_case(sample, drawn.grid, case.grid) for sample in drawn.samples])
        scores = {**of_samples(samples, case, of_slices(model)), **_calibrated(drawn, case, model)}
        rows.append(
            {"method": model.record.id, "case": case.name, "readers": said_of(case), **scores, "seconds": seconds}
        )
    return rows


def _calibrated(drawn: Drawn, case: Case, model: Model) -> Row:
    """Of the calibrated probability in the lesion band; {} of a model that was never calibrated."""
    if not model.record.calibration:
        return {}
    fitted = calibration_for(model.record, case.name, case.modalities)
    probability = apply(drawn.samples, fitted["scale"], fitted["offset"]).mean(axis=0)
    return calibration_of_set(onto_case(probability, drawn.grid, case.grid), _masks(case), case.grid.spacing_kji_mm)


def of_slices(model: Model) -> bool:
    """Whether its samples are of slices, each by itself."""
    return bool(model.network.config.spatial_dims == 2)


def trivial_raters(case: Case, by_slice: bool = False) -> list[Row]:
    """The rows that no network is needed for: each one mask, the readers' majority among them."""
    masks = {MAJORITY_ROW: majority(_masks(case)), **{name: mask for name, (mask, _) in trivial_rows(case).items()}}
    return [
        {
            "method": name,
            "case": case.name,
            "readers": said_of(case),
            **of_samples(mask[None].astype(np.float32), case, by_slice),
        }
        for name, mask in masks.items()
    ]


def of_samples(samples: np.ndarray, case: Case, by_slice: bool = False) -> Row:
    """Every measure of probabilities (n, *case.grid.shape) against the case's annotators.

    s_ncc over the whole case, as the paper has it, and s_ncc_band in the 20 mm around the border of anybody's mask;
    dice, nsd_2mm: of the samples' mean above one half with each annotator's mask, as means. by_slice: the measures of
    sets and S_NCC are means over the slices that anybody marked, as a two-dimensional model's samples are of slices.
    """
    masks, spacing = np.stack(_masks(case)), case.grid.spacing_kji_mm
    near = band(np.any(masks, axis=0), spacing, BAND_MM)
    voxel_ml = case.grid.voxel_mm3 / 1000
    volumes, drawn_ml = ([float(np.count_nonzero(m)) * voxel_ml for m in set_] for set_ in (samples > 0.5, masks))
    consensus = samples.mean(axis=0) > 0.5
    overlaps = [overlap_scores(consensus, mask, spacing) for mask in masks]
    marked = np.flatnonzero(np.any(masks, axis=(0, 2, 3)))
    slabs = [slice(k, k + 1) for k in marked if by_slice] or [slice(None)]
    parts = [_of_sets(*(x[..., slab, :, :] for x in (samples, masks, near))) for slab in slabs]
    return {
        **{name: float(np.mean([part[name] for part in parts])) for name in parts[0]},
        "crps_ml": volume_crps(volumes, drawn_ml),
        **{name: float(np.mean([scores[name] for scores in overlaps])) for name in ("dice", "nsd_2mm")},
    }


def _of_sets(samples: np.ndarray, masks: np.ndarray, near: np.ndarray) -> Row:
    """samples: (n, K, J, I), masks: (R, K, J, I), near: (K, J, I), the band around anybody's border."""
    hard, drawn = _in_one_box(samples > 0.5, masks)
    return {
        "s_ncc": s_ncc(samples, list(masks), np.ones(near.shape, bool)),
        "d_max": d_max(hard, drawn),
        "ci": collective_insights(hard, drawn),
        "ged2": ged_squared(hard, drawn),
        "s_ncc_band": s_ncc(samples, list(masks), near) if near.any() else float("nan"),
        "s_c": combined_sensitivity(hard, drawn),
        "d_a": diversity_agreement(hard, drawn),
        "hm_iou": hm_iou(hard, drawn),
    }


def _in_one_box(samples: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sets cut to the box that holds all of either: no measure of sets looks at what nobody marked."""
    marked = samples.any(axis=0) | references.any(axis=0)
    box = (slice(None), *(find_objects(marked.astype(np.uint8)) or [()])[0])
    return samples[box], references[box]


def _masks(case: Case) -> list[np.ndarray]:
    return [mask.array > 0 for mask in case.references.values()]
