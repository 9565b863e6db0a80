"""A folder to one patient's Volumes: image files named by modality, DICOM series at any depth, or both."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..core.checks import check_modality
from ..core.errors import InputError, input_error
from ..core.modalities import MODALITIES
from ..core.parallel import each
from ..core.printable import printable
from ..core.volume import Volume
from .annotators import find_references, masks_in_folders
from .dicom.images import Choice, UnknownContrastError, read_dicom_folder
from .grammar.voxels import truncated
from .image_files import read_place, read_volume
from .label_map import is_label_map_name, stem_of
from .lesion_names import is_mask_stem
from .naming import modality_from_name
from .reference_mask import find_reference_mask
from .scan import DicomObject, scan_dicom

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Study:
    """volumes: by modality key, each on its own grid; reference_mask: a drawn lesion on its own grid, for scoring.

    references: the masks of several annotators by their names, each on its own grid; then reference_mask is None.
    notes: sentences on what was chosen, left out, or could not be used; places: what was not asked for, by modality, as
    its headers alone place it; unusable: those of the notes that are of an image file of a known modality.
    """

    name: str
    volumes: dict[str, Volume]
    reference_mask: Volume | None
    notes: tuple[str, ...] = ()
    places: dict[str, Volume] = field(default_factory=dict)
    references: dict[str, Volume] = field(default_factory=dict)
    unusable: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Names of files and words of headers that are quoted are made printable here, whoever quoted them."""
        told = {
            "name": printable(self.name),
            "notes": tuple(map(printable, self.notes)),
            "unusable": tuple(map(printable, self.unusable)),
            "volumes": {key: _printable(volume) for key, volume in self.volumes.items()},
            "reference_mask": self.reference_mask and _printable(self.reference_mask),
            "references": {name: _printable(mask) for name, mask in self.references.items()},
        }
        for name, value in told.items():
            object.__setattr__(self, name, value)


REASONS = (" for its words name it", " for having the most slices", " for having the most voxels")
UNUSED = ""  # told of an image that shall not be read


def read_study(
    path: str | Path,
    modalities: Mapping[str, str] | Iterable[str] | None = None,
    only: Iterable[str] | None = None,
) -> Study:
    """The images of one patient in a folder, and the lesion mask, or those of several annotators, that lie with them.

    Image files lie in the folder itself and are named CT.nii.gz, MR_T1.nrrd, ...; DICOM lies at any depth. A mapping
    {file name or series description: modality} tells what names and tags do not, UNUSED what shall not be read; a list,
    here or as `only`, limits what is read. Of two images of one modality the one that names it is taken before one that
    only looks like it, then the one with more slices, with a note; what nobody knows the modality of, and what cannot
    be used, is left out with one.
    Raises InputError for a missing folder, a file, several patients, an unknown modality, or nothing to read.
    """
    folder = Path(path)
    _check_folder(folder)
    told, wanted = _told_and_wanted(modalities, only)
    objects = scan_dicom(folder)
    files = [p for p in sorted(folder.iterdir()) if p.is_file() and _is_image_name(p.name)]
    _check_told(told, files, objects)
    notes: list[str] = []
    unknown: list[UnknownContrastError] = []
    choice = Choice({}, wanted, notes, unknown)
    found, unusable = _file_volumes(files, told, choice)
    found += _dicom_volumes(folder, objects, told, choice)
    if not found and unknown:
        raise unknown[0]
    notes += [f"A series was not read. {error}" for error in unknown]
    others = _one_a_modality(choice.places, [])
    if not found and others and not notes:
        raise not_there(list(wanted or ()), others)
    if not found:
        raise _nothing_to_read(folder, notes)
    found, lost = _placed(found)
    unusable, notes = [*unusable, *lost], [*notes, *lost]
    _check_one_patient(found)
    volumes = _one_a_modality(found, notes)
    others = {key: place for key, place in others.items() if key not in volumes}
    notes += [f"{key} was asked for and is not there." for key in wanted or () if key not in volumes]
    masks = [p for p in files if is_mask_stem(stem_of(p.name)) and p.name not in told]
    drawn, placed = [o.path for o in objects if o.is_mask], [*volumes.values(), *others.values()]
    several = find_references(masks, masks_in_folders(folder), drawn, placed)
    reference, mask_notes = None, several.notes
    if not several.masks:
        reference, told_of_it = find_reference_mask(several.left, several.left_dicom, placed)
        mask_notes += told_of_it
    name, notes = folder.resolve().name, [*notes, *mask_notes]
    return Study(name, volumes, reference, tuple(notes), others, several.masks, tuple(unusable))


