"""Masks in image files: label maps in NIfTI, NRRD and MetaImage, and 3D Slicer's .seg.nrrd.

The .seg.nrrd header fields (Segment0_Name, _LabelValue, _Layer) are those of vtkMRMLSegmentationStorageNode; segments
that overlap lie in several layers, the components of a vector image.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..core.checks import check_dimensions, check_finite, check_spacing
from ..core.errors import input_error
from ..core.grid import Grid
from ..core.volume import Volume
from .headers import read_complete, spacing_in_header
from .image_files import SUFFIXES
from .lesion_names import lesion_names

MAX_LABELS = 100  # more distinct values than any lesion mask has: an image taken for a mask


def is_label_map_name(name: str) -> bool:
    """Whether the file's extension is one that read_label_map reads."""
    return name.lower().endswith(SUFFIXES)


def stem_of(name: str) -> str:
    """The file name without .nii.gz, .seg.nrrd or the like ('.seg' stays: it says mask)."""
    suffix = max((s for s in SUFFIXES if name.lower().endswith(s)), key=len, default="")
    return name[: len(name) - len(suffix)]


def read_label_map(path: str | Path) -> Volume:
    """uint8 mask on the file's grid: every label above zero and all layers merged.

    Of a .seg.nrrd with several segments, those named as the lesion are merged, else all of them; a note says which.
    Raises InputError for a file that is missing, damaged, empty of voxels, or whose values are no labels.
    """
    path = Path(path)
    image, grid = _read(path)
    layers = _layers(image)
    _check_labels(layers, path.name)
    mask, notes = _merged(layers, _segments(image))
    if not mask.any():
        raise input_error(
            f"mask '{path.name}' without a voxel", "a mask that marks the lesion", "draw it, or choose another"
        )
    return Volume(mask.astype(np.uint8), grid, None, {"name": stem_of(path.name), "source": str(path), "notes": notes})


def _read(path: Path) -> tuple[sitk.Image, Grid]:
    if not path.is_file():
        raise input_error(f"mask '{path.name}' that is not there", "an existing mask file", "check the path")
    check_spacing(spacing_in_header(path)[:3], f"mask '{path.name}'")
    image = read_complete(path)
    first = image[:, :, :, 0] if image.GetDimension() == 4 else image
    if first.GetDimension() != 3:
        check_dimensions(first.GetSize(), f"mask '{path.name}'")
    return image, Grid.of(first)


def _layers(image: sitk.Image) -> np.ndarray:
    """[layer, k, j, i]: one layer, or those of a vector or 4D image, which may overlap."""
    array = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        return np.moveaxis(array, -1, 0)
    return array if array.ndim == 4 else array[None]


def _check_labels(layers: np.ndarray, name: str) -> None:
    check_finite(layers, f"mask '{name}'")
    values = np.unique(layers)
    if np.any(values != np.rint(values)) or values[0] < 0 or len(values) > MAX_LABELS:
        raise input_error(
            f"mask '{name}' with {len(values)} different values from {values[0]:g} to {values[-1]:g}",
            "whole-number labels from 0 on",
            "choose the label map, not an image or a probability map",
        )


def _segments(image: sitk.Image) -> dict[str, tuple[int, int]]:
    """Segment name -> (layer, label value) as 3D Slicer's header tells; empty for other files.

    Files from before layers existed give neither: one layer a segment, label 1.
    """
    segments: dict[str, tuple[int, int]] = {}
    several = image.GetNumberOfComponentsPerPixel() > 1
    while image.HasMetaDataKey(f"Segment{len(segments)}_ID"):
        n = len(segments)
        name = _field(image, n, "Name") or f"Segment {n}"
        layer = int(_field(image, n, "Layer") or (n if several else 0))
        segments[f"{name} ({n})" if name in segments else name] = (layer, int(_field(image, n, "LabelValue") or 1))
    return segments


def _field(image: sitk.Image, segment: int, field: str) -> str:
    key = f"Segment{segment}_{field}"
    return image.GetMetaData(key).strip() if image.HasMetaDataKey(key) else ""


def _merged(layers: np.ndarray, segments: dict[str, tuple[int, int]]) -> tuple[np.ndarray, list[str]]:
    """bool [k, j, i] and the note on what was merged."""
    chosen = lesion_names(segments)
    if chosen and len(chosen) < len(segments):
        parts = [layers[layer] == value for layer, value in (segments[name] for name in chosen)]
        return np.any(parts, axis=0), [f"Of {len(segments)} segments, {', '.join(chosen)} make up the mask."]
    mask = np.any(layers > 0, axis=0)
    count = len(segments) or len(np.unique(layers[layers > 0]))
    return mask, [f"{count} segments or labels were merged into one mask."] if count > 1 else []
