"""Whose mask is whose, where several annotators drew the same lesion: by names of files, ROIs and segments, or by the
persons that DICOM names.

A person's name is not told: the masks of two persons are those of reader 1 and reader 2.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from ..core.errors import InputError
from ..core.printable import printable_name
from ..core.volume import Volume
from .dicom.reading import read_dataset
from .dicom.rtstruct import referenced_series, roi_names
from .dicom.seg import seg_referenced_series, segment_labels
from .dicom.tags import value_of
from .label_map import is_label_map_name, stem_of
from .lesion_names import annotator_in, lesion_names
from .masks import RTSTRUCT, read_mask_of, sop_class

log = logging.getLogger(__name__)
FOLDERS = ("masks", "readers", "raters", "annotators", "annotations", "references")
CONSENSUS = re.compile(r"(^|[_\-. ])(majority|consensus|staple|vote|fused|union|intersection)([_\-. ]|$)")
SET_WORDS = ("StructureSetLabel", "StructureSetName", "ContentLabel", "SeriesDescription", "ContentDescription")
PERSONS = ("ContentCreatorName", "OperatorsName")


@dataclass(frozen=True)
class Drawing:
    """One annotator's mask: the file it is in, and which of its ROIs or segments; all that are the lesion for ()."""

    annotator: str
    path: Path
    segments: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{', '.join(self.segments)} of {self.path.name}" if self.segments else self.path.name


Read = dict[str, tuple[Path, Volume]]  # by annotator: the file, and the mask


def masks_in_folders(folder: Path) -> list[Path]:
    """Label maps in a folder of masks beside the images, such as masks/ or readers/; a consensus of others is none."""
    inside = [place for name in FOLDERS if (place := folder / name).is_dir()]
    files = [path for place in inside for path in sorted(place.iterdir()) if path.is_file()]
    return [path for path in files if is_label_map_name(path.name) and not path.name.startswith(".")]


@dataclass(frozen=True)
class References:
    """masks: of two annotators or more by their names, each on its own grid, or {}; notes: the sentences on what was
    taken and what was not. Where there are none: left, the mask files beside the images and in folders that may be the
    one reference, left_dicom, those of DICOM; what was left out is in neither."""

    masks: dict[str, Volume]
    notes: tuple[str, ...]
    left: tuple[Path, ...] = ()
    left_dicom: tuple[Path, ...] = ()


def find_references(
    files: Sequence[Path], in_folders: Sequence[Path], dicom: Sequence[Path], volumes: Sequence[Volume]
) -> References:
    """The masks by annotator, and what else may be the lesion where fewer than two annotators are left.

    files: mask files beside the images; in_folders: of masks_in_folders(), where each file is an annotator's; dicom:
    RTSTRUCT and SEG. A mask that cannot be read, or holds nothing, is left out with a note.
    """
    drawings = [*_of_files(files), *_of_folders(in_folders), *_of_dicom(dicom)]
    found, notes, lost = _read_all(drawings, volumes)
    if len(found) < 2:
        return _none_of_several(found, lost, files, in_folders, dicom)
    used = {drawing.path for drawing in drawings}
    others = [path.name for path in (*files, *in_folders, *dicom) if path not in used]
    told = (
        f"The lesion was drawn by {len(found)} annotators ({', '.join(found)}); their majority is the reference mask."
    )
    beside = f"Not used as a reference beside the annotators' masks: {', '.join(others)}."
    masks = {annotator: mask for annotator, (_, mask) in found.items()}
    return References(masks, (told, *notes, *([beside] if others else [])))


def _read_all(drawings: Sequence[Drawing], volumes: Sequence[Volume]) -> tuple[Read, list[str], list[tuple[Path, str]]]:
    """Each annotator's first mask, the sentences on all, and those on what could not be read, by file."""
    found: Read = {}
    notes: list[str] = []
    lost: list[tuple[Path, str]] = []
    for drawing in drawings:
        if drawing.annotator in found:
            notes.append(f"Not used: {drawing.label}, a second mask of {drawing.annotator}.")
            continue
        try:
            mask = _read(drawing, volumes)
        except Exception as error:
            notes.append(f"{drawing.annotator} was left out ({drawing.label}). {reason(error)}")
            lost.append((drawing.path, notes[-1]))
            continue
        found[drawing.annotator] = drawing.path, mask
        notes += [f"{drawing.annotator}: {note}" for note in mask.meta.get("notes", ())]
    return found, notes, lost


