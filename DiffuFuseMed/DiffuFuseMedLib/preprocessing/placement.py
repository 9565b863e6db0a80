"""Images of a case moved after it was opened: by a registration that was asked for, and by hand after that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..core.case import Alignment, Case
from ..core.errors import input_error
from ..core.pose import Pose
from ..core.resampling import onto
from .misfit import with_misfits
from .register import Registration, mutual_information, register_rigid


@dataclass(frozen=True)
class Placement:
    """registered, moved: six numbers of a Pose by modality; the second comes on top of the first."""

    registered: Mapping[str, Any]
    moved: Mapping[str, Any]

    def matrix(self, key: str, case: Case) -> np.ndarray | None:
        """4 x 4 LPS from where a point of the image was opened to where it is; None where it was not moved."""
        poses = [Pose.of(part[key]) for part in (self.registered, self.moved) if key in part]
        if all(pose.is_still for pose in poses):
            return None
        matrix = np.eye(4)
        for pose in poses:
            matrix = pose.matrix(case.grid) @ matrix
        return matrix

    def notes(self, key: str, case: Case) -> tuple[str, ...]:
        """What the report says of it."""
        parts = (
            (self.registered, f"registered to {case.reference} by the reader's wish, which moved it"),
            (self.moved, "moved by the reader by hand"),
        )
        poses = [(Pose.of(part[key]), how) for part, how in parts if key in part]
        return tuple(f"{how}: {pose.words()}" for pose, how in poses if not pose.is_still)


def placed(case: Case, placement: Placement) -> Case:
    """The case as it was opened with its images where the placement has them, judged anew (misfit.py).

    Each is resampled once, from the voxels it was opened with; what comes from beyond the case's grid is missing.
    Raises InputError for an image that would leave the grid.
    """
    matrices = {key: placement.matrix(key, case) for key in case.modalities if key != case.reference}
    moved = {key: _moved(case, key, matrix) for key, matrix in matrices.items() if matrix is not None}
    if not moved:
        return case
    noted = {key: placement.notes(key, case) for key in moved}
    result = replace(
        case,
        volumes=case.volumes | {key: parts[0] for key, parts in moved.items()},
        valid=case.valid | {key: parts[1] for key, parts in moved.items()},
    )
    return with_misfits(replace(result, alignment=case.alignment | _alignments(result, case, matrices, noted)))


def registration_pose(case: Case, key: str) -> tuple[Pose, Registration]:
    """The rigid motion that brings an image of the case, as it was opened, onto the reference; the same each time.
    Raises InputError as register_rigid() does, and for the reference itself."""
    check_movable(case, key)
    fixed, moving = case.volumes[case.reference], case.volumes[key]
    found = register_rigid(fixed, moving, valid=(case.valid[case.reference], case.valid[key]))
    return Pose.of_matrix(found.matrix_moving_to_reference, case.grid), found


def check_movable(case: Case, key: str) -> None:
    """Raises InputError for an image that the case does not have, and for its reference."""
    movable = [other for other in case.modalities if other != case.reference]
    if key not in movable:
        wanted = f"one of {', '.join(movable)}" if movable else "a case with an image beside its reference"
        raise input_error(f"the image {key[:40]!r} to move", wanted, "choose an image beside the reference")


def _moved(case: Case, key: str, matrix: np.ndarray) -> tuple[Any, np.ndarray]:
    volume, valid = onto(case.volumes[key], case.grid, _to_opened(matrix), case.valid[key])
    if not valid.any():
        raise input_error(f"{key} moved out of the case", "an image that overlaps the reference", "move it back")
    return volume, valid


def _to_opened(matrix: np.ndarray) -> sitk.AffineTransform:
    """What ITK resamples with: from a point of the grid to the place in the image as it was opened."""
    inverse = np.linalg.inv(matrix)
    return sitk.AffineTransform(inverse[:3, :3].ravel().tolist(), inverse[:3, 3].tolist())


def _alignments(
    case: Case, opened: Case, matrices: Mapping[str, np.ndarray | None], noted: Mapping[str, tuple[str, ...]]
) -> dict[str, Alignment]:
    reference, found = case.reference, {}
    for key, notes in noted.items():
        both = (case.valid[reference], case.valid[key])
        fit = mutual_information(case.volumes[reference], case.volumes[key], valid=both)
        before = opened.alignment.get(key) or Alignment(False, np.eye(4), fit, 1.0)
        matrix = matrices[key] @ before.moving_to_reference
        overlap = float(case.valid[key].mean())
        found[key] = Alignment(before.registered, matrix, fit, overlap, (*before.notes, *notes))
    return found
