"""Training cases in memory: every modality, the lesion and its border distance on one working grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from ..core.case import Case
from ..core.errors import input_error
from ..core.resampling import resample_smoothly
from ..networks.inputs import network_grid, network_images
from .fingerprint import fingerprint

WORKING_SPACING_KJI_MM = (3.5, 2.0, 2.0)  # of windows of the usual spacing
FAR_MM = 1e4  # the border's distance where no lesion is drawn


@dataclass(frozen=True)
class TrainingCase:
    """images: (2, K, J, I) per modality, intensity and valid (a colour picture: three channels and valid); lesion:
    (K, J, I) in 0..1; distance_mm to its border; references: (R, K, J, I), the masks of several annotators, any of
    which may be empty, or None."""

    name: str
    images: dict[str, Tensor]
    lesion: Tensor
    distance_mm: Tensor
    spacing_kji_mm: tuple[float, float, float]
    references: Tensor | None = None

    def lesion_box(self) -> tuple[np.ndarray, np.ndarray]:
        """First and one-past-last index per axis of what anyone drew; all of the case where nobody drew anything."""
        where = np.argwhere(self._drawn() > 0.5)
        if len(where) == 0:
            return np.zeros(3, dtype=int), np.array(self.lesion.shape)
        return where.min(axis=0), where.max(axis=0) + 1

    def fingerprint(self) -> str:
        """What tells this case from another, or from itself read from changed files."""
        return fingerprint(self.name, *self.images.values(), self.lesion, *self.masks())

    def masks(self) -> Tensor:
        """(R, K, J, I): the masks of the annotators, or the lesion as the only one."""
        return self.lesion[None] if self.references is None else self.references

    def _drawn(self) -> np.ndarray:
        return torch.cat([self.lesion[None], self.masks()]).amax(dim=0).numpy()


def training_case(
    case: Case, modalities: tuple[str, ...], spacing_kji_mm: tuple[float, float, float] = WORKING_SPACING_KJI_MM
) -> TrainingCase:
    """The case as training wants it, on voxels of this spacing; raises InputError without a drawn lesion."""
    if case.reference_mask is None:
        raise input_error(f"the case {case.name} without a drawn lesion", "a GTV file", "leave the case out or add one")
    grid = network_grid(case.grid, spacing_kji_mm)
    onto_grid = lambda mask: resample_smoothly(mask.array > 0, case.grid, grid)  # noqa: E731
    lesion = onto_grid(case.reference_mask)
    drawn = [onto_grid(mask) for mask in case.references.values()]
    return TrainingCase(
        case.name,
        network_images(case, grid, modalities),
        torch.from_numpy(lesion),
        torch.from_numpy(border_distance_mm(lesion > 0.5, grid.spacing_kji_mm)),
        grid.spacing_kji_mm,
        torch.from_numpy(np.stack(drawn)) if drawn else None,
    )


def border_distance_mm(inside: np.ndarray, spacing_kji_mm: tuple[float, float, float]) -> np.ndarray:
    """(K, J, I) float32: how far each voxel is from the border of a bool mask; FAR_MM where the mask is empty."""
    if not inside.any():
        return np.full(inside.shape, FAR_MM, dtype=np.float32)
    distance = [distance_transform_edt(x, sampling=spacing_kji_mm) for x in (inside, ~inside)]
    return np.maximum(*distance).astype(np.float32)
