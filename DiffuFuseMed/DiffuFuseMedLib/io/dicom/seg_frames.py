"""Segments straight from a SEG's frames (DICOM PS3.3 A.51): for objects that lack what highdicom wants before it reads
one, such as dimension indices or an algorithm type, though each frame says which segment it is and where it lies."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from pydicom.dataset import Dataset

from ...core.errors import input_error
from ...core.grid import Grid
from ...core.triples import triple
from .entry_names import told_apart
from .frames import Frame, find_group, frames_of
from .pixels import stored_pixels
from .tags import number, numbers, required, value_of

WHAT = "a DICOM SEG"
FRACTION_INSIDE = 0.5
LARGEST_VOXELS = 1 << 31
MOST_SEGMENTS = 2000  # described in a file; programs that know every organ and its parts have some 300
MOST_ITEMS = 20 * MOST_SEGMENTS  # items in them, as codes are
MOST_SLICES = 10_000
ITEM = b"\xfe\xff\x00\xe0"
EVEN = 0.05  # of the slice distance
ROUNDED = 0.02  # of it: how far a stated distance may be off the frames' own places


def segment_names(dataset: Dataset) -> dict[int, str]:
    """Labels by segment number; one without a label is "segment 1", a label given twice gets its number appended."""
    items = required(dataset, "SegmentSequence", WHAT)
    numbered = ((int(number(item, "SegmentNumber", "a segment")), item) for item in items)
    named = ((key, str(value_of(item, "SegmentLabel") or f"segment {key}")) for key, item in numbered)
    return told_apart((key, name) for key, name in named if key != 0)  # 0 is a label map's background


def segment_masks(dataset: Dataset, chosen: Collection[int]) -> dict[int, tuple[np.ndarray, Grid]]:
    """uint8 [k, j, i] of each chosen segment, by number, on one grid; omitted frames are empty.

    Raises InputError for frames that do not say where they lie, or that lie on no regular grid.
    """
    frames = list(frames_of(dataset))
    pixels = stored_pixels(dataset).reshape(len(frames), int(dataset.Rows), int(dataset.Columns))
    grid, rows = _grid(frames, dataset)
    masks: dict[int, np.ndarray] = {key: np.zeros(grid.shape, np.uint8) for key in chosen}
    kind = str(required(dataset, "SegmentationType", WHAT)).strip().upper()
    for frame, plane, k in zip(frames, pixels, rows, strict=True):
        if kind == "LABELMAP":
            for key, mask in masks.items():
                mask[k] |= plane == key
        elif (key := _segment_of(dataset, frame)) in masks:
            masks[key][k] |= _marked(dataset, plane, kind)
    return {key: (mask, grid) for key, mask in masks.items()}


def _marked(dataset: Dataset, plane: np.ndarray, kind: str) -> np.ndarray:
    """uint8 [j, i]: the frame's voxels of its segment."""
    if kind == "FRACTIONAL":
        most = number(dataset, "MaximumFractionalValue", WHAT)
        return (plane >= FRACTION_INSIDE * most).astype(np.uint8)
    return (plane > 0).astype(np.uint8)


def _segment_of(dataset: Dataset, frame: Frame) -> int:
    group = find_group(dataset, frame.index or 0, "SegmentIdentificationSequence")
    found = None if group is None else numbers(group, "ReferencedSegmentNumber", 1)
    if found is None:
        raise input_error(f"{WHAT} whose frames do not name their segment", "a segment a frame", "export it again")
    return int(found[0])


def _grid(frames: list[Frame], dataset: Dataset) -> tuple[Grid, list[int]]:
    """The grid from the first frame's plane to the last one's, and the slice of each frame."""
    first = frames[0]
    normal = np.cross(first.row, first.column)
    if any(np.abs([*(f.row - first.row), *(f.column - first.column)]).max() > 1e-3 for f in frames):
        raise input_error(f"{WHAT} whose frames lie in different planes", "parallel frames", "export it again")
    depth_mm = np.array([frame.position_mm @ normal for frame in frames])
    step_mm = _step_mm(depth_mm, dataset)
    rows = (depth_mm - depth_mm.min()) / step_mm
    if np.abs(rows - np.rint(rows)).max() > EVEN:
        raise input_error(f"{WHAT} whose frames form no regular stack", "evenly spaced frames", "export it again")
    count = int(np.rint(rows.max())) + 1
    start = frames[int(depth_mm.argmin())].position_mm
    direction = np.stack([first.row, first.column, normal], axis=1).ravel()
    size = (int(dataset.Columns), int(dataset.Rows), count)
    if math.prod(size) > LARGEST_VOXELS:
        raise input_error(f"{WHAT} whose frames lie {count} slices apart", "one lesion's slices", "export it again")
    spacing = triple(float(s) for s in (*first.spacing_mm, step_mm))
    grid = Grid(size, spacing, triple(float(x) for x in start), tuple(float(c) for c in direction))
    return grid, [int(n) for n in np.rint(rows)]


