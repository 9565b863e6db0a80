"""A folder of DICOM files to one Volume per image series: CT in HU, PET in SUVbw, MR as stored."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from ...core.checks import check_modality, check_volume
from ...core.errors import InputError, input_error
from ...core.modalities import MODALITIES, dicom_classes, of_dicom, units_of
from ...core.volume import Volume
from .frames import Frame, frames_of, rescale_source
from .mr_sequence import contrasts_in_words, guess_sequence
from .stack import ordered, stack_grid
from .suv import pet_units, suvbw_factors
from .tags import required

log = logging.getLogger(__name__)

DICOM_SUFFIXES = (".dcm", ".ima", ".dicom")
HASH_LENGTH = 16
IMPLAUSIBLE_SUV, IMPLAUSIBLE_PERCENT = 100.0, 99.9


class UnknownContrastError(InputError):
    """An MR series whose tags do not tell its contrast."""


def read_dicom_folder(
    folder: str | Path, modalities: Mapping[str, str] | None = None, unknown: list[UnknownContrastError] | None = None
) -> list[Volume]:
    """Every CT, PET and MR series below the folder, by SeriesInstanceUID, sorted by modality key.

    modalities: SeriesInstanceUID -> key, for MR series whose contrast the tags do not tell; unknown: gets one error for
    each that was not told, which is left out. Other DICOM objects (RTSTRUCT, SEG, SR, secondary captures) and
    localizers are left out. Raises InputError for several patients and for series that are truncated, tilted,
    incomplete, uneven, or lack the tags their unit needs; without `unknown`, UnknownContrastError too.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise input_error(f"'{folder.name}', which is no folder", "a folder of DICOM files", "check the path")
    series = image_series(folder)
    volumes = []
    for files in series.values():
        try:
            volumes.append(_read_series(files, folder, dict(modalities or {})))
        except UnknownContrastError as error:
            if unknown is None:
                raise
            unknown.append(error)
    return sorted(volumes, key=lambda volume: (volume.modality, volume.meta["series_uid"]))


def patient_id_hash(dataset: Dataset) -> str:
    """A short SHA-256 of PatientID, so that patients can be told apart without naming them; empty without an ID."""
    identity = str(dataset.get("PatientID") or "").strip()
    return hashlib.sha256(identity.encode()).hexdigest()[:HASH_LENGTH] if identity else ""


def image_series(folder: Path) -> dict[str, list[Path]]:
    """The files of each CT, PET and MR series below the folder, by SeriesInstanceUID; InputError as above."""
    series: dict[str, list[Path]] = {}
    patients: set[str] = set()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        header = _header(path)
        if header is None or not _is_slice(header):
            continue
        uid = str(required(header, "SeriesInstanceUID", f"file '{path.name}'"))
        series.setdefault(uid, []).append(path)
        patients |= {patient_id_hash(header)} - {""}
    if len(patients) > 1:
        given = f"a folder with images of {len(patients)} patients"
        raise input_error(given, "one patient", "load each patient from a folder of their own")
    if not series:
        given = f"folder '{folder.name}' without a CT, PET or MR image series"
        raise input_error(given, "DICOM slices", "choose the folder that holds the images")
    return series


def _header(path: Path) -> Dataset | None:
    """The tags without pixels; None for a file that is no DICOM. Raises InputError for a damaged one."""
    named_dicom = path.suffix.lower() in DICOM_SUFFIXES
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, force=named_dicom)
    except InvalidDicomError:
        return None
    except Exception as error:  # a damaged file fails in as many ways as it can be damaged
        raise _damaged(path) from error
    if named_dicom and "SOPClassUID" not in header and "DirectoryRecordSequence" not in header:
        raise _damaged(path)
    return header


def _damaged(path: Path) -> InputError:
    remedy = "copy or export the series again"
    return input_error(f"file '{path.name}' that is truncated or no DICOM", "complete DICOM files", remedy)


def _is_slice(header: Dataset) -> bool:
    if str(header.get("SOPClassUID", "")) not in dicom_classes():
        return False
    if "LOCALIZER" in (header.get("ImageType") or ()):
        log.info("A localizer image was left out.")
        return False
    return True


def _read_series(files: list[Path], folder: Path, told: dict[str, str]) -> Volume:
    datasets = [_dataset(path) for path in files]
    first = datasets[0]
    kind = dicom_classes()[str(first.SOPClassUID)]
    name = f"the {kind} series '{first.get('SeriesNumber') or 'without number'}'"
    _check_one_frame_of_reference(datasets, name)
    frames = ordered([frame for dataset in datasets for frame in frames_of(dataset)], name)
    grid = stack_grid(frames, name)
    modality, factors, notes = _interpretation(datasets, kind, name, told)
    factor_of = {id(dataset): np.float32(factor) for dataset, factor in zip(datasets, factors, strict=True)}
    array = np.stack([frame.values(kind) * factor_of[id(frame.dataset)] for frame in frames])
    notes = [*notes, *_implausible(array, modality)]
    meta = {**_meta(frames, folder), "name": modality, "units": units_of(modality), "notes": notes}
    volume = Volume(array, grid, modality, meta)
    check_volume(volume, name)
    return volume


