"""Frames in any order to one array on one Grid; a stack that no Grid can describe is refused with its reason."""

from __future__ import annotations

import numpy as np

from ...core.errors import input_error
from ...core.grid import Grid
from ...core.triples import triple
from .frames import Frame

# Positions and cosines are decimal strings: their rounding stays below these.
COSINE_TOLERANCE = 1e-3
POSITION_TOLERANCE_MM = 0.1
# How far a slice may lie from where even steps put it: positions are rounded to a tenth of a millimeter, and scanners'
# tables are no better than a few hundredths of the step.
OFF_STEP_MM, OFF_STEP, MOST_OFF_STEP = 0.07, 0.03, 0.2


def ordered(frames: list[Frame], name: str) -> list[Frame]:
    """The frames along the slice normal, row x column. Raises InputError unless they share size, plane and spacing."""
    if len(frames) < 2:
        raise input_error(f"{name} with 1 slice", "a stack of at least 2 slices", "load the whole series")
    first = frames[0]
    for frame in frames[1:]:
        _check_alike(first, frame, name)
    normal = np.cross(first.row, first.column)
    return sorted(frames, key=lambda frame: float(frame.position_mm @ normal))


def stack_grid(frames: list[Frame], name: str) -> Grid:
    """The Grid of ordered frames. Raises InputError for duplicate, missing, uneven or sheared slices."""
    first = frames[0]
    normal = np.cross(first.row, first.column)
    positions = np.array([frame.position_mm for frame in frames])
    depth_mm = (positions - positions[0]) @ normal
    _check_duplicates(depth_mm, name)
    _check_gaps(depth_mm, name)
    _check_shear(positions - positions[0] - np.outer(depth_mm, normal), first, name)
    step_mm = float(depth_mm[-1] / (len(frames) - 1))
    direction = np.stack([first.row, first.column, normal], axis=1)
    size = (int(first.dataset.Columns), int(first.dataset.Rows), len(frames))
    origin = triple(float(x) for x in positions[0])
    return Grid(size, (*first.spacing_mm, step_mm), origin, tuple(float(x) for x in direction.ravel()))


def _check_alike(first: Frame, other: Frame, name: str) -> None:
    turn = max(np.abs(first.row - other.row).max(), np.abs(first.column - other.column).max())
    if turn > COSINE_TOLERANCE:
        remedy = "load one orientation as its own series"
        raise input_error(f"{name} with slices in different orientations", "parallel slices", remedy)
    same_size = (first.dataset.Rows, first.dataset.Columns) == (other.dataset.Rows, other.dataset.Columns)
    if not same_size or not np.allclose(first.spacing_mm, other.spacing_mm, rtol=1e-3):
        wanted = "one size and one PixelSpacing"
        raise input_error(f"{name} with slices of different size or pixel spacing", wanted, "load one stack only")


def _check_duplicates(depth_mm: np.ndarray, name: str) -> None:
    same = int(np.count_nonzero(np.diff(depth_mm) < 1e-3))
    if same:
        given = f"{name} with {same} slices at the position of another (duplicates, echoes or time points)"
        raise input_error(given, "one slice per position", "load a single echo or time point")


def _check_gaps(depth_mm: np.ndarray, name: str) -> None:
    gaps = np.diff(depth_mm)
    usual = float(np.median(gaps))
    steps = np.arange(len(depth_mm))
    even = np.polyval(np.polyfit(steps, depth_mm, 1), steps)
    if np.abs(depth_mm - even).max() <= min(max(OFF_STEP_MM, OFF_STEP * usual), MOST_OFF_STEP * usual):
        return
    step = float(gaps.min())
    ratio = gaps / step
    lost = int(np.sum(np.rint(ratio) - 1))
    if lost and np.all(np.abs(ratio - np.rint(ratio)) <= 0.05) and np.all(np.rint(ratio) >= 1):
        raise input_error(f"{name} with {lost} missing slices", f"a slice every {step:.2f} mm", "load the whole series")
    given = f"{name} with uneven slice spacing, {gaps.min():.2f} to {gaps.max():.2f} mm"
    raise input_error(given, "evenly spaced slices", "load an evenly reconstructed series")


def _check_shear(in_plane_mm: np.ndarray, first: Frame, name: str) -> None:
    drift_mm = float(np.linalg.norm(in_plane_mm, axis=1).max())
    if drift_mm <= POSITION_TOLERANCE_MM:
        return
    tilt = first.dataset.get("GantryDetectorTilt")
    stated = f", GantryDetectorTilt (0018,1120) {float(tilt):g} degrees" if tilt else ""
    given = f"{name} whose slices shift {drift_mm:.1f} mm sideways along the stack (gantry tilt{stated})"
    raise input_error(
        given, "slices stacked along their normal", "correct the tilt in a DICOM tool and load the result"
    )
