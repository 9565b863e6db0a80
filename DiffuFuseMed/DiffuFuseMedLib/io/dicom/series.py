"""The image series in a folder, by their headers alone: which files belong together, and what is no series of slices.

A series is what shares SeriesInstanceUID (PS3.3 C.7.3.1); slices that each have one of their own, as some archives
write them, are brought together by what else they share.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from ...core.errors import InputError, input_error
from ...core.modalities import dicom_classes
from ...core.printable import printable_name
from ..image_words import LOCALIZER_WORDS, PROJECTION_WORDS
from .copies import show_the_same
from .reading import read_dataset
from .tags import required, value_of

log = logging.getLogger(__name__)

DICOM_SUFFIXES = (".dcm", ".ima", ".dicom")
HASH_LENGTH = 16
FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")  # of files without the 128 bytes before "DICM"
PROJECTIONS = frozenset(
    ("MIP", "MINIP", "MNIP", "PROJECTION IMAGE", "SCREEN SAVE", "VRT", "SSD", "RAYSUM", "CURVED", "CPR")
)
Notes = list[str]


@dataclass(frozen=True)
class Series:
    """files and headers (without pixels) of one series, in the files' order; kind: Modality (0008,0060)."""

    uid: str
    kind: str
    files: tuple[Path, ...]
    headers: tuple[Dataset, ...]

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"the {self.kind} series '{value_of(self.headers[0], 'SeriesNumber') or 'without number'}'"

    @property
    def description(self) -> str:
        return printable_name(str(value_of(self.headers[0], "SeriesDescription") or ""))


def find_series(folder: Path, notes: Notes | None = None) -> list[Series]:
    """Every CT, PET and MR series below the folder, in the order of their first files.

    notes: gets a sentence for each file or series that is passed over; without it a damaged file raises InputError.
    Raises InputError for several patients and for a folder without such a series.
    """
    by_uid: dict[str, dict[tuple[str, ...], tuple[Path, Dataset]]] = {}
    passed: Notes = []
    left_out: list[tuple[Dataset, str]] = []
    for path, header in _headers(folder, notes):
        if reason := _no_slice(header):
            left_out.append((header, reason))
        else:
            slices = by_uid.setdefault(str(header.SeriesInstanceUID), {})
            _add(slices, path, header)
    passed += [_left_out(header, reason, by_uid) for header, reason in left_out]
    series = _joined([_series(uid, tuple(slices.values())) for uid, slices in by_uid.items()], passed)
    _check_one_patient(series)
    if notes is not None:
        notes += dict.fromkeys(passed)
    if not series:
        given = f"folder '{folder.name}' without a CT, PET or MR image series"
        raise input_error(given, "DICOM slices", "choose the folder that holds the images")
    return series


def patient_id_hash(dataset: Dataset) -> str:
    """A short SHA-256 of PatientID, so that patients can be told apart without naming them; empty without an ID."""
    identity = str(value_of(dataset, "PatientID") or "").strip()
    return hashlib.sha256(identity.encode()).hexdigest()[:HASH_LENGTH] if identity else ""


def candidates(folder: Path) -> list[Path]:
    """The files at any depth that could be DICOM, sorted; hidden ones, such as "._IM1.dcm", never are."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not any(p.startswith(".") for p in path.relative_to(folder).parts))


def read_header(path: Path, tags: list[str] | None = None) -> Dataset | None:
    """The tags without pixels, or those of `tags` alone; None for a file that is no DICOM. Raises InputError for a
    damaged one, and for one that is only named as DICOM."""
    named_dicom = path.suffix.lower() in DICOM_SUFFIXES
    try:
        force = named_dicom or _begins_as_dicom(path)
        if not force and not _has_prefix(path):  # what pydicom says after more work
            return None
        header = read_dataset(path, specific_tags=tags, stop_before_pixels=True, force=force)
    except InvalidDicomError:
        return None
    except InputError:
        raise
    except Exception as error:  # a damaged file fails in as many ways as it can be damaged
        raise damaged(path) from error
    if "SOPClassUID" in header or "DirectoryRecordSequence" in header:
        return header
    if named_dicom:
        raise damaged(path)
    return None


def damaged(path: Path) -> InputError:
    remedy = "copy or export the series again"
    return input_error(f"file '{path.name}' that is truncated or no DICOM", "complete DICOM files", remedy)


def damaged_series(name: str, error: Exception) -> InputError:
    """For a fault in a header that nobody foresaw; its words may quote the patient, so only its kind is told."""
    given = f"{name} with a damaged header ({type(error).__name__})"
    return input_error(given, "complete DICOM files", "copy or export the series again")


def _headers(folder: Path, notes: Notes | None) -> Iterator[tuple[Path, Dataset]]:
    """Of every file with slices, and with a SeriesInstanceUID."""
    for path in candidates(folder):
        try:
            header = read_header(path)
            if header is None or str(value_of(header, "SOPClassUID") or "") not in dicom_classes():
                continue
            required(header, "SeriesInstanceUID", f"file '{path.name}'")
        except InputError as error:
            if notes is None:
                raise
            notes.append(f"A file was passed over. {error}")
            continue
        yield path, header


def _has_prefix(path: Path) -> bool:
    """Whether "DICM" stands behind the 128 bytes of its preamble."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _begins_as_dicom(path: Path) -> bool:
    """Whether a file without preamble begins with an element of group 0002 or 0008 and a low number."""
    with path.open("rb") as stream:
        first = stream.read(4)
    return len(first) == 4 and first[:2] in FIRST_GROUPS and first[3] == 0


