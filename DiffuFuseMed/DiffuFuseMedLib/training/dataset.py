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

# Finer in plane than the network's own spacing, so that a rotated window is not interpolated from blurred voxels.
WORKING_SPACING_KJI_MM = (3.5, 2.0, 2.0)


@dataclass(frozen=True)
class TrainingCase:
    """images: (2, K, J, I) per modality, intensity and valid; lesion: (K, J, I) in 0..1; distance_mm to its border."""

    name: str
    images: dict[str, Tensor]
    lesion: Tensor
    distance_mm: Tensor
    spacing_kji_mm: tuple[float, float, float]

    def lesion_box(self) -> tuple[np.ndarray, np.ndarray]:
        """First and one-past-last index per axis of the lesion."""
        where = np.argwhere(self.lesion.numpy() > 0.5)
        return where.min(axis=0), where.max(axis=0) + 1


def training_case(case: Case, modalities: tuple[str, ...]) -> TrainingCase:
    """The case as training wants it; raises InputError without a drawn lesion."""
    if case.reference_mask is None:
        raise input_error(f"the case {case.name} without a drawn lesion", "a GTV file", "leave the case out or add one")
    grid = network_grid(case.grid, WORKING_SPACING_KJI_MM)
    lesion = resample_smoothly(case.reference_mask.array > 0, case.grid, grid)
    inside = lesion > 0.5
    distance = [distance_transform_edt(x, sampling=grid.spacing_kji_mm) for x in (inside, ~inside)]
    return TrainingCase(
        case.name,
        network_images(case, grid, modalities),
        torch.from_numpy(lesion),
        torch.from_numpy(np.maximum(*distance).astype(np.float32)),
        grid.spacing_kji_mm,
    )
