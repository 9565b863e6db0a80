"""DICOM RT Structure Sets: closed planar contours, filled at the voxel centers of an image grid.

Attributes as in DICOM PS3.3, C.8.8.5 (Structure Set) and C.8.8.6 (ROI Contour).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import RTStructureSetStorage

from ...core.errors import InputError, input_error
from ...core.grid import Grid
from ...core.volume import Volume
from ..mask_grid import LeftOut, check_frame
from .contour_fill import filled_plane
from .entry_names import listed, told_apart
from .reading import read_dataset
from .tags import numbers, tag_name, value_of

XOR = "CLOSEDPLANAR_XOR"
CLOSED = ("CLOSED_PLANAR", XOR)
MAX_SLAB_MM = 10.0  # planes further apart than any slice spacing are separate drawings, not one slab each
SAME_PLANE_MM = 0.1
EDGE_MM = EDGE_VOXELS = 1e-3  # contour coordinates are written with about three decimals
MOST_ROIS = 300  # filled at once, each on the whole grid; all organs that programs know are some 150


def read_rtstruct(
    path: str | Path, grid: Grid, roi: str | Sequence[str] | None = None, frame_of_reference: str | None = None
) -> dict[str, Volume]:
    """ROI name -> uint8 mask on `grid`, the grid of the image series the contours were drawn on.

    roi: one name or several, all where None; frame_of_reference: the series' UID, checked where given.
    A voxel is inside when its center is, by the even-odd rule within each contour (keyholes); of one plane's contours
    those inside another are holes, those that overlap make one, and those of the type CLOSEDPLANAR_XOR are combined as
    it says. Slices between planes that are drawn up to 10 mm apart are filled from the nearest, with a note. Open and
    point contours, and what lies outside the grid, are left out with a sentence in meta["notes"].
    Raises InputError where nothing can be filled: no such ROI, no closed contour, another frame of reference; and for
    more than 300 ROIs at once.
    """
    dataset = _open(path)
    masks, left_out = {}, LeftOut()
    chosen = _check_count(_chosen(dataset, roi))
    frames, items = _frames(dataset), _contour_items(dataset)
    for number, name in chosen.items():
        try:
            check_frame(frames[number], frame_of_reference)
            contours, ignored = _closed_contours(items.get(number, []))
            array, notes = _filled(contours, grid)
        except InputError as error:
            left_out.add(name, error)
            continue
        meta = {"name": name, "source": str(path), "notes": ignored + notes}
        masks[name] = Volume(array, grid, None, {**meta, "frame_of_reference": frames[number]})
    return left_out.note_on(masks)


def roi_names(path: str | Path) -> tuple[str, ...]:
    """Names of the ROIs in the structure set, in file order; a name given twice gets its ROI number appended."""
    return tuple(_names(_open(path)).values())


def unnumbered_rois(path: str | Path) -> tuple[str, ...]:
    """Names of entries without ROINumber, to which no contours can be told to belong."""
    items = _open(path).get("StructureSetROISequence", [])
    return tuple(str(value_of(item, "ROIName") or "") for item in items if _number(item, "ROINumber") is None)


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
        dataset = read_dataset(path)
    except (InvalidDicomError, OSError) as error:
        raise _not_rtstruct("a file that is no readable DICOM") from error
    if dataset.get("SOPClassUID") != RTStructureSetStorage:
        raise _not_rtstruct("a DICOM file of another kind")
    return dataset


def _not_rtstruct(given: str) -> InputError:
    return input_error(given, "an RT Structure Set", "choose the RTSTRUCT file of the study")


def _names(dataset: Dataset) -> dict[int, str]:
    """By ROI number; an entry without one has nothing that its contours could refer to."""
    numbered = ((_number(item, "ROINumber"), item) for item in dataset.get("StructureSetROISequence", []))
    return told_apart((n, str(value_of(item, "ROIName") or f"ROI {n}")) for n, item in numbered if n is not None)


def _chosen(dataset: Dataset, roi: str | Sequence[str] | None) -> dict[int, str]:
    names = _names(dataset)
    if not names:
        raise input_error("an RT Structure Set without any ROI", "at least one ROI with contours", "export it again")
    if roi is None:
        return names
    asked = [roi] if isinstance(roi, str) else list(roi)
    known, wanted = set(names.values()), set(asked)
    missing = [name for name in asked if name not in known]
    if missing:
        raise input_error(f"the ROI {missing[0]!r}", f"one of {listed(names.values())}", "choose a ROI of this file")
    return {number: name for number, name in names.items() if name in wanted}


def _check_count(chosen: dict[int, str]) -> dict[int, str]:
    if len(chosen) > MOST_ROIS:
        given, remedy = f"{len(chosen)} ROIs of one RT Structure Set", "export those that are needed alone"
        raise input_error(given, f"at most {MOST_ROIS} at once", remedy)
    return chosen


def _frames(dataset: Dataset) -> dict[int, str]:
    """Frame of Reference UID by ROI number, empty where the file gives none."""
    common = dataset.get("FrameOfReferenceUID") or ""
    frames: dict[int, str] = {}
    for item in dataset.StructureSetROISequence:
        number = _number(item, "ROINumber")
        if number is not None:
            frames.setdefault(number, str(item.get("ReferencedFrameOfReferenceUID") or common))
    return frames


def _contour_items(dataset: Dataset) -> dict[int, list[Dataset]]:
    """Items of Contour Sequence by ROI number: walked once, however many ROIs there are."""
    items: dict[int, list[Dataset]] = {}
    for entry in dataset.get("ROIContourSequence", []):
        number = _number(entry, "ReferencedROINumber")
        if number is not None:
            items.setdefault(number, []).extend(entry.get("ContourSequence", []))
    return items


@dataclass(frozen=True)
class _Contour:
    """points: (n, 3), LPS mm or voxel indices; xor: of the type that says how it is combined."""

    points: np.ndarray
    xor: bool


def _closed_contours(items: list[Dataset]) -> tuple[list[_Contour], list[str]]:
    """Closed contours of a ROI's items in LPS mm, and a note on those ignored."""
    closed = [item for item in items if value_of(item, "ContourGeometricType") in CLOSED]
    contours = [_Contour(_points(item), item.ContourGeometricType == XOR) for item in closed]
    miscounted = sum(_is_miscounted(item, c.points) for item, c in zip(closed, contours, strict=True))
    contours = [contour for contour in contours if len(contour.points) >= 3]
    if not contours:
        raise input_error(
            "a ROI without closed planar contours", "at least one", "draw the contours, or choose another ROI"
        )
    return contours, _ignored_notes(items, len(closed) - len(contours)) + _miscounted_notes(miscounted)


