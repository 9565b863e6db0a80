"""Synthetic: a case with a tumor that no patient has, and what it was made from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .case import Case
from .errors import input_error
from .volume import Volume

WORD = "synthetic"  # in the name, header and record of every file
WARNING = "The tumor in these images is synthetic: a network made it up, no patient has it."
DESCRIPTION = f"{WORD} tumor, made up by a network"  # of NIfTI's descrip, which has room for 79 characters


@dataclass(frozen=True)
class Synthetic:
    """volumes: by modality, on the case's grid and in its units; mask: bool [k, j, i], the tumor; changed: bool, every
    voxel that may differ from the case; wanted, measured: the appearance that was drawn, and that of the images."""

    volumes: dict[str, Volume]
    mask: np.ndarray
    changed: np.ndarray
    wanted: dict[str, float] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def of(self, case: Case) -> Case:
        """The case with these images, and the synthetic tumor as its drawn lesion."""
        drawn = Volume(self.mask.astype(np.uint8), case.grid, None, {"name": f"{WORD} tumor"})
        volumes = {**case.volumes, **self.volumes}
        notes = (*case.notes, WARNING)
        return replace(case, volumes=volumes, reference_mask=drawn, references={}, notes=notes)


def is_synthetic(case: Case) -> bool:
    """Whether the case, or a file that it was read from, says that a tumor in it is made up: the sentence goes with the
    notes wherever the case goes."""
    notes = [*case.notes, *(note for volume in case.volumes.values() for note in volume.meta.get("notes", ()))]
    return any(WARNING in note for note in notes)


def check_no_dicom(case: Case) -> None:
    """Raises InputError for a case that is_synthetic(): a DICOM file of it would be one of a patient who has no such
    tumor."""
    if is_synthetic(case):
        given = f"the case {case.name}, whose tumor is {WORD}"
        raise input_error(given, "a patient's own images for DICOM", "export it as NIfTI or .seg.nrrd")
