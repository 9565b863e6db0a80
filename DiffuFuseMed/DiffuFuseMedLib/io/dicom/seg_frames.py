"""Segments straight from a SEG's frames (DICOM PS3.3 A.51): for objects that lack what highdicom wants before it reads
one, such as dimension indices or an algorithm type, though each frame says which segment it is and where it lies."""

from __future__ import annotations

import math

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
EVEN = 0.05  # of the slice distance
ROUNDED = 0.02  # of it: how far a stated distance may be off the frames' own places


def segment_names(dataset: Dataset) -> dict[int, str]:
    """Labels by segment number; one without a label is "segment 1", a label given twice gets its number appended."""
    items = required(dataset, "SegmentSequence", WHAT)
    numbered = ((int(number(item, "SegmentNumber", "a segment")), item) for item in items)
    named = ((key, str(value_of(item, "SegmentLabel") or f"segment {key}")) for key, item in numbered)
    return told_apart((key, name) for key, name in named if key != 0)  # 0 is a label map's background


def segment_masks(dataset: Dataset) -> dict[int, tuple[np.ndarray, Grid]]:
    """uint8 [k, j, i] by segment number, on one grid; omitted frames are empty.

    Raises InputError for frames that do not say where they lie, or that lie on no regular grid.
    """
    frames = list(frames_of(dataset))
    pixels = stored_pixels(dataset).reshape(len(frames), int(dataset.Rows), int(dataset.Columns))
    grid, rows = _grid(frames, dataset)
    masks: dict[int, np.ndarray] = {key: np.zeros(grid.shape, np.uint8) for key in segment_names(dataset)}
    for key, mask in masks.items():
        for frame, plane, k in zip(frames, pixels, rows, strict=True):
            mask[k] |= _is_of(dataset, frame, plane, key)
    return {key: (mask, grid) for key, mask in masks.items()}


def _is_of(dataset: Dataset, frame: Frame, plane: np.ndarray, segment: int) -> np.ndarray:
    """uint8 [j, i]: the frame's voxels of the segment."""
    kind = str(required(dataset, "SegmentationType", WHAT)).strip().upper()
    if kind == "LABELMAP":
        return (plane == segment).astype(np.uint8)
    if _segment_of(dataset, frame) != segment:
        return np.zeros(plane.shape, np.uint8)
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
    segment_names(dataset)
    required(dataset, "SegmentationType", WHAT)