def _is_miscounted(item: Dataset, points: np.ndarray) -> bool:
    """Whether NumberOfContourPoints (PS3.3 C.8.8.6) says another number than there are; where it is missing, no."""
    said = _number(item, "NumberOfContourPoints")
    return said is not None and said != len(points)


def _miscounted_notes(count: int) -> list[str]:
    name = tag_name("NumberOfContourPoints")
    told = f"Warning: {count} contours hold another number of points than their {name} says; they were taken as drawn"
    return [f"{told}, and may be cut off."] if count else []


def _ignored_notes(items: list[Dataset], short: int) -> list[str]:
    """short: how many of the closed ones have no area."""
    kinds = [str(value_of(item, "ContourGeometricType") or "") for item in items]
    untold = kinds.count("")
    other = sum(kind not in ("", *CLOSED) for kind in kinds)
    notes = [f"{other} open or point contours were ignored."] if other else []
    notes += [f"{short} closed contours of fewer than 3 points were ignored."] if short else []
    name = tag_name("ContourGeometricType")
    return notes + ([f"Warning: {untold} contours without {name} were ignored."] if untold else [])


def _points(contour: Dataset) -> np.ndarray:
    given = value_of(contour, "ContourData")
    if isinstance(given, bytes):  # over 64 kB: explicit VRs have no room for the length, so it is written as unknown
        given = given.decode("ascii", "ignore").strip(" \0").split("\\")
    try:
        values = np.asarray(given or [], dtype=float)
    except (TypeError, ValueError):
        values = np.array([np.nan])
    if values.size % 3 or not np.isfinite(values).all():
        raise input_error(
            "a contour that is no list of x, y, z in mm", "three finite numbers a point", "export it again"
        )
    return values.reshape(-1, 3)