def _none_of_several(
    found: Read,
    lost: Sequence[tuple[Path, str]],
    files: Sequence[Path],
    in_folders: Sequence[Path],
    dicom: Sequence[Path],
) -> References:
    """What is left for the one reference. A file that holds one annotator's mask is tried, whatever else it holds."""
    read = {path for path, _ in found.values()}
    told = {path: note for path, note in lost if path not in read}
    left = [path for path in (*files, *(p for p in in_folders if p in read)) if path not in told]
    return References({}, tuple(told.values()), tuple(left), tuple(path for path in dicom if path not in told))


def reason(error: Exception) -> str:
    """A mask that nobody foresaw must not cost the case: what is wrong with it is told as far as it is known."""
    if isinstance(error, InputError):
        return str(error)
    log.info("A mask could not be read.", exc_info=error)
    return f"It could not be read ({type(error).__name__})."


def _read(drawing: Drawing, volumes: Sequence[Volume]) -> Volume:
    series: Sequence[str] = ()
    if not is_label_map_name(drawing.path.name):
        structures = sop_class(drawing.path) == RTSTRUCT
        series = (referenced_series if structures else seg_referenced_series)(drawing.path)
    mask = read_mask_of(drawing.path, series, volumes, drawing.segments)
    return mask.with_array(mask.array, name=drawing.annotator)


def _of_files(files: Sequence[Path]) -> list[Drawing]:
    return [Drawing(name, path) for path in files if (name := annotator_in(stem_of(path.name)))]


def _of_folders(files: Sequence[Path]) -> list[Drawing]:
    """A file whose name says nothing of an annotator is that of its own name, such as a network's."""
    stems = {path: stem_of(path.name) for path in files}
    own = [path for path in files if not CONSENSUS.search(stems[path].lower())]
    return [Drawing(annotator_in(stems[path]) or printable_name(stems[path]), path) for path in own]


def _of_dicom(paths: Sequence[Path]) -> list[Drawing]:
    """By ROI or segment where their names say whose they are, else by file."""
    drawings: list[Drawing] = []
    whole: list[tuple[Path, Dataset]] = []
    for path in paths:
        try:
            names = roi_names(path) if sop_class(path) == RTSTRUCT else segment_labels(path)
            by_name = _by_annotator(names)
            drawings += [Drawing(annotator, path, segments) for annotator, segments in by_name.items()]
            if not by_name and lesion_names(names):
                whole.append((path, read_dataset(path, stop_before_pixels=True)))
        except Exception as error:  # the search for a single mask says what is wrong with it
            log.info("A mask's names could not be read.", exc_info=error)
    return drawings + _of_whole_files(whole)


def _by_annotator(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The ROIs or segments of each annotator: those that name the lesion, where any does."""
    said = {name: annotator for name in names if (annotator := annotator_in(name))}
    chosen = lesion_names(said) or tuple(said)
    by_name: dict[str, list[str]] = {}
    for name in chosen:
        by_name.setdefault(said[name], []).append(name)
    return {annotator: tuple(own) for annotator, own in by_name.items()}


def _of_whole_files(files: Sequence[tuple[Path, Dataset]]) -> list[Drawing]:
    """Files that each say in their own label, or by a person's name, who drew them; several by one person are none of
    several annotators, as where one contour was carried from image to image."""
    labeled = [(path, _said_by(dataset)) for path, dataset in files]
    drawings = [Drawing(annotator, path) for path, annotator in labeled if annotator]
    persons = {path: _person(dataset) for path, dataset in files if not _said_by(dataset)}
    number = {person: n for n, person in enumerate(dict.fromkeys(filter(None, persons.values())), 1)}
    if len(number) < 2:
        return drawings
    return drawings + [Drawing(f"reader {number[who]}", path) for path, who in persons.items() if who]


def _said_by(dataset: Dataset) -> str:
    found = (annotator_in(str(value_of(dataset, word) or "")) for word in SET_WORDS)
    return next(filter(None, found), "")


def _person(dataset: Dataset) -> str:
    observed = [value_of(item, "ROIInterpreter") for item in dataset.get("RTROIObservationsSequence", [])]
    said = (str(value or "").strip(" ^=") for value in (*observed, *(value_of(dataset, tag) for tag in PERSONS)))
    return next(filter(None, said), "")