def _no_slice(header: Dataset) -> str:
    """Why the image is no slice through the patient; empty where it may be one."""
    kinds = {str(part).strip().upper() for part in value_of(header, "ImageType") or ()}
    words = str(value_of(header, "SeriesDescription") or "").lower().replace("_", " ")
    if "LOCALIZER" in kinds or LOCALIZER_WORDS.search(words):
        return "a localizer"
    if kinds & PROJECTIONS or ("DERIVED" in kinds and PROJECTION_WORDS.search(words)):
        return "a projection, such as a MIP"
    return ""


def _described(header: Dataset) -> str:
    words = printable_name(str(value_of(header, "SeriesDescription") or ""))
    number = value_of(header, "SeriesNumber")
    return f"The series '{words or number or 'without number'}'"


def _left_out(header: Dataset, reason: str, read: Container[str]) -> str:
    """Of a series, or of an image among those of a series that is read."""
    if str(header.SeriesInstanceUID) in read:
        name = _described(header)
        return f"What is {reason} was left out of {name[0].lower()}{name[1:]}."
    return f"{_described(header)} was left out: it is {reason}."


def _identity(path: Path, header: Dataset) -> tuple[str, ...]:
    """The same for two copies of a slice. Some anonymizers give all slices one SOPInstanceUID: the place counts too."""
    uid = str(value_of(header, "SOPInstanceUID") or "")
    place = (str(value_of(header, "ImagePositionPatient")), str(value_of(header, "InstanceNumber")))
    return (uid, *place) if uid else (str(path),)


def _add(slices: dict[tuple[str, ...], tuple[Path, Dataset]], path: Path, header: Dataset) -> None:
    """Once for all its copies. What shows something else under the same name is another slice: two at one position are
    refused, for nothing tells which of them is right."""
    identity = _identity(path, header)
    if identity in slices:
        if show_the_same(slices[identity][0], path, dicom_classes()[str(header.SOPClassUID)]):
            return
        identity = (*identity, str(path))
    slices[identity] = (path, header)


def _series(uid: str, slices: tuple[tuple[Path, Dataset], ...]) -> Series:
    files, headers = zip(*slices, strict=True)
    return Series(uid, dicom_classes()[str(headers[0].SOPClassUID)], files, headers)


def _joined(series: list[Series], passed: Notes) -> list[Series]:
    """Series of one slice each that share all but their UID, as one."""
    groups: dict[tuple[str, ...], list[Series]] = {}
    for one in series:
        single = len(one.files) == 1 and "PerFrameFunctionalGroupsSequence" not in one.headers[0]
        groups.setdefault(_shared(one) if single else (one.uid,), []).append(one)
    for group in groups.values():
        if len(group) > 1:
            passed.append(f"{len(group)} series of one slice each were read as one, {group[0].name}.")
    return [
        _series(group[0].uid, tuple(pair for one in group for pair in zip(one.files, one.headers, strict=True)))
        for group in groups.values()
    ]


def _shared(series: Series) -> tuple[str, ...]:
    tags = ("StudyInstanceUID", "FrameOfReferenceUID", "SeriesNumber", "SeriesDescription", "ImageOrientationPatient")
    return (series.kind, *(str(value_of(series.headers[0], tag)) for tag in (*tags, "Rows", "Columns")))


def _check_one_patient(series: list[Series]) -> None:
    patients = {patient_id_hash(header) for one in series for header in one.headers} - {""}
    if len(patients) > 1:
        given = f"a folder with images of {len(patients)} patients"
        raise input_error(given, "one patient", "load each patient from a folder of their own")