def not_there(missing: list[str], there: Iterable[str]) -> InputError:
    """The one sentence for modalities that were asked for and that the study does not have."""
    given = f"a study without {' and '.join(missing)}, as asked for"
    return input_error(given, f"some of what it has ({', '.join(there)})", "ask for these")


def images_in(path: str | Path) -> list[str]:
    """What read_study() can be told a modality of: names of image files in the folder and descriptions of its DICOM
    series, masks left out. Raises InputError for a missing folder or a file."""
    folder = Path(path)
    _check_folder(folder)
    files = [p.name for p in sorted(folder.iterdir()) if p.is_file() and _is_image_name(p.name)]
    series = {o.series_description for o in scan_dicom(folder) if o.holds_slices and o.series_description}
    return [name for name in files if not is_mask_stem(stem_of(name))] + sorted(series)


def read_folder(path: str | Path, told: Mapping[str, str]) -> tuple[list[str], Study]:
    """images_in(), and read_study() told of those names that are there. Raises InputError as they do."""
    there = images_in(path)
    return there, read_study(path, {name: key for name, key in told.items() if name in there} or None)


def _printable(volume: Volume) -> Volume:
    notes = [printable(str(note)) for note in volume.meta.get("notes", ())]
    return replace(volume, meta={**volume.meta, "name": printable(volume.name), "notes": notes})


def _check_folder(folder: Path) -> None:
    if folder.is_file():
        raise input_error(
            f"the file '{folder.name}'", "a folder with one patient's images", "choose the folder it lies in"
        )
    if not folder.is_dir():
        raise input_error(
            f"folder '{folder.name}' that is not there", "a folder with one patient's images", "check the path"
        )


def _is_image_name(name: str) -> bool:
    return is_label_map_name(name) and not name.startswith(".")


def _told_and_wanted(
    modalities: Mapping[str, str] | Iterable[str] | None, only: Iterable[str] | None
) -> tuple[dict[str, str], list[str] | None]:
    told = dict(modalities) if isinstance(modalities, Mapping) else {}
    listed = only if modalities is None or isinstance(modalities, Mapping) else modalities
    wanted = None if listed is None else list(listed)
    for key in [*told.values(), *(wanted or [])]:
        if key != UNUSED:
            check_modality(key, "an image")
    return told, wanted


def _check_told(told: dict[str, str], files: list[Path], objects: list[DicomObject]) -> None:
    known = {p.name for p in files} | {o.series_description for o in objects}
    for name in told:
        if name not in known:
            raise input_error(
                f"a modality for '{name}', which is not in the folder",
                "a file name or series description",
                "correct the name",
            )


def _file_volumes(files: list[Path], told: dict[str, str], choice: Choice) -> tuple[list[Volume], list[str]]:
    """The images, and why one of a known modality cannot be used, which the notes tell too."""
    chosen, notes = [], choice.notes if choice.notes is not None else []
    for path in files:
        unused = told.get(path.name) == UNUSED
        if unused or (path.name not in told and is_mask_stem(stem_of(path.name))):
            continue
        try:
            modality = told.get(path.name) or modality_from_name(path.name)
        except InputError as error:
            notes.append(f"File {path.name} was not read. {error}")
            continue
        if choice.wanted is None or modality in choice.wanted:
            chosen.append((path, modality))
        else:
            with suppress(InputError):  # of what nobody asked for
                choice.places.append(read_place(path, modality))
    found = each(lambda file: _read_or_reason(*file), chosen)
    unusable = [reason for reason in found if isinstance(reason, str)]
    notes += unusable
    return [volume for volume in found if isinstance(volume, Volume)], unusable