def _filled(contours: list[_Contour], grid: Grid) -> tuple[np.ndarray, list[str]]:
    """uint8 [k, j, i] of the contours (LPS mm), and notes on what could not be filled or had to be decided."""
    indexed = [_Contour(grid.to_index(contour.points), contour.xor) for contour in contours]
    parallel = [contour for contour in indexed if np.ptp(contour.points[:, 2]) <= 1]
    if not parallel:
        raise input_error(
            "contours that cross the slices of the image",
            "contours in the planes of its slices",
            "choose the image series that the contours were drawn on",
        )
    array = np.zeros(grid.shape, np.uint8)
    planes = _planes(parallel, grid.spacing_mm[2])
    notes: list[str] = []
    shapes = [filled_plane([(c.points[:, :2], c.xor) for c in plane], grid.shape[1:], notes) for _, plane in planes]
    chosen = _plane_of_each_slice([mm for mm, _ in planes], grid)
    for k, plane in enumerate(chosen):
        if plane is not None:
            array[k] = shapes[plane]
    if not array.any():
        raise input_error(
            "contours that hold no voxel center of the image",
            "contours that lie on the image",
            "choose the image series that the contours were drawn on",
        )
    between = sum(plane is not None for plane in chosen) - len({plane for plane in chosen if plane is not None})
    told = [f"{between} slices between the drawn planes were filled from the nearest plane."] if between else []
    told += _empty_notes(array, grid)
    return array, [*dict.fromkeys(notes), *told, *_outside_notes([c.points for c in indexed], grid)]


def _planes(contours: list[_Contour], spacing_mm: float) -> list[tuple[float, list[_Contour]]]:
    """Contours (points, ijk) gathered by plane: distance from slice 0 in mm, its contours."""
    planes: list[tuple[float, list[_Contour]]] = []
    for mm, contour in sorted(((c.points[:, 2].mean() * spacing_mm, c) for c in contours), key=lambda pair: pair[0]):
        if planes and mm - planes[-1][0] < SAME_PLANE_MM:
            planes[-1][1].append(contour)
        else:
            planes.append((mm, [contour]))
    return planes


def _plane_of_each_slice(planes_mm: list[float], grid: Grid) -> list[int | None]:
    """Per slice the plane whose slab holds the slice's center, None where there is none.

    A slab reaches half a slice beyond the first and the last plane, and half-way to a neighbor that is no further than
    a slab can be. It is half-open, so a slice midway between two planes is claimed once and no lesion grows by a slice.
    """
    spacing_mm = grid.spacing_mm[2]
    gaps_mm = np.diff(planes_mm)
    inner = np.where(gaps_mm <= max(MAX_SLAB_MM, spacing_mm), gaps_mm, spacing_mm) / 2
    below, above = (np.array([spacing_mm / 2, *inner]), np.array([*inner, spacing_mm / 2]))
    away_mm = np.arange(grid.size[2])[:, None] * spacing_mm - np.asarray(planes_mm)
    held = (away_mm > EDGE_MM - below) & (away_mm <= EDGE_MM + above)
    nearest = np.where(held, np.abs(away_mm), np.inf).argmin(axis=1)
    return [int(plane) if held[k, plane] else None for k, plane in enumerate(nearest)]


def _empty_notes(array: np.ndarray, grid: Grid) -> list[str]:
    """A warning on slices between the drawn ones that no plane is near enough to: nothing tells two lesions from one
    that was drawn on every fourth slice.
    """
    steps = np.diff(np.flatnonzero(array.any(axis=(1, 2)))) - 1
    if not steps.any():
        return []
    gap_mm = float((steps.max() + 1) * grid.spacing_mm[2])
    return [
        f"Warning: {steps.sum()} slices between the drawn planes were left empty, where these are up to {gap_mm:.0f} "
        "mm apart: either these are several lesions, or slices were left out in drawing."
    ]


def _outside_notes(indices: list[np.ndarray], grid: Grid) -> list[str]:
    """Sentences on contours (points, ijk) that cross the slices or leave the grid."""
    crossing = sum(np.ptp(points[:, 2]) > 1 for points in indices)
    first, last = -0.5 - EDGE_VOXELS, np.asarray(grid.size) - 0.5 + EDGE_VOXELS
    outside = sum(bool(((points < first) | (points > last)).any()) for points in indices)
    notes = [f"{crossing} contours cross the slices of the image and were skipped."] if crossing else []
    return notes + ([f"{outside} contours lie wholly or partly outside the image and were cut."] if outside else [])


def _number(item: Dataset, keyword: str) -> int | None:
    found = numbers(item, keyword, 1)
    return None if found is None else int(found[0])
