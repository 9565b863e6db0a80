"""DICOM Segmentation objects (DICOM PS3.3, A.51 and C.8.20), read through highdicom."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from ...core.errors import InputError, input_error
from ...core.grid import Grid
from ...core.triples import triple
from ...core.volume import Volume
from ..mask_grid import LeftOut, mask_onto
from .reading import check_room, read_dataset, readable
from .seg_frames import FRACTION_INSIDE, check_frames, check_readable, segment_masks, segment_names
from .tags import value_of

if TYPE_CHECKING:  # Slicer's own Python has no highdicom: what reads no SEG does without
    import highdicom
    from highdicom.seg import Segmentation

log = logging.getLogger(__name__)
SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # binary and fractional, label map
MOST_AT_ONCE = 300  # each is a mask of the whole stack
Segments = Callable[[int, dict[str, str]], Volume]


def read_dicom_seg(
    path: str | Path, grid: Grid | None = None, labels: Collection[str] | None = None
) -> dict[str, Volume]:
    """Segment label -> uint8 mask on the file's own grid, or by nearest neighbor on `grid`. labels: those that are
    read, all where None.

    Binary, label map, and fractional segments (inside from one half on), frames in any order; omitted frames are empty.
    A segment that is empty or off the grid is left out with a sentence in meta["notes"]. What highdicom cannot read is
    read from its frames, where these say enough.
    Raises InputError where the file is no SEG, lies on no regular grid, or no segment is left; and for more than 300
    segments at once.
    """
    dataset = _dataset(path)
    check_frames(dataset)
    masks, left_out = {}, LeftOut()
    chosen = {n: label for n, label in segment_names(dataset).items() if labels is None or label in labels}
    if len(chosen) > MOST_AT_ONCE:
        raise input_error(f"{len(chosen)} segments of one SEG", f"at most {MOST_AT_ONCE} at once", "choose fewer")
    segments = _by_highdicom(path)
    if segments is None:
        segments = _by_frames(dataset, chosen)
    for number, label in chosen.items():
        try:
            mask = segments(number, {"name": label, "source": str(path)})
            masks[label] = mask_onto(mask, grid)
        except InputError as error:
            left_out.add(label, error)
    return left_out.note_on(masks)


def segment_labels(path: str | Path) -> tuple[str, ...]:
    """Labels of the segments in file order; a label given twice gets its segment number appended."""
    return tuple(segment_names(_dataset(path)).values())


def seg_referenced_series(path: str | Path) -> tuple[str, ...]:
    """Series Instance UIDs of the images that the segmentation says it was drawn on."""
    dataset = read_dataset(path, specific_tags=["ReferencedSeriesSequence"])
    return tuple(str(series.SeriesInstanceUID) for series in dataset.get("ReferencedSeriesSequence", []))


def _dataset(path: str | Path) -> Dataset:
    try:
        dataset = read_dataset(path)
    except InputError:
        raise
    except (InvalidDicomError, OSError, ValueError) as error:
        raise _no_seg("a file that is no readable DICOM SEG") from error
    if value_of(dataset, "SOPClassUID") not in SEG_CLASSES:
        raise _no_seg("a DICOM file of another kind")
    check_readable(dataset)
    check_room([dataset], "a DICOM SEG")
    return dataset


def _no_seg(given: str) -> InputError:
    return input_error(given, "a DICOM Segmentation object", "choose the SEG file of the study")


def _by_highdicom(path: str | Path) -> Segments | None:
    """How each segment is read; None where highdicom is not there, or cannot read the object, for whatever reason."""
    try:
        from highdicom.seg import segread

        seg = segread(readable(Path(path)))
        first = next(iter(seg.segment_numbers))
        known = {first: _volume(seg, path, first)}
    except Exception as error:  # it refuses what the standard wants and a mask does not need, in many kinds of error
        log.info("highdicom does not read this SEG: %s", type(error).__name__)
        return None
    fractional = seg.segmentation_type.value == "FRACTIONAL"

    def read(number: int, meta: dict[str, str]) -> Volume:
        volume = known.pop(number) if number in known else _even_volume(seg, path, number)
        return _segment(volume, fractional, meta)

    return read


def _volume(seg: Segmentation, path: str | Path, number: int) -> highdicom.Volume:
    """Of one segment, by an object of its own where the tables of the given one are held by an earlier question: they
    are until Python collects its garbage, always for a label map, now and then for others."""
    try:
        return seg.get_volume(segment_numbers=[number])
    except sqlite3.Error:
        from highdicom.seg import segread

        return segread(readable(Path(path))).get_volume(segment_numbers=[number])


def _by_frames(dataset: Dataset, chosen: Collection[int]) -> Segments:
    masks = segment_masks(dataset, chosen)
    frame = str(value_of(dataset, "FrameOfReferenceUID") or "")

    def read(number: int, meta: dict[str, str]) -> Volume:
        mask, grid = masks[number]
        _check_not_empty(mask)
        return Volume(mask, grid, None, {**meta, "frame_of_reference": frame})

    return read


def _check_not_empty(mask: np.ndarray) -> None:
    if not mask.any():
        raise input_error("an empty segment", "a segment with at least one voxel", "draw it, or choose another")


def _even_volume(seg: Segmentation, path: str | Path, number: int) -> highdicom.Volume:
    try:
        return _volume(seg, path, number)
    except (RuntimeError, ValueError) as error:
        raise input_error(
            "a SEG whose frames form no regular stack",
            "evenly spaced parallel frames",
            "export it again from its series",
        ) from error


def _segment(volume: highdicom.Volume, fractional: bool, meta: dict[str, str]) -> Volume:
    # Its axes run k, j, i: left-handed in that order is right-handed in ours.
    volume = volume.ensure_handedness("LEFT_HANDED", flip_axis=0)
    array = volume.array[..., 0]
    mask = np.ascontiguousarray(array >= FRACTION_INSIDE if fractional else array > 0).astype(np.uint8)
    _check_not_empty(mask)
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
