"""Masks onto another grid and into one frame; of several masks the unusable are left out with a note."""

from __future__ import annotations

from dataclasses import replace

import SimpleITK as sitk

from ..core.errors import InputError, input_error
from ..core.grid import Grid
from ..core.volume import Volume


def mask_onto(mask: Volume, grid: Grid | None) -> Volume:
    """The uint8 mask on `grid` by nearest neighbour; as it is where grid is None or the same.

    Raises InputError where no voxel of the mask is left on the grid.
    """
    if grid is None or mask.grid.same_as(grid):
        return mask
    placed = sitk.Resample(
        mask.to_sitk(),
        grid.size,
        sitk.Transform(),
        sitk.sitkNearestNeighbor,
        grid.origin,
        grid.spacing_mm,
        grid.direction,
    )
    array = sitk.GetArrayFromImage(placed)
    if not array.any():
        raise input_error(
            f"the mask {mask.name!r} with no voxel on the image's grid",
            "a mask that overlaps the image",
            "choose a mask drawn on this patient's images",
        )
    return replace(mask, array=array, grid=grid)


def check_frame(mask_frame: str, image_frame: str | None) -> None:
    """Refuse a mask whose Frame of Reference UID is another than the image's; an unknown one passes."""
    if mask_frame and image_frame and mask_frame != image_frame:
        raise input_error(
            "a mask in another frame of reference than the image",
            "both in one frame of reference",
            "choose the image series that the mask was drawn on",
        )


class LeftOut:
    """Collects why entries of a file were left out: notes when others remain, the error when none does."""

    def __init__(self) -> None:
        self.reasons: list[tuple[str, InputError]] = []

    def add(self, name: str, error: InputError) -> None:
        self.reasons.append((name, error))

    def note_on(self, masks: dict[str, Volume]) -> dict[str, Volume]:
        """The masks with the reasons among their notes; raises the first reason when there is no mask."""
        if not masks and self.reasons:
            raise self.reasons[0][1]
        notes = [f"{name} was left out. {error}" for name, error in self.reasons]
        return {name: with_notes(mask, notes) for name, mask in masks.items()}


def with_notes(volume: Volume, notes: list[str]) -> Volume:
    """The same Volume with further sentences in meta["notes"]."""
    return volume.with_array(volume.array, notes=[*volume.meta.get("notes", []), *notes])
