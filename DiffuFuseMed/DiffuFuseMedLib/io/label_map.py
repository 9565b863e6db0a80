"""Masks in image files: label maps in NIfTI, NRRD and MetaImage, and 3D Slicer's .seg.nrrd.

The .seg.nrrd header fields (Segment0_Name, _LabelValue, _Layer) are those of vtkMRMLSegmentationStorageNode; segments
that overlap lie in several layers, the components of a vector image.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..core.checks import check_dimensions, check_finite, check_spacing
from ..core.errors import InputError, input_error
from ..core.grid import Grid
from ..core.printable import printable_name
from ..core.volume import Volume
from .headers import read_complete, spacing_in_header
from .image_files import SUFFIXES
from .lesion_names import lesion_names

SEGMENT_KEY = re.compile(r"Segment([0-9]{1,6})_(?:ID|Name|LabelValue|Layer)")
LARGEST_LABEL = 2**53  # what every type of voxel can be compared with
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
    Raises InputError for a file that is missing, damaged, empty of voxels, or whose values are no labels, and for a
    lesion's segment of which the header says no layer and label that the file has.
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
    if mask.all():
        notes.append(f"Warning: the mask '{path.name}' marks every voxel of its image, which no lesion fills.")
    return Volume(mask.astype(np.uint8), grid, None, {"name": stem_of(path.name), "source": str(path), "notes": notes})


def read_labels(path: Path) -> Volume:
    """The labels of a file of one layer as they are, on its grid; all of them may be 0. Raises InputError as
    read_label_map() does, and for several layers."""
    image, grid = _read(path)
    layers = _layers(image)
    _check_labels(layers, path.name)
    if len(layers) > 1:
        given = f"mask '{path.name}' of {len(layers)} layers"
        raise input_error(given, "one label a voxel", "take the set as it is downloaded")
    return Volume(layers[0], grid, None, {"name": stem_of(path.name), "source": str(path)})


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


@dataclass(frozen=True)
class _Segment:
    """What 3D Slicer's header says of one, as written; "" for what it does not say."""

    number: int
    layer: str
    label: str


def _segments(image: sitk.Image) -> dict[str, _Segment]:
    """By name, in the order of their numbers, which may have gaps; empty for files that are not of 3D Slicer."""
    numbers = sorted({int(found[1]) for key in image.GetMetaDataKeys() if (found := SEGMENT_KEY.fullmatch(key))})
    segments: dict[str, _Segment] = {}
    for n in numbers:
        name = printable_name(_field(image, n, "Name")) or f"Segment {n}"
        name = f"{name} ({n})" if name in segments else name
        segments[name] = _Segment(n, _field(image, n, "Layer"), _field(image, n, "LabelValue"))
    return segments


def _field(image: sitk.Image, segment: int, field: str) -> str:
    key = f"Segment{segment}_{field}"
    return image.GetMetaData(key).strip() if image.HasMetaDataKey(key) else ""


def _merged(layers: np.ndarray, segments: dict[str, _Segment]) -> tuple[np.ndarray, list[str]]:
    """bool [k, j, i] and the notes on what was merged. Raises InputError for a lesion's segment that is nowhere."""
    chosen = lesion_names(segments) or (tuple(segments) if len(segments) == 1 else ())
    if not chosen:
        drawn = sum(1 for layer in layers if layer.any())
        if not segments and drawn > 1:
            return np.any(layers > 0, axis=0), [f"The mask is the union of {drawn} volumes of its file."]
        count = len(segments) or len(np.unique(layers[layers > 0]))
        return np.any(layers > 0, axis=0), _merging(count)
    parts = {name: _voxels(layers, segments[name], name, len(segments)) for name in chosen}
    empty = [name for name, part in parts.items() if not part.any()]
    if len(empty) == len(parts) and layers.any():
        label = segments[empty[0]].label
        raise _nowhere(empty[0], f"whose label {label[:20]} no voxel has" if label else "without a voxel")
    mask = np.any(list(parts.values()), axis=0)
    of = [f"Of {len(segments)} segments, {', '.join(chosen)} make up the mask."]
    notes = of if len(chosen) < len(segments) else _merging(len(chosen))
    notes += [f"The segment '{name}' is empty." for name in empty]
    if len(segments) == 1 and (layers.any(axis=0) & ~mask).any():
        notes.append(f"Voxels of labels that are not those of '{chosen[0]}' were left out of the mask.")
    return mask, notes


def _merging(count: int) -> list[str]:
    return [f"{count} segments or labels were merged into one mask."] if count > 1 else []


def _voxels(layers: np.ndarray, segment: _Segment, name: str, count: int) -> np.ndarray:
    """bool [k, j, i]. Files from before layers existed say neither: one layer a segment, whatever is above zero."""
    layer = _number(segment.layer, name, "Layer") if segment.layer else (segment.number if len(layers) > 1 else 0)
    if not 0 <= layer < len(layers):
        raise _nowhere(name, f"in layer {layer}, of {len(layers)} from 0 on")
    if not segment.label:
        if count > 1 and len(layers) == 1:
            raise _nowhere(name, "without a LabelValue, beside others in its layer")
        return layers[layer] > 0
    label = _number(segment.label, name, "LabelValue")
    if label < 1:
        raise _nowhere(name, f"whose LabelValue is {label}, which is no segment's")
    return layers[layer] == min(label, LARGEST_LABEL)


def _number(text: str, name: str, field: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,30}", text):
        raise _nowhere(name, f"whose {field} is '{text[:20]}', no whole number")
    return int(text)


def _nowhere(name: str, why: str) -> InputError:
    remedy = "save the segmentation again, or as a label map of the lesion alone"
    return input_error(f"the segment '{name[:60]}' {why}", "a segment that the file tells the voxels of", remedy)
