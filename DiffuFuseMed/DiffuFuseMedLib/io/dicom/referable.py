"""What another object takes over from a slice, or refers to it by: there, readable, and the same in the whole series
(DICOM PS3.3 C.7.1.1, C.7.2.1, C.7.4.1, C.7.6.2)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.charset import python_encoding
from pydicom.dataset import Dataset
from pydicom.valuerep import DA, TM

from ...core.errors import input_error
from .tags import numbers, required, tag_name, value_of

MAY_BE_EMPTY = (  # type 2 of patient, study and frame of reference: in every object, empty where nothing is known
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator",
)  # fmt: skip
OF_THE_SERIES = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality")
OF_EACH_SLICE = ("SOPClassUID", "SOPInstanceUID")
SEXES = ("M", "F", "O", "")


def check_referable(slices: Sequence[Dataset], name: str) -> None:
    """Raises InputError that names the tag that is missing, differs between slices, or does not tell them apart."""
    for keyword in (*OF_THE_SERIES, *OF_EACH_SLICE):
        values = {str(required(header, keyword, name)) for header in slices}
        if keyword in OF_THE_SERIES and len(values) > 1:
            given = f"{name} whose slices differ in {tag_name(keyword)}"
            raise input_error(given, "one value, as other objects refer to it", "export the series again")
    if len(values) < len(slices):  # of SOPInstanceUID, the last of them
        given = f"{name} whose slices share their {tag_name('SOPInstanceUID')}"
        raise input_error(given, "one of their own, as contours and segments refer to it", "export the series again")


def complete(header: Dataset, thickness_mm: float) -> None:
    """Put in what every object has: empty where nothing is known or what is there cannot be read, the distance between
    slices for a SliceThickness that is missing."""
    for keyword in MAY_BE_EMPTY:
        if not _is_readable(header, keyword):
            setattr(header, keyword, "")
    if (thickness := numbers(header, "SliceThickness", 1)) is None or thickness[0] <= 0:
        header.SliceThickness = f"{thickness_mm:.6g}"
    names = value_of(header, "SpecificCharacterSet") or ()
    if any(name and name not in python_encoding for name in ([names] if isinstance(names, str) else names)):
        del header.SpecificCharacterSet


def _is_readable(header: Dataset, keyword: str) -> bool:
    if keyword not in header:
        return False
    text = str(value_of(header, keyword) or "")
    try:
        if keyword.endswith("Date"):
            DA(text)
        if keyword.endswith("Time"):
            TM(text)
    except ValueError:
        return False
    return keyword != "PatientSex" or text in SEXES
