"""DICOM Segmentation objects (DICOM PS3.3, A.51 and C.8.20), read through highdicom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from ...core.errors import InputError, input_error
from ...core.grid import Grid
from ...core.triples import triple
from ...core.volume import Volume
from ..mask_grid import LeftOut, mask_onto

if TYPE_CHECKING:  # Slicer's own Python has no highdicom: what reads no SEG does without
    import highdicom
    from highdicom.seg import Segmentation

FRACTION_INSIDE = 0.5


def read_dicom_seg(path: str | Path, grid: Grid | None = None) -> dict[str, Volume]:
    """Segment label -> uint8 mask on the file's own grid, or by nearest neighbor on `grid`.

    Binary, label map, and fractional segments (inside from one half on), frames in any order; omitted frames are empty.
    A segment that is empty or off the grid is left out with a sentence in meta["notes"].
    Raises InputError where the file is no SEG, lies on no regular grid, or no segment is left.
    """
    seg = _open(path)
    masks, left_out = {}, LeftOut()
    for number, label in _labels(seg).items():
        try:
            mask = _segment(seg, number, {"name": label, "source": str(path)})
            masks[label] = mask_onto(mask, grid)
        except InputError as error:
            left_out.add(label, error)
    return left_out.note_on(masks)


def segment_labels(path: str | Path) -> tuple[str, ...]:
    """Labels of the segments in file order; a label given twice gets its segment number appended."""
    return tuple(_labels(_open(path)).values())


def seg_referenced_series(path: str | Path) -> tuple[str, ...]:
    """Series Instance UIDs of the images that the segmentation says it was drawn on."""
    dataset = pydicom.dcmread(path, specific_tags=["ReferencedSeriesSequence"])
    return tuple(str(series.SeriesInstanceUID) for series in dataset.get("ReferencedSeriesSequence", []))


def _open(path: str | Path) -> Segmentation:
    try:
        from highdicom.seg import segread
    except ImportError as error:
        given = "a DICOM SEG, in a Python without the package highdicom"
        raise input_error(given, "that package to read it", "give the mask as NIfTI or NRRD instead") from error
    try:
        return segread(path)
    except (InvalidDicomError, OSError, ValueError, AttributeError) as error:
        raise input_error(
            "a file that is no readable DICOM SEG", "a DICOM Segmentation object", "choose the SEG file of the study"
        ) from error


def _labels(seg: Segmentation) -> dict[int, str]:
    labels: dict[int, str] = {}
    for number in seg.segment_numbers:
        label = str(seg.get_segment_description(number).segment_label).strip()
        labels[number] = f"{label} ({number})" if label in labels.values() else label
    return labels


def _segment(seg: Segmentation, number: int, meta: dict[str, str]) -> Volume:
    try:
        volume = seg.get_volume(segment_numbers=[number])
    except (RuntimeError, ValueError) as error:
        raise input_error(
            "a SEG whose frames form no regular stack",
            "evenly spaced parallel frames",
            "export it again from its series",
        ) from error
    # Its axes run k, j, i: left-handed in that order is right-handed in ours.
    volume = volume.ensure_handedness("LEFT_HANDED", flip_axis=0)
    array = volume.array[..., 0]
    fractional = seg.segmentation_type.value == "FRACTIONAL"
    mask = np.ascontiguousarray(array >= FRACTION_INSIDE if fractional else array > 0).astype(np.uint8)
    if not mask.any():
        raise input_error("an empty segment", "a segment with at least one voxel", "draw it, or choose another")
    frame = str(volume.frame_of_reference_uid or "")
    return Volume(mask, _grid(volume), None, {**meta, "frame_of_reference": frame})


def _grid(volume: highdicom.Volume) -> Grid:
    """highdicom's axes run slice, row, column, as the array's k, j, i do; its affine is LPS."""
    cosines = np.column_stack(volume.unit_vectors()[::-1])
    return Grid(
        triple(int(n) for n in volume.spatial_shape[::-1]),
        triple(float(s) for s in volume.spacing[::-1]),
        triple(float(x) for x in volume.position),
        tuple(float(c) for c in cosines.ravel()),
    )
