"""A fused volume in a few rows: its slices' primary numbers and its flicker, with the trivial fusions beside it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...core.errors import input_error
from ...preprocessing.rois import Rois
from .clinical import flicker
from .pictures import WHITE
from .qabf import qabf
from .statistics import scd
from .table import primary_scores, secondary_scores
from .trivial import TRIVIAL

SLICES = 12


def score_volume(
    fused: np.ndarray,
    ct: np.ndarray,
    mri: np.ndarray,
    rois: Rois,
    model_rois: Rois | None = None,
    others: Mapping[str, np.ndarray] | None = None,
    secondary: bool = False,
) -> dict[str, dict[str, float]]:
    """Rows by method, "fused" first and those of TRIVIAL behind it; volumes [k, j, i] with gray values 0..1.

    Columns: as primary_scores() and Qabf, SCD, each the mean over the axial slices where it is defined, of at most 12
    evenly spaced slices that hold soft tissue or bone; and flicker_axial, flicker_coronal, flicker_sagittal over the
    whole volume, in gray values 0..255. rois judge; model_rois are what the ROI copy and blend are made with, as the
    fusion was, else they are made with `rois` and so are oracles. others: other volumes by method, in TRIVIAL's place;
    secondary: secondary_scores() too, which takes twice as long. Raises InputError when the shapes differ.
    """
    shapes = {np.shape(x) for x in (fused, ct, mri, rois.inside)}
    if len(shapes) > 1 or np.ndim(fused) != 3:
        raise input_error(f"volumes and ROIs of {sorted(shapes)}", "one shape [k, j, i]", "put them on one grid")
    fused, ct, mri = (_gray(x) for x in (fused, ct, mri))
    if others is None:
        others = {name: fuse(ct, mri, model_rois or rois) for name, fuse in TRIVIAL.items()}
    else:
        others = {name: _gray(x) for name, x in others.items()}
    methods = {"fused": fused, **others}
    # slice by slice, not method by method: what is known of a source's slice serves all of them
    scores = [
        {name: _slice_scores(f[k], ct[k], mri[k], rois.at(k), secondary) for name, f in methods.items()}
        for k in _slices(rois)
    ]
    return {name: {**_means([s[name] for s in scores]), **_jumps(f, ct, mri, rois)} for name, f in methods.items()}


def _gray(volume: np.ndarray) -> np.ndarray:
    return WHITE * np.clip(np.asarray(volume, np.float64), 0, 1)


def _means(slices: list[dict[str, float]]) -> dict[str, float]:
    return {name: _mean([s[name] for s in slices]) for name in (slices[0] if slices else {})}


def _jumps(fused: np.ndarray, ct: np.ndarray, mri: np.ndarray, rois: Rois) -> dict[str, float]:
    return {f"flicker_{plane}": jump for plane, jump in flicker(fused, (ct, mri), rois.inside).items()}


def _slices(rois: Rois) -> list[int]:
    there = np.flatnonzero((rois.soft | rois.bone).any((1, 2)))
    return there[np.unique(np.linspace(0, len(there) - 1, SLICES).round().astype(int))].tolist() if len(there) else []


def _slice_scores(f: np.ndarray, ct: np.ndarray, mri: np.ndarray, rois: Rois, secondary: bool) -> dict[str, float]:
    primary = primary_scores(f, ct, mri, rois)
    if secondary:
        return {**primary, **secondary_scores(f, mri, ct, rois.inside)}
    return {**primary, "Qabf": qabf(f, mri, ct), "SCD": scd(f, mri, ct)}


def _mean(values: list[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")
