"""Volume: one image of one patient, an array with its place in space and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import SimpleITK as sitk

from .grid import Grid
from .modalities import units_of

COLORS = 3


@dataclass(frozen=True)
class Volume:
    """array: float32 (image) or uint8 (mask), [k, j, i], or a picture in color with red, green and blue of 0 to 255 as
    its last axis; grid: LPS; modality: a key of MODALITIES or None for a mask.

    meta holds what the file said: "name", "source" (path), "units", "patient_id", "frame_of_reference",
    "notes" (list of sentences for the quality report), and DICOM facts where there were any.
    """

    array: np.ndarray
    grid: Grid
    modality: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.array.shape not in (self.grid.shape, (*self.grid.shape, COLORS)):
            raise ValueError(f"array shape {self.array.shape} does not match the grid's {self.grid.shape} (k, j, i)")

    @classmethod
    def from_sitk(cls, image: sitk.Image, modality: str | None = None, meta: dict[str, Any] | None = None) -> Volume:
        return cls(sitk.GetArrayFromImage(image), Grid.of(image), modality, dict(meta or {}))

    def to_sitk(self) -> sitk.Image:
        image = sitk.GetImageFromArray(self.array, isVector=self.in_color)
        image.SetSpacing(self.grid.spacing_mm)
        image.SetOrigin(self.grid.origin)
        image.SetDirection(self.grid.direction)
        return image

    @classmethod
    def without_voxels(cls, grid: Grid, modality: str, meta: dict[str, Any]) -> Volume:
        """What a header alone tells of an image: its place. It takes no memory and holds no number."""
        return cls(np.broadcast_to(np.float32(np.nan), grid.shape), grid, modality, meta)

    @property
    def name(self) -> str:
        return str(self.meta.get("name", self.modality or "mask"))

    @property
    def units(self) -> str:
        return str(self.meta.get("units") or units_of(self.modality))

    @property
    def in_color(self) -> bool:
        """Whether the array has red, green and blue as its last axis."""
        return self.array.ndim > len(self.grid.shape)

    def with_array(self, array: np.ndarray, **meta: Any) -> Volume:
        """The same place and kind with another array; meta entries are added."""
        return replace(self, array=array, meta={**self.meta, **meta})

    def cropped(self, start_kji: tuple[int, int, int], stop_kji: tuple[int, int, int]) -> Volume:
        box = tuple(slice(a, b) for a, b in zip(start_kji, stop_kji, strict=True))
        return replace(self, array=self.array[box], grid=self.grid.cropped(start_kji, stop_kji))

    def thinned(self, steps_kji: tuple[int, int, int]) -> Volume:
        """Every nth voxel along each axis, the first one where it was."""
        every = tuple(slice(None, None, n) for n in steps_kji)
        return replace(self, array=np.ascontiguousarray(self.array[every]), grid=self.grid.thinned(steps_kji))
