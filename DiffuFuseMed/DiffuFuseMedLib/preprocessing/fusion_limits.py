"""What a fused picture cannot show of its sources, in words: where the MR ends, and what of bone only the MR shows."""

from __future__ import annotations

import numpy as np

from ..core.case import Case
from ..core.modalities import title_of

TISSUE_HU = -300.0
WHOLE = 0.995  # of the tissue: what is missing then is a rim that nobody looks for
MARROW_HU = 150.0  # below it bone is no cortex
LEAST_MARROW_ML = 1.0
MARROW = "Bone, marrow included, is as gray as on the CT: at no beta does marrow look as on {mri}, judge it there"


def mr_coverage(case: Case, mri: str) -> float:
    """The share of the CT's tissue that the MR's field of view covers, 0 to 1; 1 for a CT of air alone."""
    ct = case.volumes["CT"].array
    tissue = (ct > TISSUE_HU) & case.valid["CT"]
    there = int(np.count_nonzero(tissue))
    return np.count_nonzero(tissue & case.valid[mri]) / there if there else 1.0


def field_of_view_words(case: Case, mri: str) -> str:
    """One sentence, empty where the MR covers the tissue that the CT shows."""
    covered = mr_coverage(case, mri)
    if covered >= WHOLE:
        return ""
    beyond = "beyond its field of view the fused picture is the CT alone"
    return f"{title_of(mri)} covers {100 * covered:.0f} % of the tissue: {beyond}."


def marrow_words(case: Case, mri: str, bone: np.ndarray | None = None) -> str:
    """One sentence; bone: bool [k, j, i], to say how much marrow it is about, and nothing where there is none."""
    sentence = MARROW.format(mri=title_of(mri))
    if bone is None:
        return f"{sentence}."
    marrow = bone & case.valid[mri] & (case.volumes["CT"].array < MARROW_HU)
    ml = np.count_nonzero(marrow) * case.grid.voxel_mm3 / 1000
    return f"{sentence} ({ml:.0f} mL)." if ml >= LEAST_MARROW_ML else ""
