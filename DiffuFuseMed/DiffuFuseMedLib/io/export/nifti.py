"""A mask as a NIfTI label map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ...core.grid import Grid
from ...core.volume import Volume
from ...core.whole_file import not_whole
from ..written_voxels import check_nifti


def write_nifti_mask(mask: np.ndarray, grid: Grid, path: Path) -> None:
    """Write mask, bool [k, j, i], as uint8 (0, 1) to a .nii.gz, and read it back. Raises OSError when the disk
    refuses."""
    labels = mask.astype(np.uint8)
    try:
        sitk.WriteImage(Volume(labels, grid).to_sitk(), str(path), useCompression=True)
    except RuntimeError as cause:
        raise not_whole(path) from cause
    check_nifti(path, labels)
