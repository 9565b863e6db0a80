"""The Rois of a Case: by what its images are, head or body, in HU or in gray values, with or without a CT."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...core.case import Case
from ...core.errors import input_error
from ...core.modalities import is_mr, tracers
from ...core.rois import Rois
from .body import body_bone, body_inside, body_soft, without_truncation
from .head import BRAIN_OF_HEAD, head_bone, head_brain, head_soft, is_head
from .replace import replace_roi
from .stack import is_stack_of_pictures, stack_rois
from .thresholds import MODEL, RoiThresholds
from .tracer import tracer_rois


def automatic_rois(case: Case, lesion: np.ndarray | None = None, thresholds: RoiThresholds = MODEL) -> Rois:
    """The Rois on the case's grid, bool [k, j, i]; lesion: a mask [k, j, i] to take over, else empty.

    CT in HU: head or body in 3D. CT of gray values 0..255: slice by slice with the first MR. No CT: a tracer with the
    first MR. soft is anatomy: it reaches beyond the MR's field of view (Case.valid). Raises InputError where neither a
    CT nor a tracer with an MR is there, where nothing but air is, and for a lesion of another shape.
    """
    rois = _anatomy(case, thresholds)
    return rois if lesion is None else replace_roi(rois, "lesion", lesion, "the mask that was given", may_be_empty=True)


def _anatomy(case: Case, thresholds: RoiThresholds) -> Rois:
    mr = next((m for m in case.modalities if is_mr(m)), None)
    mri = None if mr is None else _array(case, mr)
    tracer = next((m for m in tracers() if m in case.modalities), None)
    if "CT" not in case.modalities:
        if tracer is None or mri is None:
            given = f"a case with {', '.join(case.modalities) or 'no image'}"
            raise input_error(given, "a CT, or PET or SPECT with an MR", "add the CT or give the masks as files")
        return tracer_rois(_array(case, tracer), mri)
    ct, valid = case.volumes["CT"].array, case.valid["CT"]
    if is_stack_of_pictures(ct, valid):
        return stack_rois(_array(case, "CT"), mri, thresholds)
    return _from_hu(np.where(valid & np.isfinite(ct), ct, np.float32(-1000)), case.grid.spacing_kji_mm, thresholds)


def _array(case: Case, modality: str) -> np.ndarray:
    return np.where(case.valid[modality], case.volumes[modality].array, np.float32(0))


def _from_hu(hu: np.ndarray, spacing_mm: tuple[float, float, float], thresholds: RoiThresholds) -> Rois:
    inside = body_inside(hu, spacing_mm)
    if not inside.any():
        raise input_error("a CT of air alone", "a CT of a patient", "check that its values are HU")
    if is_head(hu, spacing_mm, thresholds):
        brain = head_brain(hu, spacing_mm, thresholds) & inside
        if brain.sum() >= BRAIN_OF_HEAD * inside.sum():
            return _head(hu, inside, brain, spacing_mm, thresholds)
    bone = body_bone(without_truncation(hu, inside, spacing_mm, thresholds), inside, spacing_mm, thresholds)
    soft = body_soft(hu, inside, bone, float(np.prod(spacing_mm)) / 1000)
    source = {
        "soft": "CT in HU: inside the skin, without bone and gas",
        "bone": f"CT in HU: above {thresholds.bone_hu:g} HU, grown, closed and filled with its marrow",
    }
    return _rois(soft, bone, inside, "body", source, thresholds)


def _head(
    hu: np.ndarray,
    inside: np.ndarray,
    brain: np.ndarray,
    spacing_mm: tuple[float, float, float],
    thresholds: RoiThresholds,
) -> Rois:
    bone = head_bone(hu, inside, brain, spacing_mm, thresholds)
    source = {
        "soft": "CT in HU: brain, enclosed by bone",
        "bone": f"CT in HU: skull and jaw above {thresholds.bone_hu:g} HU",
    }
    return _rois(head_soft(brain, bone, spacing_mm, thresholds), bone, inside, "head", source, thresholds)


def _rois(
    soft: np.ndarray, bone: np.ndarray, inside: np.ndarray, region: str, source: dict, thresholds: RoiThresholds
) -> Rois:
    made = {name: f"{text} ({thresholds.name} thresholds)" for name, text in source.items()}
    made |= {"inside": "CT in HU: skin's inside, without table", "lesion": "none given"}
    return replace(Rois(soft, bone, np.zeros(inside.shape, bool), inside, region), source=made)
