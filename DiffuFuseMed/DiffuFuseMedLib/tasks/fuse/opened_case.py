"""An opened case: gray pictures and masks on its grid, and the components of the slices looked at lately."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from ...core.errors import input_error
from ...core.grid import Grid
from ...core.planes import PLANES
from ...core.triples import pair
from ...metrics.fusion import flicker
from ...preprocessing.rois import Rois
from ...systems.clin_fusediff import Components, Pair
from .field_of_view import MrShare
from .lesion_border import LesionBorder, border_of

KEPT_SLICES = 32


@dataclass
class FusionCase:
    """ct, mri: float32 [k, j, i] gray 0..1; masks: bool (4, *shape), soft, bone, lesion and where the MRI is valid;
    components, accents: by slice, and by what they depend on of the settings; border: of the lesion; share: of the MR
    in the picture, None where it has voxels everywhere."""

    grid: Grid
    ct: np.ndarray
    mri: np.ndarray
    masks: np.ndarray
    rois: Rois
    tracer: bool = False
    components: OrderedDict[tuple, list[Components]] = field(default_factory=OrderedDict)
    accents: dict[tuple, Tensor | None] = field(default_factory=dict)
    border: LesionBorder | None = None
    share: MrShare | None = None

    def remember(self, key: tuple, members: list[Components]) -> list[Components]:
        self.components[key] = members
        self.components.move_to_end(key)
        while len(self.components) > KEPT_SLICES:
            self.accents.pop(self.components.popitem(last=False)[0], None)
        return members

    def with_rois(self, rois: Rois) -> FusionCase:
        """The same pictures with other ROIs on their grid; slices whose soft tissue and bone are the same keep their
        components, whatever the lesion is."""
        check_rois(rois, self.grid)
        masks = np.stack([rois.soft, rois.bone, rois.lesion, self.masks[3]])
        same = {plane: _same_slices(self.masks, masks, axis) for plane, axis in PLANES.items()}
        kept = OrderedDict((key, found) for key, found in self.components.items() if same[key[0]][key[1]])
        border = border_of(rois.lesion, self.grid.spacing_kji_mm)
        return replace(self, masks=masks, rois=rois, components=kept, accents={}, border=border)

    def spacing_mm(self, plane: str) -> tuple[float, float]:
        """Of a slice's rows and columns."""
        return pair(s for axis, s in enumerate(self.grid.spacing_kji_mm) if axis != PLANES[plane])

    def check(self, plane: str, index: int) -> None:
        if plane not in PLANES:
            raise input_error(f"the plane {plane!r}", f"one of {', '.join(PLANES)}", "choose one of these")
        count = self.ct.shape[PLANES[plane]]
        if not 0 <= index < count:
            raise input_error(f"{plane} slice {index}", f"one from 0 to {count - 1}", "choose a slice of the case")


def flicker_of(image: np.ndarray, case: FusionCase) -> dict[str, float]:
    """By plane, how much the fused image, gray 0..1 [k, j, i], jumps from slice to slice beyond CT and MR; of 255."""
    return flicker(255.0 * image, [255.0 * case.ct, 255.0 * case.mri], case.rois.inside)


def check_rois(rois: Rois, grid: Grid) -> None:
    """Raises InputError for ROIs of another shape than the grid's."""
    if rois.soft.shape != grid.shape:
        raise input_error(f"ROIs of {rois.soft.shape}", f"the case's {grid.shape}", "make them again")


def _same_slices(before: np.ndarray, after: np.ndarray, axis: int) -> np.ndarray:
    """bool by index along the axis: whether soft tissue and bone, first of the masks (4, k, j, i), are the same there;
    the lesion acts on what is drawn with the components, and where the MRI is valid never changes."""
    others = tuple(n for n in range(4) if n != 1 + axis)
    return ~(before[:2] != after[:2]).any(axis=others)


def pair_of(case: FusionCase, plane: str, indices: list[int]) -> Pair:
    """The slices with their neighbors, (n, 3, H, W) and (n, 4, H, W)."""
    axis = PLANES[plane]
    last = case.ct.shape[axis] - 1
    around = [[min(max(i + d, 0), last) for d in (-1, 0, 1)] for i in indices]

    def stacked(volume: np.ndarray) -> Tensor:
        slices = np.moveaxis(np.take(volume, np.array(around).ravel(), axis=axis), axis, 0)
        return torch.from_numpy(slices.reshape(len(indices), 3, *slices.shape[1:]))

    masks = np.moveaxis(np.take(case.masks, indices, axis=1 + axis), 1 + axis, 0).astype(np.float32)
    return Pair(
        stacked(case.mri), stacked(case.ct), torch.from_numpy(masks), torch.full((len(indices),), float(case.tracer))
    )


def border_distance_mm(lesion: np.ndarray, spacing_mm: tuple[float, float]) -> Tensor:
    """(1, 1, H, W): distance to the border of a slice's lesion, far where there is none."""
    if not lesion.any():
        return torch.full((1, 1, *lesion.shape), 99.0)
    both = [distance_transform_edt(x, sampling=spacing_mm) for x in (lesion, ~lesion)]
    return torch.from_numpy(np.maximum(*both).astype(np.float32))[None, None]
