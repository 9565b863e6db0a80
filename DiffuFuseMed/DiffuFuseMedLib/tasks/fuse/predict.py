"""One case from its aligned volumes to its fusion: which MR, which ROIs, the fused volume, its scores, its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...core.case import Case
from ...core.fusion import ROI_NAMES, Fusion, Judgement, border_words
from ...core.presets import Preset, check_values
from ...metrics.fusion import score_volume
from ...preprocessing.fusion_limits import field_of_view_words, marrow_words
from ...preprocessing.fusion_sources import mr_keys, mr_of, with_one_mr
from ...preprocessing.rois import SCORING, Rois, automatic_rois, case_rois, read_roi, with_given
from . import Fuser, FusionCase, FusionSettings

Progress = Callable[[float, str], None]
FUSING = 0.85  # of the time that fuse_case takes


@dataclass(frozen=True)
class Wanted:
    """What a user asks of one fusion.

    settings, preset: as settings_of() makes them; mri: key of the MR to fuse, the case's first where None; files: mask
    files by ROI name that replace the automatic ones; lesion: bool [k, j, i], a Prediction's, where no file is given;
    whose: in words, whose lesion it is whose border gamma draws.
    """

    settings: FusionSettings
    preset: Preset | None = None
    mri: str | None = None
    files: dict[str, Path] = field(default_factory=dict)
    lesion: np.ndarray | None = None
    whose: str = "the lesion that was given"


def settings_of(preset: Preset | None, told: dict[str, Any]) -> FusionSettings:
    """The preset's settings, else the defaults, with the values of `told` that are not None in their place.

    told: fields of FusionSettings; "lambda1" to "lambda3" one by one. Raises InputError for a value out of its range.
    """
    start = FusionSettings.from_preset(preset) if preset else FusionSettings()
    given = {k: v for k, v in told.items() if v is not None}
    lambdas = tuple(given.pop(f"lambda{n}", weight) for n, weight in enumerate(start.lambdas, 1))
    settings = replace(start, **given, lambdas=lambdas)
    check_values(settings)
    return settings


def fuse_case(
    case: Case,
    fuser: Fuser,
    wanted: Wanted,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Fusion:
    """Fuse CT and MR of the case and score the result on ROIs made with other thresholds than the model's.

    Raises InputError for a case without CT or the wanted MR and for a mask file that cannot be used; CancelledError.
    """
    mri, pair = mr_of(case, wanted.mri), with_one_mr(case, wanted.mri)
    masks = {name: read_roi(file, case.grid) for name, file in wanted.files.items()}
    opened = fuser.open(pair, case_rois(pair, wanted.lesion, masks), wanted.settings)
    fused = fuser.volume(opened, wanted.settings, _scaled(progress, 0, FUSING), cancel)
    _tell(progress, FUSING, "scoring")
    found = judged(fused.image, opened, case, mri, wanted.lesion, masks)
    notes = (border_words(wanted.settings.gamma, bool(found.rois.lesion.any()), wanted.whose), *found.notes)
    return Fusion(case.grid, mri, fused, found.rois, wanted.settings, wanted.preset, found.metrics, notes)


def judged(
    image: np.ndarray,
    opened: FusionCase,
    case: Case,
    mri: str,
    lesion: np.ndarray | None = None,
    masks: Mapping[str, np.ndarray] | None = None,
) -> Judgement:
    """What a report says of a fused image, float32 [k, j, i] gray 0 to 1, beside its voxels, but for its flicker.

    opened: the case as it was fused; mri: key of its MR; lesion, masks: what case_rois() was given, which is not
    second-guessed: the other ROIs that are scored on are made with other thresholds than the model's.
    """
    pair = with_one_mr(case, mri)
    seen = with_given(automatic_rois(pair, thresholds=SCORING), lesion, masks)
    seen = replace(seen, soft=seen.soft & pair.valid[mri])  # beyond its field of view there is no MR to be like
    metrics = score_volume(image, opened.ct, opened.mri, seen, opened.rois)
    return Judgement(opened.rois, metrics, _notes(case, mri, opened.rois))


def _notes(case: Case, mri: str, rois: Rois) -> tuple[str, ...]:
    others = [m for m in mr_keys(case) if m != mri]
    notes = [f"{m} was not used: the fusion takes one MR, here {mri}." for m in others]
    limits = [field_of_view_words(case, mri), marrow_words(case, mri, rois.bone)]
    # why there is no lesion, border_words() says
    empty = [name for name in ROI_NAMES if name != "lesion" and not getattr(rois, name).any()]
    return (*notes, *filter(None, limits), *(f"The {name} region is empty." for name in empty))


def _scaled(progress: Progress | None, start: float, end: float) -> Progress | None:
    return (lambda share, what: progress(start + (end - start) * share, what)) if progress else None


def _tell(progress: Progress | None, share: float, what: str) -> None:
    if progress:
        progress(share, what)
