"""DICOM RT Structure Sets: closed planar contours, filled at the voxel centers of an image grid.

Attributes as in DICOM PS3.3, C.8.8.5 (Structure Set) and C.8.8.6 (ROI Contour).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import RTStructureSetStorage

from ...core.errors import InputError, input_error
from ...core.grid import Grid
from ...core.volume import Volume
from ..mask_grid import LeftOut, check_frame

if TYPE_CHECKING:
    from matplotlib.path import Path as Polygon

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
MAX_SLAB_MM = 10.0  # planes further apart than any slice spacing are separate drawings, not one slab each
SAME_PLANE_MM = 0.1
# Moves voxel centers off edges they lie on: a keyhole's bridge, run along twice, must count twice or not at all.
NUDGE_VOXELS = (3.1e-5, 7.3e-5)
EDGE_MM = EDGE_VOXELS = 1e-3  # contour coordinates are written with about three decimals


def read_rtstruct(
    path: str | Path, grid: Grid, roi: str | Sequence[str] | None = None, frame_of_reference: str | None = None
) -> dict[str, Volume]:
    """ROI name -> uint8 mask on `grid`, the grid of the image series the contours were drawn on.

    roi: one name or several, all where None; frame_of_reference: the series' UID, checked where given.
    A voxel is inside when its center is, by the even-odd rule over the contours of one plane (holes, keyholes). A slice
    takes the nearest plane within half a slab, the larger of slice spacing and plane distance. Open and point contours,
    and what lies outside the grid, are left out with a sentence in meta["notes"].
    Raises InputError where nothing can be filled: no such ROI, no closed contour, another frame of reference.
    """
    dataset = _open(path)
    masks, left_out = {}, LeftOut()
    for number, name in _chosen(dataset, roi).items():
        try:
            check_frame(_frame(dataset, number), frame_of_reference)
            polygons, ignored = _closed_polygons(dataset, number)
            array, notes = _filled(polygons, grid)
        except InputError as error:
            left_out.add(name, error)
            continue
        meta = {"name": name, "source": str(path), "notes": ignored + notes}
        masks[name] = Volume(array, grid, None, {**meta, "frame_of_reference": _frame(dataset, number)})
    return left_out.note_on(masks)


def roi_names(path: str | Path) -> tuple[str, ...]:
    """Names of the ROIs in the structure set, in file order; a name given twice gets its ROI number appended."""
    return tuple(_names(_open(path)).values())


def referenced_series(path: str | Path) -> tuple[str, ...]:
    """Series Instance UIDs of the images that the structure set says it was drawn on."""
    return tuple(
        str(series.SeriesInstanceUID)
        for frame in _open(path).get("ReferencedFrameOfReferenceSequence", [])
        for study in frame.get("RTReferencedStudySequence", [])
        for series in study.get("RTReferencedSeriesSequence", [])
    )


def _open(path: str | Path) -> Dataset:
    try:
        dataset = pydicom.dcmread(path)
    except (InvalidDicomError, OSError) as error:
        raise _not_rtstruct("a file that is no readable DICOM") from error
    if dataset.get("SOPClassUID") != RTStructureSetStorage:
        raise _not_rtstruct("a DICOM file of another kind")
    return dataset


def _not_rtstruct(given: str) -> InputError:
    return input_error(given, "an RT Structure Set", "choose the RTSTRUCT file of the study")


def _names(dataset: Dataset) -> dict[int, str]:
    names: dict[int, str] = {}
    for item in dataset.get("StructureSetROISequence", []):
        number, name = int(item.ROINumber), str(item.get("ROIName") or f"ROI {item.ROINumber}").strip()
        names[number] = f"{name} ({number})" if name in names.values() else name
    return names


def _chosen(dataset: Dataset, roi: str | Sequence[str] | None) -> dict[int, str]:
    names = _names(dataset)
    if not names:
        raise input_error("an RT Structure Set without any ROI", "at least one ROI with contours", "export it again")
    if roi is None:
        return names
    asked = [roi] if isinstance(roi, str) else list(roi)
    missing = [name for name in asked if name not in names.values()]
    if missing:
        raise input_error(f"the ROI {missing[0]!r}", f"one of {', '.join(names.values())}", "choose a ROI of this file")
    return {number: name for number, name in names.items() if name in asked}


def _frame(dataset: Dataset, number: int) -> str:
    """Frame of Reference UID of the ROI, empty where the file gives none."""
    item = next(r for r in dataset.StructureSetROISequence if int(r.ROINumber) == number)
    return str(item.get("ReferencedFrameOfReferenceUID") or dataset.get("FrameOfReferenceUID") or "")


def _closed_polygons(dataset: Dataset, number: int) -> tuple[list[np.ndarray], list[str]]:
    """Closed contours of the ROI, each (points, 3) in LPS mm, and a note on those ignored."""
    entries = [e for e in dataset.get("ROIContourSequence", []) if int(e.ReferencedROINumber) == number]
    contours = [contour for entry in entries for contour in entry.get("ContourSequence", [])]
    polygons = [_points(c) for c in contours if c.get("ContourGeometricType") in CLOSED]
    polygons = [points for points in polygons if len(points) >= 3]
    if not polygons:
        raise input_error(
            "a ROI without closed planar contours", "at least one", "draw the contours, or choose another ROI"
        )
    ignored = len(contours) - len(polygons)
    return polygons, [f"{ignored} open or point contours were ignored."] if ignored else []


def _points(contour: Dataset) -> np.ndarray:
    values = np.asarray(contour.get("ContourData") or [], dtype=float)
    if values.size % 3 or not np.isfinite(values).all():
        raise input_error(
            "a contour that is no list of x, y, z in mm", "three finite numbers a point", "export it again"
        )
    return values.reshape(-1, 3)


def _filled(polygons: list[np.ndarray], grid: Grid) -> tuple[np.ndarray, list[str]]:
    """uint8 [k, j, i] of the polygons (LPS mm), and notes on what could not be filled."""
    indices = [grid.to_index(points) for points in polygons]
    parallel = [points for points in indices if np.ptp(points[:, 2]) <= 1]
    if not parallel:
        raise input_error(
            "contours that cross the slices of the image",
            "contours in the planes of its slices",
            "choose the image series that the contours were drawn on",
        )
    array = np.zeros(grid.shape, np.uint8)
    planes = _planes(parallel, grid.spacing_mm[2])
    for k, plane in enumerate(_plane_of_each_slice([mm for mm, _ in planes], grid)):
        if plane is not None:
            array[k] = _filled_plane(planes[plane][1], grid.shape[1:])
    if not array.any():
        raise input_error(
            "contours that hold no voxel center of the image",
            "contours that lie on the image",
            "choose the image series that the contours were drawn on",
        )
    return array, _outside_notes(indices, grid)


def _planes(indices: list[np.ndarray], spacing_mm: float) -> list[tuple[float, list[np.ndarray]]]:
    """Contours (points, ijk) gathered by plane: distance from slice 0 in mm, its polygons (points, ij)."""
    planes: list[tuple[float, list[np.ndarray]]] = []
    for mm, points in sorted(((p[:, 2].mean() * spacing_mm, p[:, :2]) for p in indices), key=lambda plane: plane[0]):
        if planes and mm - planes[-1][0] < SAME_PLANE_MM:
            planes[-1][1].append(points)
        else:
            planes.append((mm, [points]))
    return planes


def _plane_of_each_slice(planes_mm: list[float], grid: Grid) -> list[int | None]:
    """Per slice the nearest plane whose slab holds the slice's center, None where there is none.

    A slab is half-open, so a slice midway between two planes is claimed once and no lesion grows by a slice.
    """
    spacing_mm = grid.spacing_mm[2]
    gap_mm = np.diff(planes_mm).min() if len(planes_mm) > 1 else spacing_mm
    half_mm = max(spacing_mm, gap_mm if gap_mm <= MAX_SLAB_MM else spacing_mm) / 2
    away_mm = np.arange(grid.size[2])[:, None] * spacing_mm - np.asarray(planes_mm)
    held = (away_mm > EDGE_MM - half_mm) & (away_mm <= EDGE_MM + half_mm)
    nearest = np.where(held, np.abs(away_mm), np.inf).argmin(axis=1)
    return [int(plane) if held[k, plane] else None for k, plane in enumerate(nearest)]


def _filled_plane(polygons: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """bool [j, i]: voxel centers inside an odd number of the polygons (points, ij)."""
    filled = np.zeros(shape, bool)
    for points in polygons:
        low = np.maximum(np.ceil(points.min(axis=0)), 0).astype(int)
        high = np.minimum(np.floor(points.max(axis=0)) + 1, shape[::-1]).astype(int)
        if (high > low).all():
            j, i = np.mgrid[low[1] : high[1], low[0] : high[0]]
            inside = _polygon(points).contains_points(np.column_stack([i.ravel(), j.ravel()]) + NUDGE_VOXELS)
            filled[low[1] : high[1], low[0] : high[0]] ^= inside.reshape(i.shape)
    return filled


def _outside_notes(indices: list[np.ndarray], grid: Grid) -> list[str]:
    """Sentences on contours (points, ijk) that cross the slices or leave the grid."""
    crossing = sum(np.ptp(points[:, 2]) > 1 for points in indices)
    first, last = -0.5 - EDGE_VOXELS, np.asarray(grid.size) - 0.5 + EDGE_VOXELS
    outside = sum(bool(((points < first) | (points > last)).any()) for points in indices)
    notes = [f"{crossing} contours cross the slices of the image and were skipped."] if crossing else []
    return notes + ([f"{outside} contours lie wholly or partly outside the image and were cut."] if outside else [])


def _polygon(points: np.ndarray) -> Polygon:
    """Slicer's own Python has no matplotlib: what reads no structure set does without."""
    try:
        from matplotlib import path as outlines
    except ImportError as error:
        given = "contours of an RT structure set, in a Python without the package matplotlib"
        raise input_error(given, "that package to fill them", "give the mask as NIfTI or NRRD instead") from error
    return outlines.Path(points)
