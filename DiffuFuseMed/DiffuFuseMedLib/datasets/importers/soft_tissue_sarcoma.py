"""Soft-tissue-Sarcoma of The Cancer Imaging Archive: FDG PET, CT and MR of 51 patients with a drawn tumor, as DICOM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ...core.errors import input_error
from ...core.grid import Grid
from ...core.triples import triple
from ...core.volume import Volume
from ...io.dicom.series import find_series
from ...io.study import UNUSED, read_study
from ...preprocessing.register import register_rigid
from ..sts import COLLECTION
from .plan import Content, Planned, PublicSet

PATIENT = re.compile(r"STS_\d{3}")
NEEDED, KEPT = ("CT", "PET", "MR_T1"), ("CT", "PET", "MR_T1", "MR_T2")
# The collection has each MR as it was taken, and registered to the PET: "AlignedT1toPETBOX", at times "Alligned".
ALIGNED = {"MR_T1": re.compile(r"all?igned_?t1_?topet"), "MR_T2": re.compile(r"all?igned_?t2(fs)?_?topet")}


def plan(folder: Path) -> Iterator[Planned]:
    """Soft-tissue-Sarcoma/STS_001/<study>/<series>/*.dcm: PET, CT, MR as taken and registered, and an RTSTRUCT each."""
    for place in sorted({p for p in (folder, *folder.rglob("STS_*")) if p.is_dir() and PATIENT.fullmatch(p.name)}):
        yield Planned(place.name, place.name, read=partial(read_patient, place))


def read_patient(place: Path) -> Content:
    """CT in HU, PET in SUV, MR T1, a T2 where there is one (no STIR), and the GTV as it was drawn on the CT, without
    the edema. Of each MR the one that is registered to the PET; one that is in another frame of reference is
    registered here.

    Raises InputError for a patient without CT, PET, MR T1 or a drawn mass.
    """
    study = read_study(place, _told(place) or None)
    if lacking := [key for key in NEEDED if key not in study.volumes]:
        why = "; ".join(note.rstrip(".") for note in study.notes if "not read" in note or "left out" in note)
        given = f"{place.name} without {' and '.join(lacking)}{f' ({why})' if why else ''}"
        raise input_error(given, "PET, CT and MR T1 as DICOM", "download its series")
    ct, mask = study.volumes["CT"], study.reference_mask
    if mask is None or not _in_frame_of(mask, ct):
        given = f"{place.name} without an RTSTRUCT that has the mass on its CT"
        raise input_error(given, "a ROI such as GTV_Mass", "download its RTSTRUCT series")
    images, notes = {}, []
    for key in (key for key in KEPT if key in study.volumes):
        volume = study.volumes[key]
        if not _is_placed(volume, ct):
            volume = _registered(volume, ct)
            notes.append(f"{key} was registered to the CT.")
        images[key] = volume
    return Content(images, {"GTV": mask}, tuple(notes))


def _told(place: Path) -> dict[str, str]:
    """By its description, what a registered MR is, and that others of its contrast are not read."""
    series = [one for one in find_series(place, []) if one.kind == "MR" and one.description]
    told = {one.description: key for one in series for key, words in ALIGNED.items() if _says(words, one.description)}
    others = {one.description for one in series} - set(told)
    return told | dict.fromkeys(others, UNUSED) if "MR_T1" in told.values() else told


def _says(words: re.Pattern[str], description: str) -> bool:
    return bool(words.search(description.lower().replace(" ", "")))


def _is_placed(volume: Volume, ct: Volume) -> bool:
    """Whether it lies in the CT's frame, by its UID or since the collection's authors registered it."""
    description = str(volume.meta.get("series_description") or "")
    return _in_frame_of(volume, ct) or any(_says(words, description) for words in ALIGNED.values())


def _in_frame_of(volume: Volume, ct: Volume) -> bool:
    frames = volume.meta.get("frame_of_reference"), ct.meta.get("frame_of_reference")
    return not all(frames) or frames[0] == frames[1]


def _registered(volume: Volume, ct: Volume) -> Volume:
    """The same voxels where a rigid motion onto the CT puts them: nothing is interpolated."""
    motion = register_rigid(ct, volume).matrix_moving_to_reference
    grid = volume.grid
    turned = motion[:3, :3] @ np.reshape(grid.direction, (3, 3))
    origin = motion[:3, :3] @ np.asarray(grid.origin) + motion[:3, 3]
    placed = Grid(grid.size, grid.spacing_mm, triple(float(x) for x in origin), tuple(map(float, turned.ravel())))
    return replace(volume, grid=placed)


STS = PublicSet(
    "sts",
    "sarcomas of the limbs on CT, PET, MR_T1, MR_T2",
    "CC BY 3.0",
    COLLECTION.attribution,
    "https://www.cancerimagingarchive.net/collection/soft-tissue-sarcoma/",
    plan,
)
