"""The drawn lesion of a study: a mask file, else the RTSTRUCT or SEG that fits its images best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.modalities import MODALITIES
from ..core.volume import Volume
from .annotators import reason
from .dicom.rtstruct import referenced_series, roi_names, unnumbered_rois
from .dicom.seg import seg_referenced_series, segment_labels
from .label_map import stem_of
from .lesion_names import is_gtv, lesion_names
from .masks import RTSTRUCT, read_mask_of, sop_class

NOTHING_NAMED = "nothing in it is named GTV, tumor, lesion or sarcoma"


@dataclass(frozen=True)
class Candidate:
    """A file that may hold the lesion, the image it was drawn on (None where unknown), and its rank, best lowest."""

    path: Path
    drawn_on: Volume | None
    rank: tuple[int, int, str]


def find_reference_mask(
    files: Sequence[Path], dicom: Sequence[Path], volumes: Sequence[Volume]
) -> tuple[Volume | None, tuple[str, ...]]:
    """The lesion on its own grid, or None, and the sentences on what was taken and what was not.

    files: mask files; dicom: RTSTRUCT and SEG files. A mask file goes before DICOM, a GTV before other lesions, and
    what was drawn on CT before the rest of MODALITIES. One that cannot be read is noted and the next is tried.
    """
    notes: list[str] = []
    candidates = sorted([_of_file(p) for p in files], key=_rank) + _of_dicom(dicom, volumes, notes)
    for n, candidate in enumerate(candidates):
        try:
            mask = _read(candidate, volumes)
        except Exception as error:
            notes.append(f"{candidate.path.name} is not the reference mask. {reason(error)}")
            continue
        others = [_label(c) for c in candidates[n + 1 :]]
        notes.append(f"The reference mask is {mask.name} of {_label(candidate)}.")
        notes += [f"{mask.name}: {note}" for note in mask.meta.get("notes", ())]
        notes += [f"Not used as the reference mask: {', '.join(others)}."] if others else []
        return mask, tuple(notes)
    return None, tuple(notes)


def _rank(candidate: Candidate) -> tuple[int, int, str]:
    return candidate.rank


def _label(candidate: Candidate) -> str:
    on = f" (drawn on {candidate.drawn_on.modality})" if candidate.drawn_on else ""
    return candidate.path.name + on


def _of_file(path: Path) -> Candidate:
    return Candidate(path, None, (0 if is_gtv(stem_of(path.name)) else 1, 0, path.name))


def _of_dicom(paths: Sequence[Path], volumes: Sequence[Volume], notes: list[str]) -> list[Candidate]:
    """Those with a lesion by name, best first; the others leave a note."""
    candidates = []
    for path in paths:
        try:
            structures = sop_class(path) == RTSTRUCT
            names = roi_names(path) if structures else segment_labels(path)
            series = referenced_series(path) if structures else seg_referenced_series(path)
        except Exception as error:
            notes.append(f"{path.name} is not the reference mask. {reason(error)}")
            continue
        chosen = lesion_names(names)
        if chosen:
            candidates.append(_candidate(path, is_gtv(chosen[0]), series, volumes))
        else:
            lost = lesion_names(unnumbered_rois(path)) if structures else ()
            why = f"its ROI {lost[0]} has no ROINumber (3006,0022)" if lost else NOTHING_NAMED
            notes.append(f"{path.name} is not the reference mask: {why}.")
    return sorted(candidates, key=_rank)


def _candidate(path: Path, gtv: bool, series: Sequence[str], volumes: Sequence[Volume]) -> Candidate:
    drawn_on = [v for v in volumes if v.meta.get("series_uid") in series]
    first = min(drawn_on, key=_order) if drawn_on else None
    return Candidate(path, first, (0 if gtv else 1, _order(first), str(path)))


def _order(volume: Volume | None) -> int:
    keys = [*MODALITIES, volume.modality if volume else None]
    return keys.index(volume.modality) if volume else len(MODALITIES)


def _read(candidate: Candidate, volumes: Sequence[Volume]) -> Volume:
    """A label map or SEG brings its grid; contours get that of the image they were drawn on, else the first with a
    frame of reference, which must then agree."""
    series = (candidate.drawn_on.meta["series_uid"],) if candidate.drawn_on else ()
    return read_mask_of(candidate.path, series, volumes)
