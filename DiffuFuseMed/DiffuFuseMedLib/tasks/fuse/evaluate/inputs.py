"""What the fusion is given under a condition: the MRI misplaced, the masks replaced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ....core.errors import input_error
from ....preprocessing.rois import Rois, replace_roi
from .conditions import Condition
from .misregistration import moved, shift_of, warped


def misplaced(picture: np.ndarray, condition: Condition, name: str, spacing_mm: tuple[float, float]) -> np.ndarray:
    """The MRI (..., H, W) as the condition wants it; a bool mask stays one."""
    given = picture.astype(np.float32)
    if condition.shift_mm:
        given = moved(given, shift_of(name, condition.settings.seed, condition.shift_mm, spacing_mm))
    if condition.warp_px:
        given = warped(given, condition.warp_px, name, condition.settings.seed)
    return given > 0.5 if picture.dtype == bool else given


def masks_of(condition: Condition, automatic: Rois, scoring: Rois, lesion: np.ndarray | None = None) -> Rois:
    """The Rois that the model is given; the lesion only where the condition gives it."""
    if condition.masks == "none":
        nothing = np.zeros_like(automatic.inside)
        return replace(automatic, soft=nothing, bone=nothing, lesion=nothing)
    rois = {"model": automatic, "scoring": scoring}[condition.masks]
    if condition.lesion and lesion is not None:
        return replace_roi(rois, "lesion", lesion, "the reference mask", may_be_empty=True)
    return rois


def of_series(names: list[str], wanted: list[str] | None) -> list[str]:
    """The wanted ones of the series that are there. Raises InputError for one that is not."""
    if missing := [name for name in wanted or () if name not in names]:
        there = ", ".join(dict.fromkeys(names))
        raise input_error(f"the series {missing[0]!r}", f"some of those there ({there})", "correct --series")
    return list(dict.fromkeys(wanted or names))
