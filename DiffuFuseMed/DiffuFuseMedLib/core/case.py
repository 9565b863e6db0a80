"""Case: one patient's Volumes on one Grid, each with the mask of where it says anything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from .grid import Grid
from .volume import Volume


@dataclass(frozen=True)
class Alignment:
    """What bringing one Volume onto the reference Grid took, and how well it fits.

    moving_to_reference: 4 x 4 LPS matrix (identity when nothing was registered), mapping points of the moving image
    to the reference; mutual_information: Mattes MI in nats over the overlap (higher fits better); overlap: fraction of
    the reference Grid inside the moving image's valid voxels.
    """

    registered: bool
    moving_to_reference: np.ndarray
    mutual_information: float
    overlap: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """volumes: by modality key, all on `grid`, in HU / SUVbw / MR units; valid: bool [k, j, i] by the same keys.

    A modality that is missing is absent from both; a voxel outside a modality's field of view is False in valid and its
    intensity says nothing. reference_mask is a drawn lesion for scoring: never an input to a system.
    """

    name: str
    grid: Grid
    reference: str
    volumes: dict[str, Volume]
    valid: dict[str, np.ndarray]
    alignment: dict[str, Alignment] = field(default_factory=dict)
    reference_mask: Volume | None = None
    notes: tuple[str, ...] = ()

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.volumes)

    def only(self, modalities: tuple[str, ...] | list[str]) -> Case:
        """The same case with the other modalities switched off."""
        kept = {m: v for m, v in self.volumes.items() if m in modalities}
        return replace(self, volumes=kept, valid={m: self.valid[m] for m in kept})

    def cropped(self, start_kji: tuple[int, int, int], stop_kji: tuple[int, int, int]) -> Case:
        """The case cut to array[start:stop] per axis (k, j, i)."""
        box = tuple(slice(a, b) for a, b in zip(start_kji, stop_kji, strict=True))
        mask = self.reference_mask
        return replace(
            self,
            grid=self.grid.cropped(start_kji, stop_kji),
            volumes={m: v.cropped(start_kji, stop_kji) for m, v in self.volumes.items()},
            valid={m: v[box] for m, v in self.valid.items()},
            reference_mask=None if mask is None else mask.cropped(start_kji, stop_kji),
        )

    def thinned(self, steps_kji: tuple[int, int, int]) -> Case:
        """Every nth voxel of the images along each axis, without the drawn lesion."""
        every = tuple(slice(None, None, n) for n in steps_kji)
        return replace(
            self,
            grid=self.grid.thinned(steps_kji),
            volumes={m: v.thinned(steps_kji) for m, v in self.volumes.items()},
            valid={m: np.ascontiguousarray(v[every]) for m, v in self.valid.items()},
            reference_mask=None,
        )
