"""LIDC-IDRI of The Cancer Imaging Archive: lung nodules on CT, each outlined by up to four radiologists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from ...core.errors import InputError, input_error
from ...core.triples import triple
from ...core.volume import Volume
from ...io.dicom.images import read_dicom_folder
from ...io.dicom.reading import read_dataset
from ...io.dicom.tags import numbers
from ..lidc import COLLECTION
from .lidc_nodules import masks, nodules
from .lidc_xml import Drawing, Readings, read_readings
from .plan import Content, Planned, PublicSet, failing

MARGIN_MM = 32.0
HEADER = ["SeriesInstanceUID", "PatientID", "PixelSpacing", "SliceThickness"]


@dataclass(frozen=True)
class Scan:
    """Where a series lies, and what its first slice says."""

    folder: Path
    patient: str
    pixel_mm: tuple[float, float]
    thickness_mm: float


def plan(folder: Path) -> Iterator[Planned]:
    """LIDC-IDRI/LIDC-IDRI-0001/<study>/<series>/*.dcm with the XML of its readings beside them, or in a folder of
    their own. A case is a nodule of 3 mm or more: <patient>_<name of the XML>_<number>."""
    scans = _scans(folder)
    for path in sorted(folder.rglob("*.xml")):
        try:
            readings = read_readings(path)
        except InputError as error:
            yield failing(f"LIDC-IDRI_{path.stem}", path.stem, error)
            continue
        if readings is None:
            continue
        if readings.series_uid in scans:
            yield from _of_scan(scans[readings.series_uid], readings, path)
        else:
            given = f"the readings '{path.name}' of a series that is not there"
            yield failing(f"LIDC-IDRI_{path.stem}", path.stem, input_error(given, "the CT they are of", "add it"))


def _of_scan(scan: Scan, readings: Readings, path: Path) -> Iterator[Planned]:
    for n, nodule in enumerate(nodules(readings.drawings, scan.pixel_mm, scan.thickness_mm), 1):
        read = partial(read_nodule, scan.folder, readings.series_uid, nodule)
        yield Planned(f"{scan.patient}_{path.stem}_{n}", scan.patient, read=read)


def _scans(folder: Path) -> dict[str, Scan]:
    """By the UID of the series; of each folder of slices, one is looked at."""
    firsts = {path.parent: path for path in sorted(folder.rglob("*.dcm"), reverse=True)}
    found: dict[str, Scan] = {}
    for place, path in firsts.items():
        try:
            header = read_dataset(path, specific_tags=HEADER, stop_before_pixels=True)
        except Exception:  # that the readings of the series miss it is told
            continue
        pixel, thickness = numbers(header, "PixelSpacing", 2), numbers(header, "SliceThickness", 1)
        if pixel is not None and thickness is not None:
            row, column = (float(x) for x in pixel)  # between rows, between columns
            patient = str(header.get("PatientID") or place.name)
            found[str(header.get("SeriesInstanceUID"))] = Scan(place, patient, (column, row), float(thickness[0]))
    return found


def read_nodule(folder: Path, series_uid: str, nodule: tuple[Drawing, ...]) -> Content:
    """The CT within 32 mm of what any reader outlined, and GTV_reader1 and so on, of those who did.

    Raises InputError for a series that cannot be read, and for an outline that does not lie in it.
    """
    ct = _ct(folder, series_uid)
    drawn = masks(nodule, ct)
    where = np.argwhere(np.logical_or.reduce(list(drawn.values())))
    if len(where) == 0:
        return Content({}, {})
    margin = np.ceil(MARGIN_MM / np.asarray(ct.grid.spacing_kji_mm)).astype(int)
    start = triple(int(x) for x in np.maximum(where.min(axis=0) - margin, 0))
    stop = triple(int(x) for x in np.minimum(where.max(axis=0) + 1 + margin, ct.grid.shape))
    cut = {f"GTV_reader{n}": Volume(mask, ct.grid).cropped(start, stop) for n, mask in sorted(drawn.items())}
    return Content({"CT": ct.cropped(start, stop)}, cut)


@lru_cache(maxsize=1)
def _ct(folder: Path, series_uid: str) -> Volume:
    """Of the nodules of a scan, which come one after the other, only the first reads it."""
    found = [v for v in read_dicom_folder(folder) if v.modality == "CT" and v.meta["series_uid"] == series_uid]
    if not found:
        raise input_error(f"the series in {folder.name} that is no CT", "the CT that was read", "download it again")
    return found[0]


LIDC_IDRI = PublicSet(
    "lidc-idri",
    "lung nodules of up to four radiologists on CT",
    "CC BY 3.0",
    COLLECTION.attribution,
    "https://www.cancerimagingarchive.net/collection/lidc-idri/",
    plan,
)
