"""What DICOM objects lie in a folder, by their headers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from ..core.modalities import dicom_classes
from ..core.printable import printable_name
from .dicom.series import candidates, read_header
from .dicom.tags import value_of
from .image_files import SUFFIXES
from .masks import RTSTRUCT, SEG

TAGS = ["SOPClassUID", "SeriesInstanceUID", "SeriesDescription"]


@dataclass(frozen=True)
class DicomObject:
    """One file. holds_slices: of a CT, MR or PET series, or damaged, which reading the series will report."""

    path: Path
    series_uid: str
    series_description: str
    holds_slices: bool
    is_mask: bool


def scan_dicom(folder: Path) -> list[DicomObject]:
    """The DICOM files at any depth, sorted by path; files of other kinds are passed over."""
    paths = [path for path in candidates(folder) if not path.name.lower().endswith(SUFFIXES)]
    return [found for path in paths if (found := _object(path)) is not None]


def _object(path: Path) -> DicomObject | None:
    try:
        header = read_header(path, TAGS)
    except InputError:  # reading the series says so in its words
        return DicomObject(path, "", "", True, False)
    if header is None:
        return None
    kind, uid, words = (str(value_of(header, tag) or "") for tag in TAGS)
    return DicomObject(path, uid, printable_name(words), kind in dicom_classes(), kind in (RTSTRUCT, *SEG))