def _dataset(path: Path) -> Dataset:
    try:
        dataset = pydicom.dcmread(path, force=path.suffix.lower() in DICOM_SUFFIXES)
    except Exception as error:
        raise _damaged(path) from error
    if "PixelData" not in dataset or "Rows" not in dataset or "Columns" not in dataset:
        raise _damaged(path)
    return dataset


def _check_one_frame_of_reference(datasets: list[Dataset], name: str) -> None:
    if len({str(dataset.get("FrameOfReferenceUID", "")) for dataset in datasets}) > 1:
        remedy = "load one acquisition as its own series"
        raise input_error(f"{name} with slices in several frames of reference", "one frame of reference", remedy)


def _interpretation(
    datasets: list[Dataset], kind: str, name: str, told: dict[str, str]
) -> tuple[str, Sequence[float], list[str]]:
    """Modality key, the factor from each dataset's rescaled values to its unit, and notes."""
    modality = of_dicom(kind)
    if modality is None:
        modality, note = _told_or_guessed(datasets[0], name, told)
        return modality, [1.0] * len(datasets), [note]
    scale = MODALITIES[modality].scale
    if scale == "SUV":
        return (modality, *_pet_factors(datasets, name))
    if scale == "HU":
        _check_hounsfield_tag(datasets[0], name)
    return modality, [1.0] * len(datasets), []


def _pet_factors(datasets: list[Dataset], name: str) -> tuple[Sequence[float], list[str]]:
    """All slices must be in the same unit."""
    if len({pet_units(dataset) for dataset in datasets}) > 1:
        raise input_error(f"{name} with slices in different Units (0054,1001)", "one unit", "load one series only")
    found = suvbw_factors(datasets)
    return found.factors, [f"PET to SUVbw by {found.method}.", *found.notes]


def _implausible(array: np.ndarray, modality: str) -> list[str]:
    """A warning for SUV that hardly any tissue has: one of the tags behind it must be wrong."""
    if MODALITIES[modality].scale != "SUV":
        return []
    high = float(np.percentile(array, IMPLAUSIBLE_PERCENT))
    if high <= IMPLAUSIBLE_SUV:
        return []
    return [f"Warning: one voxel in a thousand has an SUV over {high:.0f}: dose, weight or times must be wrong."]


def _check_hounsfield_tag(dataset: Dataset, name: str) -> None:
    # "US" (unspecified) is common and means HU for original CT; the rest are dual-energy or material maps.
    first = 0 if "PerFrameFunctionalGroupsSequence" in dataset else None
    kind = str(rescale_source(dataset, first).get("RescaleType") or "HU").strip().upper()
    if kind not in ("HU", "US"):
        given = f"{name} whose RescaleType (0028,1054) is '{kind[:16]}'"
        raise input_error(given, "Hounsfield units (HU)", "load the CT series in HU")


def _told_or_guessed(dataset: Dataset, name: str, told: dict[str, str]) -> tuple[str, str]:
    """The key as told, else as guessed, and the sentence that says which."""
    uid = str(dataset.SeriesInstanceUID)
    if uid in told:
        check_modality(told[uid], name)
        return told[uid], f"{told[uid]} was told by the user."
    guess = guess_sequence(dataset)
    if guess is None:
        described = str(dataset.get("SeriesDescription", "")).strip() or "without a description"
        given = f"{name} ('{described}') whose tags tell {contrasts_in_words()}"
        raise UnknownContrastError(str(input_error(given, "a known MR contrast", "say what this series is")))
    return guess


def _meta(frames: list[Frame], folder: Path) -> dict[str, object]:
    first = frames[0].dataset
    return {
        "source": str(folder),
        "patient_id_hash": patient_id_hash(first),
        "frame_of_reference": str(first.get("FrameOfReferenceUID") or ""),
        "series_uid": str(first.SeriesInstanceUID),
        "study_uid": str(first.get("StudyInstanceUID") or ""),
        "series_description": str(first.get("SeriesDescription") or ""),
        "sop_instance_uids": [str(frame.dataset.get("SOPInstanceUID") or "") for frame in frames],
        "frame_numbers": [1 if frame.index is None else frame.index + 1 for frame in frames],
        "files": [str(frame.dataset.filename) for frame in frames],  # for what is written beside the series
    }
