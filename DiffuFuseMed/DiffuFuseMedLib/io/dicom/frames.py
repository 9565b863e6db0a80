"""One frame: a slice of a classic instance or of an enhanced multi-frame one (DICOM PS3.3 C.7.6.2, C.7.6.16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from ...core.errors import input_error
from ...core.modalities import of_dicom, spec_of
from .modality_lut import modality_table
from .pixels import bright_padding, stored_pixels
from .suv import real_world_mapping
from .tags import number, numbers, required, tag_name, value_of

WHAT = "a DICOM slice"
FARTHEST_MM = 1e6
AIR = {"CT": -1000.0}  # what padding may be without looking like tissue


@dataclass(frozen=True)
class Frame:
    """position_mm: LPS of the first voxel's center; row, column: unit cosines along i and j; spacing_mm: along i, j."""

    dataset: Dataset
    index: int | None
    position_mm: np.ndarray
    row: np.ndarray
    column: np.ndarray
    spacing_mm: tuple[float, float]

    def values(self, modality: str) -> np.ndarray:
        """float32 [j, i]: stored * slope + intercept, or by the Modality LUT; NaN where the file says that nothing was
        imaged.

        Raises InputError when pixels cannot be decoded.
        """
        stored = stored_pixels(self.dataset)
        stored = stored if self.index is None else stored.reshape(-1, *stored.shape[-2:])[self.index]
        if table := modality_table(rescale_source(self.dataset, self.index)):
            values = table.applied(stored)
        else:
            slope, intercept = self._rescale(modality)
            values = (stored * np.float64(slope) + np.float64(intercept)).astype(np.float32)
        values[bright_padding(stored, self.dataset, values, AIR.get(modality, 0.0))] = np.nan
        return values

    def _rescale(self, modality: str) -> tuple[float, float]:
        source = rescale_source(self.dataset, self.index)
        if spec_of(of_dicom(modality)).scale == "relative" and source.get("RescaleSlope") is None:
            return 1.0, 0.0  # MR has no unit, and classic MR no rescale tags
        slope_name, intercept_name = ("RealWorldValueSlope", "RealWorldValueIntercept")
        if slope_name not in source:
            slope_name, intercept_name = ("RescaleSlope", "RescaleIntercept")
        slope = number(source, slope_name, f"a {modality} slice")
        return slope, number(source, intercept_name, f"a {modality} slice")


def frames_of(dataset: Dataset) -> Iterator[Frame]:
    """Every frame of one instance, in stored order."""
    _check_gray(dataset)
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        yield _frame(dataset, None, dataset, dataset, dataset)
        return
    for index in range(len(dataset.PerFrameFunctionalGroupsSequence)):
        groups = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
        yield _frame(dataset, index, *(functional_group(dataset, index, name) for name in groups))


def functional_group(dataset: Dataset, index: int, keyword: str) -> Dataset:
    """The frame's own functional group, else the shared one. Raises InputError when neither is there."""
    found = find_group(dataset, index, keyword)
    return required(Dataset(), keyword, "a multi-frame image") if found is None else found


def find_group(dataset: Dataset, index: int, keyword: str) -> Dataset | None:
    """The same, or None."""
    own = dataset.PerFrameFunctionalGroupsSequence[index].get(keyword)
    shared = dataset.get("SharedFunctionalGroupsSequence")
    items = own or (shared[0].get(keyword) if shared else None)
    return items[0] if items else None


def _frame(dataset: Dataset, index: int | None, position: Dataset, orientation: Dataset, measures: Dataset) -> Frame:
    cosines = _numbers(orientation, "ImageOrientationPatient", 6)
    row, column = cosines[:3], cosines[3:]
    unit = np.abs([np.linalg.norm(row) - 1, np.linalg.norm(column) - 1, row @ column])
    if unit.max() > 1e-3:
        given = f"{WHAT} whose {tag_name('ImageOrientationPatient')} is not two unit vectors at a right angle"
        raise input_error(given, "unit direction cosines", "export the series again")
    spacing = _numbers(measures, "PixelSpacing", 2)  # between rows (along j) first, PS3.3 10.7.1.3
    if spacing.min() <= 0:
        raise input_error(
            f"{WHAT} whose {tag_name('PixelSpacing')} is not above zero", "millimeters", "correct the tag"
        )
    position_mm = _numbers(position, "ImagePositionPatient", 3)
    if np.abs(position_mm).max() > FARTHEST_MM:
        given = f"{WHAT} whose {tag_name('ImagePositionPatient')} is {np.abs(position_mm).max():g} mm away"
        raise input_error(given, "a place near the scanner", "correct the tag or export the series again")
    step_ij = (float(spacing[1]), float(spacing[0]))
    return Frame(dataset, index, position_mm, row / np.linalg.norm(row), column / np.linalg.norm(column), step_ij)


def _numbers(dataset: Dataset, keyword: str, count: int) -> np.ndarray:
    found = numbers(dataset, keyword, count)
    if found is None:
        if value_of(dataset, keyword) is None:
            required(dataset, keyword, WHAT)
        given = f"{WHAT} whose {tag_name(keyword)} is not {count} numbers"
        raise input_error(given, f"{count} numbers", "correct the tag")
    return np.array(found)


def _check_gray(dataset: Dataset) -> None:
    samples = dataset.get("SamplesPerPixel", 1)
    if samples != 1:
        raise input_error(
            f"{WHAT} with {samples} values per pixel (color)", "one gray value", "load the original series"
        )


def rescale_source(dataset: Dataset, index: int | None) -> Dataset:
    """Where slope and intercept stand; an enhanced PET without Units has its unit from the real world mapping."""
    if index is None:
        return dataset
    if dataset.get("Modality") == "PT" and not dataset.get("Units"):
        own = find_group(dataset, index, "RealWorldValueMappingSequence")
        mapping = own or real_world_mapping(dataset)
        if mapping is not None:
            return mapping
    found = find_group(dataset, index, "PixelValueTransformationSequence")
    return Dataset() if found is None else found
