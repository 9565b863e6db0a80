"""Case: one patient's Volumes on one Grid, each with the mask of where it says anything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .errors import input_error
from .grid import Grid
from .volume import Volume


@dataclass(frozen=True)
class Alignment:
    """What bringing one Volume onto the reference Grid took, and how well it fits.

    moving_to_reference: 4 x 4 LPS matrix (identity when nothing was registered), mapping points of the moving image
    to the reference; mutual_information: Mattes MI in nats over the overlap (higher fits better); overlap: fraction of
    the reference Grid inside the moving image's valid voxels; misfit: a sentence of preprocessing/misfit.py where the
    image would fit better elsewhere nearby, empty where it fits or nobody looked.
    """

    registered: bool
    moving_to_reference: np.ndarray
    mutual_information: float
    overlap: float
    notes: tuple[str, ...] = ()
    misfit: str = ""


@dataclass(frozen=True)
class Case:
    """volumes: by modality key, all on `grid`, in HU / SUVbw / MR units; valid: bool [k, j, i] by the same keys.

    A modality that is missing is absent from both; a voxel outside a modality's field of view is False in valid and its
    intensity says nothing. reference_mask is the drawn lesion that is scored against, and references the masks of
    several annotators by their names, any of which may be empty: never an input to a system. unread_reference:
    Volume.meta of the reference where only its place was read.
    """

    name: str
    grid: Grid
    reference: str
    volumes: dict[str, Volume]
    valid: dict[str, np.ndarray]
    alignment: dict[str, Alignment] = field(default_factory=dict)
    reference_mask: Volume | None = None
    notes: tuple[str, ...] = ()
    references: dict[str, Volume] = field(default_factory=dict)
    unread_reference: dict[str, Any] = field(default_factory=dict)

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.volumes)

    def with_references(self, references: dict[str, Volume]) -> Case:
        """The case with the masks of its annotators, on its grid; their majority is the lesion that is scored against.

        A voxel belongs to it where more than half of them drew lesion. Raises InputError for a mask on another grid.
        """
        if strays := [rater for rater, mask in references.items() if not mask.grid.same_as(self.grid)]:
            raise input_error(
                f"the mask of {strays[0]} on another grid", "masks on the case's grid", "resample it first"
            )
        return replace(self, references=dict(references), reference_mask=majority(references))

    def unscored(self) -> Case:
        """The case without anything drawn, as a system may see it."""
        return replace(self, reference_mask=None, references={})

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
            references={rater: drawn.cropped(start_kji, stop_kji) for rater, drawn in self.references.items()},
        )

    def thinned(self, steps_kji: tuple[int, int, int]) -> Case:
        """Every nth voxel of the images along each axis, without what was drawn."""
        every = tuple(slice(None, None, n) for n in steps_kji)
        return replace(
            self.unscored(),
            grid=self.grid.thinned(steps_kji),
            volumes={m: v.thinned(steps_kji) for m, v in self.volumes.items()},
            valid={m: np.ascontiguousarray(v[every]) for m, v in self.valid.items()},
        )


def majority(references: dict[str, Volume]) -> Volume | None:
    """Where more than half of the annotators drew lesion, as a uint8 mask; None where nobody was asked."""
    if not references:
        return None
    votes = np.sum([mask.array > 0 for mask in references.values()], axis=0)
    first = next(iter(references.values()))
    return replace(first, array=(2 * votes > len(references)).astype(np.uint8), meta={"name": "majority"})
