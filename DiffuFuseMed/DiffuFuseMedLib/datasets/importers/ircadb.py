"""3D-IRCADb-01: liver tumors on CT of 20 patients, images and masks as DICOM, each patient's in archives."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from ...core.errors import InputError, input_error
from ...core.volume import Volume
from ...io.dicom.images import read_dicom_folder
from ...io.dicom.reading import read_dataset
from .plan import Content, Planned, PublicSet

PATIENT = re.compile(r"3Dircadb1\.(\d+)", re.IGNORECASE)
LARGEST_ARCHIVE = 8 << 30  # unpacked; a patient's is some hundred MB


def plan(folder: Path) -> Iterator[Planned]:
    """3Dircadb1.N/PATIENT_DICOM/image_0 and so on, 3Dircadb1.N/MASKS_DICOM/livertumor*/image_0 and so on; both as
    folders or as the archives PATIENT_DICOM.zip and MASKS_DICOM.zip that they are downloaded as."""
    places = [p for p in (folder, *folder.rglob("3Dircadb1.*")) if p.is_dir() and PATIENT.fullmatch(p.name)]
    numbers = {(int(found[1]), place) for place in places if (found := PATIENT.fullmatch(place.name))}
    for number, place in sorted(numbers):
        name = f"IRCADB_{number:02d}"
        yield Planned(name, name, read=partial(read_patient, place))


def read_patient(place: Path) -> Content:
    """The CT, and the union of the masks in every folder livertumor*; an empty one where there is none of them.

    Raises InputError for images or masks that are not there, are no DICOM, or do not fit each other.
    """
    with tempfile.TemporaryDirectory() as unpacked:
        images, masks = (_folder(place, name, Path(unpacked)) for name in ("PATIENT_DICOM", "MASKS_DICOM"))
        ct = next((v for v in read_dicom_folder(images) if v.modality == "CT"), None)
        if ct is None:
            raise input_error(f"{place.name} without a CT", "its PATIENT_DICOM", "download it again")
        drawn = np.zeros(ct.array.shape, bool)
        for tumor in sorted(p for p in masks.rglob("livertumor*") if p.is_dir()):
            drawn |= _mask(tumor, ct)
    return Content({"CT": ct}, {"GTV": Volume(drawn, ct.grid)})


def _folder(place: Path, name: str, unpacked: Path) -> Path:
    if (place / name).is_dir():
        return place / name
    archive = place / f"{name}.zip"
    if not archive.is_file():
        raise input_error(f"{place.name} without {name} or {name}.zip", "the set as it is downloaded", "add it")
    try:
        with zipfile.ZipFile(archive) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > LARGEST_ARCHIVE:
                raise _not_unpacked(archive)
            packed.extractall(unpacked / name)
    except (zipfile.BadZipFile, OSError, EOFError) as cause:
        raise _not_unpacked(archive) from cause
    return unpacked / name


def _not_unpacked(archive: Path) -> InputError:
    given = f"{archive.name} of {archive.parent.name}, which cannot be unpacked"
    return input_error(given, "the archive as it is downloaded", "download it again")


def _mask(folder: Path, ct: Volume) -> np.ndarray:
    """bool [k, j, i]: a mask's slice has the name of the CT's file."""
    slices = [_slice(folder / Path(file).name, folder) for file in ct.meta["files"]]
    if any(one.shape != ct.array.shape[1:] for one in slices):
        given = f"the mask {folder.name} of another size than its CT"
        raise input_error(given, "a mask of each slice", "download it again")
    return np.stack(slices)


def _slice(file: Path, folder: Path) -> np.ndarray:
    if not file.is_file():
        raise input_error(f"the mask {folder.name} without {file.name}", "a mask of each slice", "download it again")
    try:
        return np.asarray(read_dataset(file).pixel_array) > 0
    except Exception as cause:  # of a damaged file, in as many ways as it can be damaged
        given = f"{file.name} of the mask {folder.name}, which cannot be read"
        raise input_error(given, "a DICOM image", "download it again") from cause


IRCADB = PublicSet(
    "ircadb",
    "liver tumors on CT",
    "CC BY-NC-ND 3.0",
    "Soler L et al. (2010). 3D Image Reconstruction for Comparison of Algorithm Database: A patient specific "
    "anatomical and medical image database. IRCAD, Strasbourg",
    "https://www.ircad.fr/research/data-sets/liver-segmentation-3d-ircadb-01/",
    plan,
)
