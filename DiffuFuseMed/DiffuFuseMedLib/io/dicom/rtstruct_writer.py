"""The lesion as a DICOM RT Structure Set: closed planar contours on the slices of a series.

DICOM PS3.3, A.19, with the modules C.8.8.5 (Structure Set), C.8.8.6 (ROI Contour) and C.8.8.8 (RT ROI Observations).
Contours run along the borders of the voxels, holes are keyholes (outlines.py): CLOSED_PLANAR, which every reader
knows, unlike CLOSEDPLANAR_XOR. A structure set says nothing of how thick a slice is: where each slice with lesion has
empty ones on both sides, readers may fill these too.
"""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from ... import __version__
from ...core.whole_file import write_whole
from .drawn_by import LONGEST, DrawnBy
from .outlines import outlines
from .quiet import quietly
from .referable import MAY_BE_EMPTY
from .seg_writer import LABEL, SERIES_NUMBER, TYPE
from .source_series import NAME, SourceSeries
from .tags import required

STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"  # Detached Study Management, retired: what (0008,1150) of the study still says
WHERE_THERE = ("SpecificCharacterSet", "IssuerOfPatientID", "StudyDescription", "PatientIdentityRemoved",
               "DeidentificationMethod", "DeidentificationMethodCodeSequence")  # fmt: skip
COLOR = [33, 196, 94]  # the lesion's green
DIGITS = 4  # of a millimeter


def write_rtstruct(mask: np.ndarray, series: SourceSeries, path: Path, drawn_by: DrawnBy) -> None:
    """Write mask, bool [k, j, i] on the series' grid, as one ROI whose contours refer to the series' slices.

    Patient, study and frame of reference are the series'; nothing of them is made up. Raises InputError for a series
    without a frame of reference, and OSError when the disk refuses.
    """
    quietly(_write, mask, series, path, drawn_by)


def _write(mask: np.ndarray, series: SourceSeries, path: Path, drawn_by: DrawnBy) -> None:
    now, first = datetime.now(), series.slices[0]
    frame = str(required(first, "FrameOfReferenceUID", NAME))
    written = _new_object(path, first, now)
    written.FrameOfReferenceUID = frame
    written.StructureSetLabel = written.StructureSetName = "DiffuFuseMed"
    written.StructureSetDate, written.StructureSetTime = f"{now:%Y%m%d}", f"{now:%H%M%S}"
    written.ReferencedFrameOfReferenceSequence = [_referenced(series, frame)]
    written.StructureSetROISequence = [_roi(frame, drawn_by)]
    written.ROIContourSequence = [_contours(mask, series)]
    written.RTROIObservationsSequence = [_observation()]
    buffer = BytesIO()
    written.save_as(buffer, enforce_file_format=True)
    write_whole(path, buffer.getvalue())


def _new_object(path: Path, first: Dataset, now: datetime) -> FileDataset:
    """What every object of the study says of patient, study and equipment."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTStructureSetStorage, generate_uid()
    new = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword in (*MAY_BE_EMPTY, *(k for k in WHERE_THERE if k in first)):
        setattr(new, keyword, first.get(keyword, ""))
    new.StudyInstanceUID = required(first, "StudyInstanceUID", NAME)
    new.SOPClassUID, new.SOPInstanceUID = RTStructureSetStorage, meta.MediaStorageSOPInstanceUID
    new.InstanceCreationDate, new.InstanceCreationTime = f"{now:%Y%m%d}", f"{now:%H%M%S}"
    new.Modality, new.SeriesInstanceUID, new.SeriesNumber = "RTSTRUCT", generate_uid(), SERIES_NUMBER + 1
    new.SeriesDescription, new.OperatorsName, new.InstanceNumber = "DiffuFuseMed lesion", "", 1
    new.Manufacturer = new.ManufacturerModelName = "DiffuFuseMed"
    new.SoftwareVersions, new.DeviceSerialNumber = __version__, "0"
    return new


def _referenced(series: SourceSeries, frame: str) -> Dataset:
    """Frame of reference, study and series with all of its slices."""
    of_frame, study, of_series = Dataset(), Dataset(), Dataset()
    of_series.SeriesInstanceUID = series.slices[0].SeriesInstanceUID
    of_series.ContourImageSequence = [_image(header) for header in series.slices]
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = STUDY_CLASS, series.slices[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = [of_series]
    of_frame.FrameOfReferenceUID, of_frame.RTReferencedStudySequence = frame, [study]
    return of_frame


def _image(header: Dataset) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    return image


def _roi(frame: str, drawn_by: DrawnBy) -> Dataset:
    roi = Dataset()
    roi.ROINumber, roi.ReferencedFrameOfReferenceUID, roi.ROIName = 1, frame, LABEL
    roi.ROIGenerationAlgorithm = drawn_by.kind
    if drawn_by.model:
        roi.ROIGenerationDescription = f"{drawn_by.model}, {drawn_by.version}".rstrip(", ")[:LONGEST]
    return roi


def _observation() -> Dataset:
    """That it is a neoplasm; whether it is a target, and of what dose, is not for this program to say."""
    observation, code, value = Dataset(), Dataset(), Code(*TYPE)
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value.value, value.scheme_designator, value.meaning
    observation.ObservationNumber = observation.ReferencedROINumber = 1
    observation.RTROIIdentificationCodeSequence = [code]
    observation.RTROIInterpretedType = observation.ROIInterpreter = ""
    return observation


def _contours(mask: np.ndarray, series: SourceSeries) -> Dataset:
    entry = Dataset()
    entry.ReferencedROINumber, entry.ROIDisplayColor = 1, COLOR
    with_lesion = np.flatnonzero(mask.any(axis=(1, 2)))
    entry.ContourSequence = [
        _contour(polygon, k, series) for k in with_lesion.tolist() for polygon in outlines(mask[k])
    ]
    return entry


def _contour(polygon: np.ndarray, k: int, series: SourceSeries) -> Dataset:
    """polygon: (points, 2), x and y in pixels of slice k."""
    contour = Dataset()
    index = np.column_stack([polygon, np.full(len(polygon), k)])
    contour.ContourImageSequence = [_image(series.slices[k])]
    contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(polygon)
    contour.ContourData = [f"{x:.{DIGITS}f}" for x in series.grid.to_physical(index).ravel()]
    return contour
