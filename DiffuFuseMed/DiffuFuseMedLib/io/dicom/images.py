"""A folder of DICOM files to one Volume per image series: CT in HU, PET in SUVbw, MR as stored."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from ...core.body_parts import body_part_of
from ...core.checks import check_modality, check_volume, unknown_voxels
from ...core.errors import InputError, input_error
from ...core.modalities import MODALITIES, of_dicom, units_of
from ...core.volume import Volume
from .body_measures import other_units
from .frames import Frame, frames_of, rescale_source
from .modality_lut import modality_table
from .mr_sequence import contrasts_in_words, guess_sequence
from .reading import check_room, read_dataset
from .series import Series, damaged, damaged_series, find_series, patient_id_hash
from .stacks import Stack, stacks_of
from .suv import pet_units, suvbw_factors
from .tags import value_of

log = logging.getLogger(__name__)

IMPLAUSIBLE_SUV, IMPLAUSIBLE_PERCENT = 100.0, 99.9


class UnknownContrastError(InputError):
    """An MR series whose tags do not tell its contrast."""


@dataclass
class Choice:
    """What is read of a folder. told: SeriesInstanceUID -> modality key, "" for a series that shall not be read;
    wanted: the keys that are read, None for all. notes and unknown: where given, what cannot be used, or is an MR of
    unknown contrast, is told there and left out instead of raised. places: gets what is known to be another modality
    than the wanted ones, without its voxels."""

    told: Mapping[str, str] = field(default_factory=dict)
    wanted: Collection[str] | None = None
    notes: list[str] | None = None
    unknown: list[UnknownContrastError] | None = None
    places: list[Volume] = field(default_factory=list)


def read_dicom_folder(
    folder: str | Path, modalities: Mapping[str, str] | None = None, choice: Choice | None = None
) -> list[Volume]:
    """Every CT, PET and MR series below the folder, by SeriesInstanceUID, sorted by modality key.

    modalities: Choice.told. Other DICOM objects (RTSTRUCT, SEG, SR, secondary captures), localizers and projections are
    left out. Voxels of what is not wanted are never read. Raises InputError for several patients and, without
    choice.notes, for series that are truncated, tilted, incomplete, uneven, or lack the tags their unit needs; without
    choice.unknown, UnknownContrastError too.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise input_error(f"'{folder.name}', which is no folder", "a folder of DICOM files", "check the path")
    choice = choice or Choice(told=modalities or {})
    volumes: list[Volume] = []
    for series in find_series(folder, choice.notes):
        if choice.told.get(series.uid) != "":
            volumes += _volumes(series, folder, choice)
    return sorted(volumes, key=lambda volume: (volume.modality, volume.meta["series_uid"]))


def image_series(folder: Path) -> dict[str, list[Path]]:
    """The files of each CT, PET and MR series below the folder, by SeriesInstanceUID; InputError as above."""
    return {series.uid: list(series.files) for series in find_series(folder)}


def _volumes(series: Series, folder: Path, choice: Choice) -> list[Volume]:
    """Of the series' stacks; what cannot be used is told where there is somebody to tell."""
    try:
        return list(_read_series(series, folder, choice))
    except UnknownContrastError as error:
        if choice.unknown is None:
            raise
        choice.unknown.append(error)
    except InputError as error:
        if choice.notes is None:
            raise
        choice.notes.append(f"{series.name[0].upper()}{series.name[1:]} was not read. {error}")
    except MemoryError:
        raise
    except Exception as error:  # of a damaged header, in as many ways as it can be damaged: it costs no other series
        log.info("A series could not be read.", exc_info=error)
        unreadable = damaged_series(series.name, error)
        if choice.notes is None:
            raise unreadable from error
        choice.notes.append(f"{series.name[0].upper()}{series.name[1:]} was not read. {unreadable}")
    return []


def _read_series(series: Series, folder: Path, choice: Choice) -> Iterator[Volume]:
    """Headers tell all but the voxels: those are read last, and only of what is wanted."""
    _check_one_frame_of_reference(series.headers, series.name)
    frames = [frame for header in series.headers for frame in frames_of(header)]
    notes: list[str] = []
    for stack in stacks_of(frames, series.name, notes):
        headers = list({id(frame.dataset): frame.dataset for frame in stack.frames}.values())
        key = of_dicom(series.kind)
        if choice.wanted is not None and key is not None and key not in choice.wanted:
            choice.places.append(_place(stack, key, series, folder))
            continue
        found = _interpretation(headers, series, choice.told)
        if choice.wanted is None or found.modality in choice.wanted:
            yield _volume(stack, found, series, folder, notes)
        else:
            choice.places.append(_place(stack, found.modality, series, folder))


def _place(stack: Stack, modality: str, series: Series, folder: Path) -> Volume:
    return Volume.without_voxels(stack.grid, modality, _meta(list(stack.frames), folder, series, stack))


def _volume(stack: Stack, found: _Meaning, series: Series, folder: Path, notes: Sequence[str]) -> Volume:
    check_room(found.headers, series.name)
    whole = {id(header): _dataset(Path(str(header.filename))) for header in found.headers}
    frames = [replace(frame, dataset=whole[id(frame.dataset)]) for frame in stack.frames]
    factor_of = {id(whole[id(h)]): np.float32(f) for h, f in zip(found.headers, found.factors, strict=True)}
    array = np.stack([frame.values(series.kind) * factor_of[id(frame.dataset)] for frame in frames])
    told = [*found.notes, *notes, *unknown_voxels(array), *_implausible(array, found.modality)]
    meta = {
        **_meta(frames, folder, series, stack),
        **found.more,
        "name": found.modality,
        "units": units_of(found.modality),
    }
    volume = Volume(array, stack.grid, found.modality, {**meta, "notes": told, "guessed": found.guessed})
    check_volume(volume, series.name)
    return volume


