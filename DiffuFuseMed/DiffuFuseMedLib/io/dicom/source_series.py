"""The series that a DICOM segmentation refers to: the headers of its slices, its grid, and a mask laid onto it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from ...core.case import Case
from ...core.errors import InputError, input_error
from ...core.grid import Grid
from ...core.synthetic import check_no_dicom
from ...core.volume import Volume
from ..mask_grid import mask_onto
from .frames import Frame, frames_of
from .images import image_series
from .quiet import quietly
from .reading import read_dataset
from .referable import check_referable, complete
from .stack import ordered, stack_grid
from .tags import positive

FILES = "files"  # in Volume.meta: the file of each slice, along k; stays on this machine
OFF_GRID_VOXELS = 0.1
NAME = "the source series"
OTHERWISE = "export the lesion as .seg.nrrd or NIfTI"


@dataclass(frozen=True)
class SourceSeries:
    """slices: one header each, without pixels, along the grid's k; grid: LPS, as the files place it."""

    slices: tuple[Dataset, ...]
    grid: Grid

    @classmethod
    def read(cls, files: Iterable[str | Path]) -> SourceSeries:
        """Of one file a slice, in any order. Raises InputError for files that are gone, for a multi-frame one, and
        for one that lacks what other objects refer to it by."""
        frames = ordered([_frame(Path(path)) for path in files], NAME)
        grid = stack_grid(frames, NAME)
        slices = tuple(frame.dataset for frame in frames)
        quietly(check_referable, slices, NAME)
        for header in slices:
            quietly(complete, header, grid.spacing_mm[2])
        return cls(slices, grid)

    def mask(self, mask: np.ndarray, grid: Grid, exact: bool = True) -> np.ndarray:
        """bool [k, j, i] on the series: mask, bool [k, j, i] on `grid`, by the place of its voxels.

        exact: both grids have to hold the same voxels, whichever way their axes run. Raises InputError where they do
        not, and for a mask that is empty or not on the series.
        """
        if not mask.any():
            raise input_error("an empty lesion", "at least one voxel", "segment it first")
        if exact and not same_voxels(grid, self.grid):
            raise input_error(
                "a lesion on another grid than the slices of its series",
                "one on that grid",
                f"open the case from the series as it is, without a transform, or {OTHERWISE}",
            )
        return mask_onto(Volume(mask.astype(np.uint8), grid), self.grid).array > 0


def files_of(case: Case) -> list[Path]:
    """The files of the series that the case's grid is of. Raises InputError where it was not read from DICOM, and for a
    case with a synthetic tumor."""
    check_no_dicom(case)
    source = case.volumes.get(case.reference)
    meta = source.meta if source else case.unread_reference
    files = [Path(path) for path in meta.get(FILES, ())]
    if not files:
        raise input_error(
            f"a case whose {case.reference} was not read from DICOM files",
            "the series that a DICOM object has to refer to",
            f"open the case from its DICOM folder, or {OTHERWISE}",
        )
    if len(set(files)) < len(files):
        raise _multi_frame()
    return files


def why_no_series(case: Case) -> str:
    """Why the case's lesion cannot be written as DICOM, as one sentence; empty where it can."""
    try:
        files_of(case)
    except InputError as error:
        return str(error)
    return ""


def find_series(folder: Path, grid: Grid) -> SourceSeries:
    """The one series below the folder; of several, the one whose slices hold the voxels of `grid`. Raises InputError
    where there is none or no one that does."""
    found = image_series(folder)
    if len(found) == 1:
        return SourceSeries.read(next(iter(found.values())))
    for files in found.values():
        series = _readable(files)
        if series and same_voxels(grid, series.grid):
            return series
    given = f"a folder with {len(found)} series of which none lies on the case's grid"
    raise input_error(given, "one that does, or one series alone", "point to the folder of that series")


def same_voxels(one: Grid, other: Grid) -> bool:
    """Whether the grids have the same voxels at the same places, in whatever order: each corner lies on a corner."""
    if sorted(one.size) != sorted(other.size):
        return False
    corners = np.array(list(itertools.product(*[(0, n - 1) for n in other.size])), dtype=float)
    index = one.to_index(other.to_physical(corners))
    last = np.array(one.size) - 1
    off = np.minimum(np.abs(index), np.abs(index - last))
    distinct = len({tuple(corner) for corner in np.rint(index).astype(int)})
    return bool(off.max() <= OFF_GRID_VOXELS) and distinct == len({tuple(c) for c in corners})


def _readable(files: Sequence[Path]) -> SourceSeries | None:
    try:
        return SourceSeries.read(files)
    except InputError:
        return None


def _frame(path: Path) -> Frame:
    """The one slice of a file."""
    try:
        header = read_dataset(path, stop_before_pixels=True)
    except (InvalidDicomError, OSError) as error:
        raise input_error(
            "a series whose files are gone or changed", "the files that the case was read from", "open the case again"
        ) from error
    for keyword in ("Rows", "Columns"):
        positive(header, keyword, NAME)
    frames = list(frames_of(header))
    if len(frames) != 1 or frames[0].index is not None:
        raise _multi_frame()
    return frames[0]


def _multi_frame() -> InputError:
    return input_error("a reference of one file with many frames", "one slice a file", OTHERWISE)
