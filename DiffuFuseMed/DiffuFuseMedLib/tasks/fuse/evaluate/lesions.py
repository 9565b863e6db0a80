"""Whether a lesion can be found again in the fused picture: S-hat(F) against the reference mask."""

from __future__ import annotations

import numpy as np
import torch

from ....metrics.overlap import overlap_scores
from ....models.zoo import Model
from ....networks.conditional_unet import padded
from ....systems.clin_fusediff import MULTIPLE
from .. import Fuser

BATCH = 8
NAMES = {"dice": "lesion_dice", "nsd_2mm": "lesion_nsd_2mm", "hd95_mm": "lesion_hd95_mm"}


def lesion_scores(
    fuser: Fuser, fused: np.ndarray, reference: np.ndarray | None, spacing_kji_mm: tuple[float, float, float]
) -> dict[str, float]:
    """lesion_dice, lesion_nsd_2mm, lesion_hd95_mm on the axial slices that the reference mask spans; {} without any.

    fused: [k, j, i] gray 0..1. S-hat is the teacher's head that never guided a picture (CLIN-FuseDiff++, 4).
    """
    teacher = fuser.teacher
    if teacher is None or reference is None or not reference.any():
        return {}
    there = np.flatnonzero(reference.any((1, 2)))
    span = slice(there[0], there[-1] + 1)
    scores = overlap_scores(_found(teacher, fused[span]), reference[span], spacing_kji_mm)
    return {column: scores[name] for name, column in NAMES.items()}


def _found(teacher: Model, slices: np.ndarray) -> np.ndarray:
    """bool [k, j, i]: where S-hat's probability is at least one half."""
    height, width = slices.shape[1:]
    found = []
    for start in range(0, len(slices), BATCH):
        some = np.ascontiguousarray(slices[start : start + BATCH], dtype=np.float32)
        batch = padded(torch.from_numpy(some)[:, None].to(teacher.device), MULTIPLE)
        with torch.no_grad():
            probability = teacher.network.lesion(batch, "score")
        found.append(probability[:, 0, :height, :width].cpu().numpy() >= 0.5)
    return np.concatenate(found)
