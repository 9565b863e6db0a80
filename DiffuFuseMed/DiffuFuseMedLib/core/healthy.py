"""Healthy: a case as it may look without its lesion, and how much that differs from what was imaged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .case import Case
from .volume import Volume

MARGIN_MM = 12.0  # around the paper's mask: PET shows a lesion that far beyond the border that is drawn


@dataclass(frozen=True)
class Healthy:
    """volumes: by modality that the inpainter knows, on the case's grid and in its units, changed inside `removed`
    alone, bool [k, j, i], and there only where the modality says anything. What is filled in is made up, not measured.
    """

    volumes: dict[str, Volume]
    removed: np.ndarray
    provenance: dict[str, Any] = field(default_factory=dict)

    def of(self, case: Case) -> Case:
        """The case, without anything drawn, with these images in the place of its own."""
        return replace(case.unscored(), volumes={**case.volumes, **self.volumes})

    def difference(self, case: Case) -> dict[str, np.ndarray]:
        """|image - healthy| by modality, float32 [k, j, i] in its units; 0 outside of `removed`."""
        changed = {m: self.removed & case.valid[m] for m in self.volumes}
        return {m: np.where(changed[m], np.abs(case.volumes[m].array - v.array), 0) for m, v in self.volumes.items()}