def _step_mm(depth_mm: np.ndarray, dataset: Dataset) -> float:
    """The distance between slices: the stated one, made to fit the frames' own places; without one the smallest gap."""
    reach_mm, stated_mm = float(np.ptp(depth_mm)), _stated_step_mm(dataset)
    if stated_mm is not None and reach_mm < EVEN * stated_mm:
        return stated_mm
    if stated_mm is not None:
        fitting_mm = reach_mm / max(1, round(reach_mm / stated_mm))
        rows = (depth_mm - depth_mm.min()) / fitting_mm
        if abs(fitting_mm - stated_mm) < ROUNDED * stated_mm and np.abs(rows - np.rint(rows)).max() < EVEN:
            return fitting_mm
    gaps = np.diff(np.unique(np.round(depth_mm, 3)))
    if not len(gaps):
        raise input_error(f"{WHAT} of one slice that does not say how thick", "SpacingBetweenSlices", "export it again")
    return float(gaps.min())


def _stated_step_mm(dataset: Dataset) -> float | None:
    measures = find_group(dataset, 0, "PixelMeasuresSequence")
    for tag in ("SpacingBetweenSlices", "SliceThickness"):
        found = None if measures is None else numbers(measures, tag, 1)
        if found and found[0] > 0:
            return found[0]
    return None


def check_readable(dataset: Dataset) -> None:
    """Raises InputError that names what an object of the SEG class lacks to be one."""
    if not value_of(dataset, "PerFrameFunctionalGroupsSequence"):
        raise input_error(f"{WHAT} without frames that say what they are", "functional groups", "export it again")
    _check_segment_count(dataset)
    segment_names(dataset)
    required(dataset, "SegmentationType", WHAT)


def check_frames(dataset: Dataset) -> None:
    """Raises InputError for frames that belong to no segment, or that lie where no stack is. It takes a while where
    there are many, and who only asks for names does without."""
    _check_numbers(dataset)
    _check_extent(dataset)


def _check_segment_count(dataset: Dataset) -> None:
    """Raises InputError for more segments than anybody draws; by the bytes, before each is parsed, where there are so
    many that parsing alone takes minutes."""
    raw = getattr(dataset.get_item("SegmentSequence"), "value", None)
    many = raw.count(ITEM) if isinstance(raw, bytes) else 0
    count = many if many > MOST_ITEMS else len(value_of(dataset, "SegmentSequence") or ())
    if count > MOST_SEGMENTS:
        given = f"{WHAT} of more than {MOST_SEGMENTS} segments"
        raise input_error(given, "fewer", "export the lesion's segment alone")


def _check_numbers(dataset: Dataset) -> None:
    """Raises InputError where a voxel would belong to no segment, or to one of two: nothing tells which is meant."""
    described = [int(number(item, "SegmentNumber", "a segment")) for item in dataset.SegmentSequence]
    frames = len(dataset.PerFrameFunctionalGroupsSequence)
    said = numbers(dataset, "NumberOfFrames", 1)
    remedy = "copy or export it again"
    if said is not None and said[0] != frames:
        raise input_error(f"{WHAT} of {said[0]:.0f} frames that describes {frames}", "one number in both", remedy)
    if len(set(described)) < len(described):
        raise input_error(f"{WHAT} with two segments of one number", "a number a segment", remedy)
    groups = (find_group(dataset, index, "SegmentIdentificationSequence") for index in range(frames))
    named = (numbers(group, "ReferencedSegmentNumber", 1) for group in groups if group is not None)
    strays = {int(found[0]) for found in named if found is not None} - set(described)
    if strays:
        given = f"{WHAT} with frames of a segment {min(strays)} that it does not describe"
        raise input_error(given, "frames of its own segments", remedy)


def _check_extent(dataset: Dataset) -> None:
    """Raises InputError for frames so far from one another that no memory holds what lies between."""
    first = next(frames_of(dataset))
    places = [_place(dataset, index) for index in range(len(dataset.PerFrameFunctionalGroupsSequence))]
    depth_mm = np.array([place for place in places if place]) @ np.cross(first.row, first.column)
    reach_mm = float(np.ptp(depth_mm))
    count = 1 if reach_mm == 0 else reach_mm / _step_mm(depth_mm, dataset) + 1
    plane = number(dataset, "Rows", WHAT) * number(dataset, "Columns", WHAT)
    if count > MOST_SLICES or count * plane > LARGEST_VOXELS:
        given = f"{WHAT} whose {len(places)} frames lie over {reach_mm:.0f} mm, {count:.0f} slices of them"
        raise input_error(given, "a stack of one patient's slices", "export it again")


def _place(dataset: Dataset, index: int) -> tuple[float, ...] | None:
    """LPS mm; None for a frame without one, which is refused where it is read."""
    group = find_group(dataset, index, "PlanePositionSequence")
    return None if group is None else numbers(group, "ImagePositionPatient", 3)
