"""A lesion mask from whatever holds it: NIfTI, NRRD, MetaImage, .seg.nrrd, RTSTRUCT, DICOM SEG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from ..core.errors import InputError, input_error
from ..core.grid import Grid
from ..core.modalities import MODALITIES
from ..core.volume import Volume
from .dicom.entry_names import listed
from .dicom.reading import read_dataset
from .dicom.rtstruct import read_rtstruct, roi_names
from .dicom.seg import read_dicom_seg, segment_labels
from .dicom.series import patient_id_hash
from .dicom.tags import tag_name
from .label_map import is_label_map_name, read_label_map
from .lesion_names import lesion_names
from .mask_grid import check_frame, mask_onto, with_notes

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
PATIENT = tag_name("PatientID")
SEG = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # binary and fractional, label map


def read_mask(
    path: str | Path, grid: Grid | None = None, frame_of_reference: str = "", segments: Sequence[str] = ()
) -> Volume:
    """The lesion as a uint8 mask, on `grid` by nearest neighbor where given, else on the file's own grid.

    An RTSTRUCT has no grid of its own and needs one. segments: of a DICOM file, those to merge; by default those named
    GTV, else tumor, lesion or sarcoma, and a note says which; frame_of_reference: UID of the image's, to be checked
    where given and DICOM.
    Raises InputError for an empty mask, values that are no labels, several segments of which none is named as the
    lesion, another frame of reference, no overlap with the grid.
    """
    path = Path(path)
    if is_label_map_name(path.name):
        return mask_onto(read_label_map(path), grid)
    kind = sop_class(path)
    if kind == RTSTRUCT:
        return _from_rtstruct(path, grid, frame_of_reference, tuple(segments))
    if kind in SEG:
        return _from_seg(path, grid, frame_of_reference, tuple(segments))
    raise _not_a_mask(path)


def read_mask_of(path: Path, series: Sequence[str], volumes: Sequence[Volume], segments: Sequence[str] = ()) -> Volume:
    """read_mask() of what lies with these images. series: UIDs of those that the file refers to.

    Raises InputError for a DICOM mask of another patient, unless it lies in the images' frame of reference or refers to
    them: then a note says so, for an ID that was replaced in some files alone looks the same.
    """
    grid, frame = drawn_on(path, series, volumes)
    mask = read_mask(path, grid, frame, segments)
    if is_label_map_name(path.name) or not _is_of_another_patient(path, volumes):
        return mask
    refers = any(volume.meta.get("series_uid") in series for volume in volumes)
    if not refers and not (frame and mask.meta.get("frame_of_reference") == frame):
        remedy = "check whose it is, and move it elsewhere or correct the tag"
        raise input_error(f"a mask whose {PATIENT} is not the images'", "one patient's images and masks", remedy)
    where = "refers to them" if refers else "lies in their frame of reference"
    return with_notes(mask, [f"Warning: its {PATIENT} is not the images', though it {where}: check whose it is."])


def _is_of_another_patient(path: Path, volumes: Sequence[Volume]) -> bool:
    """Where both say whose they are."""
    said = patient_id_hash(read_dataset(path, specific_tags=["PatientID"], stop_before_pixels=True))
    known = {str(volume.meta["patient_id_hash"]) for volume in volumes if volume.meta.get("patient_id_hash")}
    return bool(said and known) and said not in known


def lesion_segments(names: tuple[str, ...]) -> tuple[str, ...]:
    """The segments to merge into the lesion. Raises InputError when several are there and none is named so."""
    chosen = lesion_names(names) or (names if len(names) == 1 else ())
    if not chosen:
        given = f"{len(names)} segments ({listed(names)})" if names else "no segment"
        raise input_error(given, "one named GTV, tumor, lesion or sarcoma", "rename the lesion's segment")
    return chosen


def sop_class(path: Path) -> str:
    """SOP Class UID of a DICOM file. Raises InputError where it is none."""
    try:
        header: Dataset = read_dataset(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
    except (InvalidDicomError, OSError) as error:
        raise _not_a_mask(path) from error
    return str(header.get("SOPClassUID", ""))


def drawn_on(path: Path, series: Sequence[str], volumes: Sequence[Volume]) -> tuple[Grid | None, str]:
    """The grid that the file's contours are filled on and the frame of reference that it has to name: those of the
    image whose series it refers to, else of the first with a frame. A label map or SEG brings its grid: None."""
    image = min((v for v in volumes if v.meta.get("series_uid") in series), key=_order, default=None)
    image = image or next((v for v in volumes if v.meta.get("frame_of_reference")), None)
    if image is None or is_label_map_name(path.name):
        return None, ""
    structures = sop_class(path) == RTSTRUCT
    return image.grid if structures else None, str(image.meta.get("frame_of_reference") or "")


def _order(volume: Volume) -> int:
    return [*MODALITIES, volume.modality].index(volume.modality)


def _from_rtstruct(path: Path, grid: Grid | None, frame: str, asked: tuple[str, ...]) -> Volume:
    if grid is None:
        raise input_error("an RT Structure Set alone", "the grid of its image series too", "load the images with it")
    names = roi_names(path)
    return _merged(read_rtstruct(path, grid, asked or lesion_segments(names), frame), len(names))


def _from_seg(path: Path, grid: Grid | None, frame: str, asked: tuple[str, ...]) -> Volume:
    names = segment_labels(path)
    chosen = asked or lesion_segments(names)
    kept = read_dicom_seg(path, labels=chosen)
    if not kept:
        raise input_error(f"no segment {chosen[0]!r}", f"one of {listed(names)}", "choose a segment of this file")
    check_frame(kept[next(iter(kept))].meta["frame_of_reference"], frame)
    return mask_onto(_merged(kept, len(names)), grid)


def _merged(masks: dict[str, Volume], of: int) -> Volume:
    """One mask of several on the same grid; `of`: how many segments the file holds."""
    name = ", ".join(masks)
    first = next(iter(masks.values()))
    array = np.zeros(first.array.shape, np.uint8)
    for mask in masks.values():  # one by one: of many, all at once would not fit the memory
        array |= mask.array > 0
    notes = [f"Of {of} segments, {name} make up the mask."] if of > 1 else []
    return with_notes(replace(first, array=array, meta={**first.meta, "name": name}), notes)


def _not_a_mask(path: Path) -> InputError:
    missing = "" if path.is_file() else " that is no file"
    wanted = "a mask as NIfTI, NRRD, MetaImage, RTSTRUCT or DICOM SEG"
    return input_error(f"'{path.name}'{missing}", wanted, "check the path and the kind of file")
