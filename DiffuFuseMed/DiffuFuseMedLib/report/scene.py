"""Scene: what the report draws, cut to the lesion's surroundings and turned to the patient's axes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import find_objects

from ..core.agreement import colors_of
from ..core.case import Case
from ..core.errors import input_error
from ..core.grid import Grid
from ..core.modalities import spec_of
from ..core.prediction import Prediction
from ..core.suv_units import BODY_WEIGHT, SuvScale
from ..core.triples import triple
from ..core.volume import Volume
from .window_level import Window, windows_of

MARGIN_MM = 45.0
LEAST_VIEW_MM = 160.0


@dataclass(frozen=True)
class Scene:
    """Arrays [k, j, i] on `grid`, whose axes run to the patient's superior, posterior and left (within 45 degrees);
    pictures have red, green and blue of 0 to 255 as their last axis, and no window.

    masks: "lesion", "inner", "outer" and, when the case has one, "reference", or the ROIs of a fusion, and those of
    several annotators by their names, in place of the reference; colors: of these, '#rrggbb'; uncertainty:
    by key in core.maps.MAPS, in its unit; suv: what a PET's values are in; windows: of the images, by the whole case.
    """

    grid: Grid
    reference: str
    images: dict[str, np.ndarray]
    valid: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]
    uncertainty: dict[str, np.ndarray]
    center_kji: tuple[int, int, int]
    suv: SuvScale = BODY_WEIGHT
    windows: dict[str, Window] = field(default_factory=dict)
    colors: dict[str, str] = field(default_factory=dict)


def scene_of(prediction: Prediction, case: Case, suv: SuvScale = BODY_WEIGHT) -> Scene:
    """The Scene of a prediction on its case. Raises InputError when they are not on one grid."""
    if not prediction.grid.same_as(case.grid):
        raise input_error("a prediction on another grid than its case", "one grid", "predict this case again")
    masks = _masks(prediction, case)
    box = box_around(np.logical_or.reduce(list(masks.values())), case.grid)
    grid = case.grid.cropped(triple(s.start for s in box), triple(s.stop for s in box))

    def turned(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {key: turn(array[box], grid)[0] for key, array in arrays.items()}

    probability, lps = turn(prediction.probability[box], grid)
    lesion = turned({"lesion": masks["lesion"]})["lesion"]
    images = {m: _in_unit(v, suv) for m, v in case.volumes.items()}
    return Scene(
        grid=lps,
        reference=case.reference if case.reference in case.volumes else next(iter(case.volumes)),
        images=turned(images),
        valid=turned(case.valid),
        masks=turned(masks),
        uncertainty=turned(prediction.uncertainty),
        center_kji=center_of(lesion, probability),
        suv=suv,
        windows=windows_of(case, images, suv),
        colors=colors_of(tuple(case.references)),
    )


def _in_unit(volume: Volume, suv: SuvScale) -> np.ndarray:
    in_suv = spec_of(volume.modality).scale == "SUV"
    return volume.array * np.float32(suv.factor) if in_suv and suv != BODY_WEIGHT else volume.array


def _masks(prediction: Prediction, case: Case) -> dict[str, np.ndarray]:
    masks = {"lesion": prediction.labels == 1, "inner": prediction.inner > 0, "outer": prediction.outer > 0}
    if case.references:
        return {**masks, **{name: drawn.array > 0 for name, drawn in case.references.items()}}
    return masks if case.reference_mask is None else {**masks, "reference": case.reference_mask.array > 0}


def box_around(mask: np.ndarray, grid: Grid) -> tuple[slice, slice, slice]:
    """The mask's bounding box with a margin, at least LEAST_VIEW_MM wide where the grid is; all of an empty mask."""
    found = find_objects(mask.astype(np.uint8))
    if not found:
        return triple(slice(0, n) for n in mask.shape)
    return triple(_widened(s, n, mm) for s, n, mm in zip(found[0], mask.shape, grid.spacing_kji_mm, strict=True))


def _widened(found: slice, size: int, spacing_mm: float) -> slice:
    missing_mm = LEAST_VIEW_MM - (found.stop - found.start) * spacing_mm
    margin = int(np.ceil(max(MARGIN_MM, missing_mm / 2) / spacing_mm))
    return slice(max(0, found.start - margin), min(size, found.stop + margin))


def turn(array: np.ndarray, grid: Grid) -> tuple[np.ndarray, Grid]:
    """array with its axes flipped and swapped to the nearest of superior, posterior, left: no voxel is resampled."""
    in_color = array.ndim > len(grid.shape)
    image = sitk.GetImageFromArray(array.astype(np.uint8) if array.dtype == bool else array, isVector=in_color)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    image = sitk.DICOMOrient(image, "LPS")
    turned = sitk.GetArrayFromImage(image)
    return turned.astype(bool) if array.dtype == bool else turned, Grid.of(image)


def center_of(lesion: np.ndarray, probability: np.ndarray) -> tuple[int, int, int]:
    """Per axis the slice with the largest cross-section; without a lesion, the likeliest voxel."""
    if not lesion.any():
        return triple(int(n) for n in np.unravel_index(np.argmax(probability), probability.shape))
    areas = (lesion.sum(axis=tuple(a for a in range(3) if a != axis)) for axis in range(3))
    return triple(int(np.argmax(area)) for area in areas)
