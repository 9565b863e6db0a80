"""One patient's Volumes brought onto one Grid: registered where needed, resampled, with what each of them covers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import SimpleITK as sitk

from ..core.case import Alignment, Case, majority
from ..core.errors import input_error
from ..core.grid import Grid
from ..core.modalities import MODALITIES, is_mr
from ..core.resampling import onto, valid_mask
from ..core.volume import Volume
from .register import Registration, mutual_information, register_rigid

REGISTER = ("auto", "always", "never")
Progress = Callable[[float, str], None]
_Parts = tuple[Volume, np.ndarray, Alignment]


def align(
    volumes: Mapping[str, Volume],
    reference: str | None = None,
    register: str = "auto",
    name: str = "case",
    reference_mask: Volume | None = None,
    notes: Sequence[str] = (),
    progress: Progress = lambda *_: None,
    place: Volume | None = None,
    references: Mapping[str, Volume] | None = None,
) -> Case:
    """The Case of these volumes (by modality key) on the grid of the reference, which is left voxel for voxel.

    reference: a key; by default CT, else the MR with the finest voxels, else the first. register: "always", "never",
    "auto": where the files name different frames of reference, or where the images do not meet in space; or keys with
    commas between them, such as "PET,MR_T1": these always, the others as in "auto".
    reference_mask is a drawn lesion, and references those of several annotators by their names, whose majority then is
    the reference mask; each follows the image it was drawn on. notes: sentences for the quality report;
    progress(share, words): told before each image. place: an image without voxels whose grid the case gets, where it
    lies in the frame of the reference, to which the others are registered.
    Raises InputError for no volumes, an unknown key or setting, and images that do not overlap.
    """
    _check(volumes, reference, register)
    reference = reference or default_reference(volumes)
    fixed = volumes[reference]
    progress(0.0, f"looking at {reference}")
    fixed_valid = valid_mask(fixed)
    placed, place_notes = _placed(place, fixed)
    grid = placed.grid if placed is not None else fixed.grid
    arrays = {reference: _reference_parts(fixed, fixed_valid, grid)}
    moved: dict[str, sitk.Transform | None] = {}
    for key in (key for key in volumes if key != reference):
        progress(len(arrays) / len(volumes), f"aligning {key} with {reference}")
        arrays[key], moved[key] = _bring(volumes[key], fixed, fixed_valid, _register_for(key, register), grid)
    arrays = {key: arrays[key] for key in volumes}
    drawn, mask_notes = _mask_on_grid(reference_mask, volumes, moved, grid)
    several, several_notes = _references_on_grid(references or {}, volumes, moved, grid)
    case = Case(
        name=name,
        grid=grid,
        reference=str(placed.modality) if placed is not None else reference,
        volumes={key: parts[0] for key, parts in arrays.items()},
        valid={key: parts[1] for key, parts in arrays.items()},
        alignment={key: parts[2] for key, parts in arrays.items()},
        reference_mask=drawn,
        notes=(*notes, *place_notes, *_frame_notes(volumes), *mask_notes, *several_notes),
        unread_reference=dict(placed.meta) if placed is not None else {},
    )
    return case.with_references(several) if several else case


def _placed(place: Volume | None, fixed: Volume) -> tuple[Volume | None, list[str]]:
    """The place, unless nothing says how it lies to the images, and what was decided."""
    if place is None:
        return None, []
    frames = place.meta.get("frame_of_reference"), fixed.meta.get("frame_of_reference")
    if all(frames) and frames[0] != frames[1]:
        why = f"{place.modality} was not read and names another frame of reference"
        return None, [f"The grid is {fixed.modality}'s: {why}."]
    return place, [
        f"{place.modality} was not read: its header gives the grid, {fixed.modality} what others align with."
    ]


def default_reference(volumes: Mapping[str, Volume]) -> str:
    """CT when there is one, else the MR with the smallest voxels, else the first."""
    if "CT" in volumes:
        return "CT"
    mr = [key for key in volumes if is_mr(key)]
    return min(mr, key=lambda key: volumes[key].grid.voxel_mm3) if mr else next(iter(volumes))


def _check(volumes: Mapping[str, Volume], reference: str | None, register: str) -> None:
    if not volumes:
        raise input_error("no image", "at least one of CT, PET and MR", "add an image")
    unknown = [key for key in volumes if key not in MODALITIES]
    if unknown:
        raise input_error(f"the modality {unknown[0]!r}", f"keys among {', '.join(MODALITIES)}", "rename it")
    if len(volumes) > 1 and (pictures := [key for key, volume in volumes.items() if volume.in_color]):
        remedy = "leave it out, or the others, with --modalities"
        raise input_error(f"{pictures[0]} beside other images", "a picture in color alone", remedy)
    if reference is not None and reference not in volumes:
        raise input_error(
            f"the reference {reference!r}", f"one of {', '.join(volumes)}", "choose an image that is loaded"
        )
    movable = [key for key in volumes if key != (reference or default_reference(volumes))]
    if register not in REGISTER and not set(register.split(",")) <= set(movable):
        wanted = f"one of {', '.join(REGISTER)}, or of the images {', '.join(movable)}"
        raise input_error(f"register={register!r}", wanted, "choose among these")


def _register_for(key: str, register: str) -> str:
    """One of REGISTER, for one image."""
    if register in REGISTER:
        return register
    return "always" if key in register.split(",") else "auto"


def _bring(
    volume: Volume, fixed: Volume, fixed_valid: np.ndarray, register: str, grid: Grid
) -> tuple[_Parts, sitk.Transform | None]:
    """One moving volume: on the grid, valid, Alignment; transform from fixed to moving points or None."""
    found, why, both = None, "", (fixed_valid, valid_mask(volume))
    on_grid, valid = onto(volume, grid, valid=both[1])
    if register != "never":
        why = _reason(volume, fixed, register, bool(valid.any()))
    if why:
        found = register_rigid(fixed, volume, valid=both)
        on_grid, valid = onto(volume, grid, found.transform, both[1])
    if not valid.any():
        remedy = "choose images of one region" if why else "choose images of one region or switch registration on"
        raise input_error(f"{volume.name} that does not overlap {fixed.name}", "images that share a region", remedy)
    overlap = float(valid.mean())
    if found:
        return (on_grid, valid, _registered(found, why, overlap)), found.transform
    fit = mutual_information(fixed, volume, valid=both)
    return (on_grid, valid, Alignment(False, np.eye(4), fit, overlap)), None


def _reason(volume: Volume, fixed: Volume, register: str, overlaps: bool) -> str:
    """Why to register, as the end of a sentence; empty when there is no need."""
    frames = volume.meta.get("frame_of_reference"), fixed.meta.get("frame_of_reference")
    if register == "always":
        return "as asked"
    if all(frames) and frames[0] != frames[1]:
        return "because the files name different frames of reference"
    return "" if overlaps else "because the images did not overlap as given"


def _registered(found: Registration, why: str, overlap: float) -> Alignment:
    notes = (f"registered rigidly {why}", *found.notes)
    moved = not np.allclose(found.matrix_moving_to_reference, np.eye(4))
    return Alignment(moved, found.matrix_moving_to_reference, found.mutual_information, overlap, notes)


def _reference_parts(fixed: Volume, valid: np.ndarray, grid: Grid) -> tuple[Volume, np.ndarray, Alignment]:
    # Mutual information of an image with itself says nothing of fit, so it is not a number.
    on_grid, valid = onto(fixed, grid, valid=valid)
    if not valid.any():
        remedy = "choose images of one region, or another --reference"
        raise input_error(f"{fixed.name} that does not reach the grid", "images that share a region", remedy)
    return on_grid, valid, Alignment(False, np.eye(4), float("nan"), float(valid.mean()))


def _mask_on_grid(
    mask: Volume | None, volumes: Mapping[str, Volume], transforms: Mapping[str, sitk.Transform | None], grid: Grid
) -> tuple[Volume | None, list[str]]:
    """The drawn lesion on the case's grid; without a voxel there it is left out, with a note."""
    if mask is None or mask.grid.same_as(grid):
        return mask, []
    drawn_on = [key for key in transforms if volumes[key].grid.same_as(mask.grid)]
    moved = onto(mask, grid, transforms[drawn_on[0]] if drawn_on else None)[0]
    if moved.array.any():
        return moved, []
    return None, [f"Warning: the reference mask {mask.name} has no voxel on the images' grid, so it was left out."]


def _references_on_grid(
    masks: Mapping[str, Volume],
    volumes: Mapping[str, Volume],
    transforms: Mapping[str, sitk.Transform | None],
    grid: Grid,
) -> tuple[dict[str, Volume], list[str]]:
    """Each annotator's mask on the case's grid; one without a voxel there is left out, with a note."""
    notes: list[str] = []
    found: dict[str, Volume] = {}
    for name, mask in masks.items():
        drawn, why = _mask_on_grid(mask, volumes, transforms, grid)
        notes += why
        if drawn is not None:
            found[name] = drawn
    several = majority(found)
    if several is not None and not several.array.any():
        notes.append("Warning: no voxel was drawn by more than half of the annotators, so their majority is empty.")
    return found, notes


def _frame_notes(volumes: Mapping[str, Volume]) -> list[str]:
    unknown = [key for key, volume in volumes.items() if not volume.meta.get("frame_of_reference")]
    if len(volumes) < 2 or not unknown:
        return []
    verb = "does" if len(unknown) == 1 else "do"
    return [
        f"{', '.join(unknown)} {verb} not name a frame of reference; all images are taken to lie in one frame, "
        "as their headers place them."
    ]
