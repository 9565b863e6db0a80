"""Fit a model's domain on cases like those it was trained on: ranges, and how far held-out patients lie from the rest.

Each patient is looked at whole and as the split crops it, and its distance is taken from statistics of the other folds
alone; the threshold is the farthest of them, and a little more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import input_error
from ...core.modalities import title_of
from ...io.split import Split
from ...models.registry import ModelRecord
from ...preprocessing.likeness import distance, feature_names, features, usual
from ...preprocessing.load import load_whole

SLACK = 1.15  # of the farthest held-out patient; of other patients one in 36 lies farther than it
FEWEST_FOLDS = 3  # a threshold without the patient's fold takes two others
WIDER = 1.25  # a range may be exceeded by a quarter before a case is another kind of case


@dataclass(frozen=True)
class Looked:
    """One patient: features by modality of each look (whole, cropped), edges in mm of each, and the drawn volume."""

    name: str
    fold: int
    looks: tuple[dict[str, dict[str, float]], ...]
    edges_mm: tuple[tuple[float, ...], ...]
    lesion_ml: float


def fit_domain(
    record: ModelRecord, folder: Path, split: Split, body_parts: Sequence[str], progress: Callable[[float, str], None]
) -> tuple[dict[str, Any], dict[str, float]]:
    """The domain for model.json, and by modality the share of held-out patients that would be called unlike when the
    threshold, too, is fitted without their fold. A modality of which some patient's images show too little body has
    neither: what it looks like is then not checked. What a training held out stays out. Raises InputError for a case
    that is not there, or has no drawn lesion, for fewer than three folds, and for a model of pictures in color."""
    if pictures := [key for key in record.modalities if not feature_names(key)]:
        given, wanted = f"{record.id}, a model of {title_of(pictures[0])}", "one of scans, whose bodies can be measured"
        raise input_error(given, wanted, "leave it without a domain")
    left_out = record.training.get("held_out", ())
    names = [(name, fold) for fold, fold_names in enumerate(split.folds) for name in fold_names if name not in left_out]
    if (count := len({fold for _, fold in names})) < FEWEST_FOLDS:
        given = f"a split whose patients lie in {count} folds"
        raise input_error(given, f"{FEWEST_FOLDS} or more, each held against the others", "divide them further")
    patients = []
    for n, (name, fold) in enumerate(names):
        progress(n / len(names), f"case {n + 1} of {len(names)}")
        patients.append(_look(folder / name, fold, split, record.modalities))
    edges = np.array([edge for p in patients for look in p.edges_mm for edge in look])
    volumes = [p.lesion_ml for p in patients]
    measured = [key for key in record.modalities if all(any(look.get(key) for look in p.looks) for p in patients)]
    domain = {
        "body_parts": [part.strip() for part in body_parts],
        "extent_mm": [round(edges.min() / WIDER), round(edges.max() * WIDER)],
        "lesion_ml": [round(min(volumes) / WIDER, 1), round(max(volumes) * WIDER, 1)],
        "needed": list(record.modalities),
        "patients": len(patients),
        "likeness": {key: _likeness(patients, key) for key in measured},
    }
    return domain, {key: false_alarms(patients, key) for key in measured}


def _look(folder: Path, fold: int, split: Split, modalities: Sequence[str]) -> Looked:
    case = load_whole(folder)
    if case.reference_mask is None or not case.reference_mask.array.any():
        raise input_error(f"the case {case.name} without a drawn lesion", "one to measure", "add it or leave it out")
    looks = (case, split.crop(case))
    found = tuple({m: features(c.volumes[m], c.valid[m]) for m in modalities if m in c.volumes} for c in looks)
    volume_ml = float(np.count_nonzero(case.reference_mask.array)) * case.grid.voxel_mm3 / 1000
    return Looked(case.name, fold, found, tuple(c.grid.extent_mm for c in looks), volume_ml)


def _likeness(patients: Sequence[Looked], key: str) -> dict[str, Any]:
    return {**usual(_images(patients, key)), "threshold": round(threshold(patients, key), 3)}


def threshold(patients: Sequence[Looked], key: str) -> float:
    """The farthest that a patient lies from what is usual in the other folds, and a little more."""
    return SLACK * max(
        _farthest(p, usual(_images([o for o in patients if o.fold != p.fold], key)), key) for p in patients
    )


def false_alarms(patients: Sequence[Looked], key: str) -> float:
    """The share of patients that lie beyond a threshold which their fold had no part in."""
    alarms = []
    for fold in sorted({p.fold for p in patients}):
        others = [p for p in patients if p.fold != fold]
        known, limit = usual(_images(others, key)), threshold(others, key)
        alarms += [_farthest(p, known, key) > limit for p in patients if p.fold == fold]
    return float(np.mean(alarms))


def _images(patients: Sequence[Looked], key: str) -> list[dict[str, float]]:
    return [look[key] for p in patients for look in p.looks if look.get(key)]


def _farthest(patient: Looked, known: Mapping[str, Any], key: str) -> float:
    return max((distance(look[key], known)[0] for look in patient.looks if look.get(key)), default=0.0)
