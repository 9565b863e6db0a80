"""NRRD files with provenance in their header (teem.sourceforge.net/nrrd/format.html, key/value pairs)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..core.grid import Grid
from ..core.whole_file import not_whole
from .written_voxels import check_nrrd

PREFIX = "DiffuFuseMed_"


def provenance_header(provenance: dict[str, Any]) -> dict[str, str]:
    """The entries of provenance that are one word or number (model, sha256, seed ...), as NRRD key/value pairs."""
    plain = {key: value for key, value in provenance.items() if isinstance(value, (str, int, float, np.number))}
    return {PREFIX + key: " ".join(str(value).split()) for key, value in plain.items()}


def write_nrrd(array: np.ndarray, grid: Grid, path: Path, header: dict[str, str]) -> None:
    """Write array [k, j, i] or layers [k, j, i, layer] gzip-compressed in LPS and read it back. Raises OSError when the
    disk refuses."""
    image = sitk.GetImageFromArray(array, isVector=array.ndim == 4)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    for key, value in header.items():
        image.SetMetaData(key, value)
    try:
        sitk.WriteImage(image, str(path), useCompression=True)
    except RuntimeError as cause:
        raise not_whole(path) from cause
    check_nrrd(path, array)
