"""Registered pairs in memory: cases with CT and MR, and folders of 8-bit slice pairs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from ...core.case import Case
from ...io.picture_pairs import PictureFiles, list_pairs, read_pair
from ...preprocessing.gray import ct_gray, mr_gray
from ...preprocessing.rois import Rois, automatic_rois, picture_rois, tracer_rois
from ...training.fingerprint import fingerprint


@dataclass(frozen=True)
class Stack:
    """mri: (K, H, W) gray 0..1; cts: the CT the same, once per window that it may be shown in; masks: bool (4, K, H, W)
    of soft, bone, lesion, valid; tracer: whether "ct" is a PET or SPECT; flat: slices are single pictures."""

    name: str
    mri: np.ndarray
    cts: tuple[np.ndarray, ...]
    masks: np.ndarray
    spacing_kji_mm: tuple[float, float, float]
    tracer: bool = False
    flat: bool = False

    def fingerprint(self) -> str:
        """What tells this stack from another, or from itself read from changed files."""
        return fingerprint(self.name, self.mri, *self.cts, self.masks, str((self.spacing_kji_mm, self.tracer)))


def case_stack(case: Case, mri: str, windows_hu: tuple[tuple[float, float], ...]) -> Stack:
    """A case with a CT in HU; its drawn lesion, where there is one, is the lesion ROI."""
    lesion = None if case.reference_mask is None else case.reference_mask.array > 0
    rois = automatic_rois(case, lesion)
    cts = tuple(ct_gray(case.volumes["CT"], case.valid["CT"], w) for w in windows_hu)
    masks = _masks(rois, case.valid[mri])
    return Stack(case.name, mr_gray(case.volumes[mri], case.valid[mri]), cts, masks, case.grid.spacing_kji_mm)


def _masks(rois: Rois, valid: np.ndarray) -> np.ndarray:
    return np.stack([rois.soft, rois.bone, rois.lesion, valid])


def pair_stacks(folder: Path, left_out: tuple[str, ...] = (), only: bool = False) -> list[Stack]:
    """The series of a folder of pairs without those left out, or only these. Raises InputError as data.pairs does."""
    groups = groupby(list_pairs(folder), lambda pair: (pair.kind, pair.series))
    return [_pair_stack(f"{kind}-MRI {name}", list(g)) for (kind, name), g in groups if (name in left_out) == only]


def _pair_stack(name: str, files: list[PictureFiles]) -> Stack:
    pairs, tracer = [read_pair(f) for f in files], files[0].tracer
    mri, other = np.stack([p.mri for p in pairs]), np.stack([p.other for p in pairs])
    rois = [tracer_rois(b, a) if tracer else picture_rois(b, a) for a, b in zip(mri, other, strict=True)]
    masks = np.stack([_masks(r, np.ones(m.shape, bool)) for r, m in zip(rois, mri, strict=True)], axis=1)
    return Stack(name, mri, (other,), masks, (1.0, 1.0, 1.0), tracer, flat=True)
