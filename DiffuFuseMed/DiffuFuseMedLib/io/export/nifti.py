"""A mask as a NIfTI label map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ...core.grid import Grid
from ...core.volume import Volume


def write_nifti_mask(mask: np.ndarray, grid: Grid, path: Path) -> None:
    """Write mask, bool [k, j, i], as uint8 (0, 1), compressed. Raises OSError when the disk refuses."""
    try:
        sitk.WriteImage(Volume(mask.astype(np.uint8), grid).to_sitk(), str(path), useCompression=True)
    except RuntimeError as cause:
        raise OSError("the disk refused the file") from cause
