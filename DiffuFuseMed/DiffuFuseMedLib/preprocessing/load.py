"""A case folder read and aligned in one go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..core.case import Case
from ..core.errors import input_error
from ..core.modalities import MODALITIES, is_mr
from ..core.resampling import valid_mask
from ..core.volume import Volume
from ..io.study import not_there, read_study
from .align import align, default_reference
from .intensity import n4


def load_case(
    folder: str | Path,
    modalities: Mapping[str, str] | Iterable[str] | None = None,
    reference: str | None = None,
    register: str = "auto",
    correct_bias: bool = False,
    only: Iterable[str] | None = None,
    whole: bool = False,
) -> Case:
    """read_study() and align(): the folder's volumes on one grid; its drawn lesion is the reference mask, those of
    several annotators the references.

    correct_bias: N4 on every MR before it is aligned; only: keys of what is read. The grid is that of the whole study
    all the same, from the header where the image that has it is not among them.
    whole: what is scored or learned from is the case as it was taken, so an image file that is there and cannot be used
    is an error instead of a note.
    Raises InputError for a key that the study does not have.
    """
    wanted = None if only is None else list(only)
    study = read_study(folder, modalities, wanted)
    if whole and study.unusable:
        given = f"the case {study.name} with an image that cannot be used ({study.unusable[0].rstrip('.')})"
        raise input_error(given, "each of its images as it was taken", "copy it again, or move it out of the folder")
    there = {**study.places, **study.volumes}
    if missing := [key for key in wanted or () if key not in study.volumes]:
        raise not_there(missing, [key for key in MODALITIES if key in there])
    volumes = {m: _corrected(v) if correct_bias and is_mr(m) else v for m, v in study.volumes.items()}
    place = study.places.get(reference or default_reference(there))
    asked = None if place is not None else reference
    mask, notes, several = study.reference_mask, study.notes, study.references
    return align(volumes, asked, register, study.name, mask, notes, place=place, references=several)


def load_whole(folder: str | Path) -> Case:
    """load_case() of what is scored or learned from."""
    return load_case(folder, whole=True)


def _corrected(volume: Volume) -> Volume:
    note = f"The bias field of {volume.modality} was corrected (N4)."
    corrected = n4(volume, valid_mask(volume))
    return corrected.with_array(corrected.array, notes=[*volume.meta.get("notes", ()), note])
