"""What is taken out of a lesion's images: its mask, a little wider (Diff4MMLiTS, III.A)."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ...core.case import Case
from ...core.healthy import MARGIN_MM
from ...preprocessing.rois.shapes import dilated
from ...systems.diff4mmlits.inpainter_slices import body_of

CLOSING, DILATION = np.ones((1, 5, 5), bool), np.ones((1, 3, 3), bool)


def removal_mask(
    lesion: np.ndarray,
    spacing_kji_mm: tuple[float, float, float],
    margin_mm: float = 0.0,
    body: np.ndarray | None = None,
) -> np.ndarray:
    """bool [k, j, i]: the lesion closed 5 x 5 and dilated 3 x 3 once, slice by slice, in voxels as the paper has it.

    margin_mm: dilated by as much again in all directions, for images whose lesion reaches beyond the drawn one, as
    PET's does by its point spread; inside the body, bool [k, j, i], where it is given: outside is nothing to fill.
    """
    rim = [(0, 0), (2, 2), (2, 2)]  # closing would eat what touches the edge
    closed = ndimage.binary_closing(np.pad(lesion > 0, rim), CLOSING)[:, 2:-2, 2:-2]
    widened = ndimage.binary_dilation(closed, DILATION)
    if margin_mm <= 0:
        return widened
    around = dilated(widened, margin_mm, spacing_kji_mm)
    return widened | (around if body is None else around & body)


def removal_mask_in(case: Case, lesion: np.ndarray, margin_mm: float = MARGIN_MM) -> np.ndarray:
    """removal_mask() of a lesion, bool [k, j, i], in this case, inside its body."""
    return removal_mask(lesion, case.grid.spacing_kji_mm, margin_mm, body_of(case))
