"""What DICOM objects lie in a folder, by their headers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from ..core.modalities import dicom_classes
from .dicom.images import DICOM_SUFFIXES
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
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.lower().endswith(SUFFIXES))
    return [found for path in paths if (found := _object(path)) is not None]


def _object(path: Path) -> DicomObject | None:
    named_dicom = path.suffix.lower() in DICOM_SUFFIXES
    try:
        header = pydicom.dcmread(path, specific_tags=TAGS, stop_before_pixels=True, force=named_dicom)
    except InvalidDicomError:
        return None
    except Exception:  # damaged in any of many ways: read_dicom_folder says so in its words
        return DicomObject(path, "", "", True, False)
    kind = str(header.get("SOPClassUID", ""))
    damaged = named_dicom and not kind
    return DicomObject(
        path,
        str(header.get("SeriesInstanceUID", "")),
        str(header.get("SeriesDescription", "")),
        kind in dicom_classes() or damaged,
        kind in (RTSTRUCT, *SEG),
    )