def _dataset(path: Path) -> Dataset:
    try:
        dataset = read_dataset(path, force=True)  # its header has been read: it is DICOM, with or without preamble
    except Exception as error:
        raise damaged(path) from error
    if "PixelData" not in dataset or "Rows" not in dataset or "Columns" not in dataset:
        raise damaged(path)
    return dataset


def _check_one_frame_of_reference(datasets: Sequence[Dataset], name: str) -> None:
    if len({str(dataset.get("FrameOfReferenceUID", "")) for dataset in datasets}) > 1:
        remedy = "load one acquisition as its own series"
        raise input_error(f"{name} with slices in several frames of reference", "one frame of reference", remedy)


@dataclass(frozen=True)
class _Meaning:
    """What the tags of a stack's datasets say its values are: modality key, the factor from each dataset's rescaled
    values to the modality's unit, notes, whether the modality is a guess from timing, and more for Volume.meta."""

    headers: list[Dataset]
    modality: str
    factors: Sequence[float]
    notes: list[str]
    guessed: bool = False
    more: Mapping[str, object] = field(default_factory=dict)


def _interpretation(headers: list[Dataset], series: Series, told: Mapping[str, str]) -> _Meaning:
    modality, plain = of_dicom(series.kind), [1.0] * len(headers)
    if modality is None:
        modality, note, guessed = _told_or_guessed(headers[0], series, told)
        return _Meaning(headers, modality, plain, [note], guessed)
    scale = MODALITIES[modality].scale
    if scale == "SUV":
        return _pet(headers, modality, series.name)
    if scale == "HU":
        _check_hounsfield_tag(headers[0], series.name)
    return _Meaning(headers, modality, plain, [])


def _pet(headers: list[Dataset], modality: str, name: str) -> _Meaning:
    """All slices must be in the same unit."""
    if len({pet_units(dataset) for dataset in headers}) > 1:
        raise input_error(f"{name} with slices in different Units (0054,1001)", "one unit", "load one series only")
    found = suvbw_factors(headers)
    units, assumed = other_units(headers[0])
    notes = [f"PET to SUVbw by {found.method}.", *found.notes, *assumed]
    return _Meaning(headers, modality, found.factors, notes, more=units)


def _implausible(array: np.ndarray, modality: str) -> list[str]:
    """A warning for SUV that hardly any tissue has: one of the tags behind it must be wrong."""
    if MODALITIES[modality].scale != "SUV":
        return []
    high = float(np.nanpercentile(array, IMPLAUSIBLE_PERCENT))
    if high <= IMPLAUSIBLE_SUV:
        return []
    return [f"Warning: one voxel in a thousand has an SUV over {high:.0f}: dose, weight or times must be wrong."]


def _check_hounsfield_tag(dataset: Dataset, name: str) -> None:
    # "US" (unspecified) is common and means HU for original CT; the rest are dual-energy or material maps.
    first = 0 if "PerFrameFunctionalGroupsSequence" in dataset else None
    source = rescale_source(dataset, first)
    table = modality_table(source)
    kind = (table.kind if table else str(value_of(source, "RescaleType") or "").strip().upper()) or "HU"
    if kind not in ("HU", "US"):
        tag = "ModalityLUTType (0028,3004)" if table else "RescaleType (0028,1054)"
        given = f"{name} whose {tag} is '{kind[:16]}'"
        raise input_error(given, "Hounsfield units (HU)", "load the CT series in HU")


def _told_or_guessed(dataset: Dataset, series: Series, told: Mapping[str, str]) -> tuple[str, str, bool]:
    """The key as told, else as guessed; the sentence that says which; whether it is a guess from timing."""
    if series.uid in told:
        check_modality(told[series.uid], series.name)
        return told[series.uid], f"{told[series.uid]} was told by the user.", False
    guess = guess_sequence(dataset)
    if guess is None:
        described = series.description.strip() or "without a description"
        given = f"{series.name} ('{described}') whose tags tell {contrasts_in_words()}"
        raise UnknownContrastError(str(input_error(given, "a known MR contrast", "say what this series is")))
    return guess.modality, guess.why, guess.from_timing


def _meta(frames: list[Frame], folder: Path, series: Series, stack: Stack) -> dict[str, object]:
    first = frames[0].dataset
    return {
        "source": str(folder),
        "patient_id_hash": patient_id_hash(first),
        "frame_of_reference": str(first.get("FrameOfReferenceUID") or ""),
        "series_uid": series.uid,
        "study_uid": str(first.get("StudyInstanceUID") or ""),
        "series_description": series.description,
        "body_part": body_part_of(str(first.get("BodyPartExamined") or "")) or body_part_of(series.description),
        "stack": stack.label,
        "sop_instance_uids": [str(frame.dataset.get("SOPInstanceUID") or "") for frame in frames],
        "frame_numbers": [1 if frame.index is None else frame.index + 1 for frame in frames],
        "files": [str(frame.dataset.filename) for frame in frames],  # for what is written beside the series
    }
