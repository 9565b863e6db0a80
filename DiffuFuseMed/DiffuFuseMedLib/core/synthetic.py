"""Synthetic: a case with a tumor that no patient has, and what it was made from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .case import Case
from .volume import Volume

WORD = "synthetic"  # in the name, header and record of every file
WARNING = "The tumor in these images is synthetic: a network made it up, no patient has it."


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