def _read_or_reason(path: Path, modality: str) -> Volume | str:
    """The image, or why it cannot be used, which does not cost the study."""
    try:
        return read_volume(path, modality)
    except InputError as error:
        return f"File {path.name} was not read. {error}"
    except MemoryError:
        raise
    except Exception as error:  # of a damaged header, in as many ways as it can be damaged
        log.info("An image file could not be read.", exc_info=error)
        return f"File {path.name} was not read. {truncated(path)}"


def _dicom_volumes(folder: Path, objects: list[DicomObject], told: dict[str, str], choice: Choice) -> list[Volume]:
    if not any(o.holds_slices for o in objects):
        return []
    choice.told = {o.series_uid: told[o.series_description] for o in objects if o.series_description in told}
    return read_dicom_folder(folder, choice=choice)


def _nothing_to_read(folder: Path, notes: list[str]) -> InputError:
    """Why, as far as it is known."""
    if len(notes) == 1 and ". Given " in notes[0]:
        return InputError(notes[0].split(". ", 1)[1])
    given = f"folder '{folder.name}' with nothing to read{_reasons(notes)}"
    remedy = "choose a folder with files such as CT.nii.gz, or with DICOM series"
    return input_error(given, "a CT, PET, MR or SPECT image", remedy)


def _reasons(notes: list[str]) -> str:
    return f" ({'; '.join(note.rstrip('.').replace('. Given ', ': ') for note in notes)})" if notes else ""


def _placed(volumes: list[Volume]) -> tuple[list[Volume], list[str]]:
    """Without the images whose file names no orientation, where others name theirs: nothing says how the two kinds lie
    to each other. Where none does, they at least lie alike. And a sentence on each that is left out."""
    lost = [v for v in volumes if v.meta.get("unplaced")]
    if len(lost) in (0, len(volumes)):
        return volumes, []
    remedy = "write its qform or sform, and read it again"
    told = [f"{_label(v)} was left out: it names no orientation, unlike the other images; {remedy}." for v in lost]
    return [v for v in volumes if not v.meta.get("unplaced")], told


def _check_one_patient(volumes: list[Volume]) -> None:
    patients = {str(v.meta["patient_id_hash"]) for v in volumes if v.meta.get("patient_id_hash")}
    if len(patients) > 1:
        raise input_error(f"images of {len(patients)} patients", "one patient a folder", "move the others elsewhere")


def _one_a_modality(found: list[Volume], notes: list[str]) -> dict[str, Volume]:
    """By modality, in the order of MODALITIES, the image with most slices (then most voxels)."""
    volumes = {}
    for modality in MODALITIES:
        same = sorted((v for v in found if v.modality == modality), key=_worth, reverse=True)
        if same:
            volumes[modality] = same[0]
        if len(same) > 1:
            notes.append(_choice_note(modality, same))
    return volumes


def _worth(volume: Volume) -> tuple[bool, int, int]:
    """An image whose words name it goes before one whose timing only looks like it, however large that is."""
    return not volume.meta.get("guessed"), volume.grid.size[2], volume.array.size


def _choice_note(modality: str, same: list[Volume]) -> str:
    taken, *left = [f"{_told_apart(v)} ({v.grid.size[2]} slices)" for v in same]
    return f"{len(same)} images are {modality}: {taken} was taken{_why(*same[:2])}, {', '.join(left)} left out."


def _why(taken: Volume, next_best: Volume) -> str:
    """In the words of _worth()."""
    for better, why in zip(zip(_worth(taken), _worth(next_best), strict=True), REASONS, strict=True):
        if better[0] > better[1]:
            return why
    return " as the first of its kind"


def _told_apart(volume: Volume) -> str:
    """With what tells it from others of its series."""
    stack = volume.meta.get("stack")
    return f"{_label(volume)} ({stack})" if stack else _label(volume)


def _label(volume: Volume) -> str:
    described = volume.meta.get("series_description")
    return f"series '{described}'" if described else Path(str(volume.meta.get("source", volume.name))).name
