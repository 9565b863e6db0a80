"""ROIs of a head in HU: the brain is what looks like brain and sees bone on nearly all sides; bone is skull and jaw.

Each axial slice is asked alone, as in a picture (see enclosed.py), at about 1 mm; then the third dimension joins the
temporal lobes to the brain and cuts eyes and muscles off.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from .body import body_bone
from .enclosed import enclosure
from .shapes import closed, dilated, eroded, filled, largest, opened, touching
from .thresholds import RoiThresholds

BRAIN_HU = (-20.0, 110.0)  # fluid to clotted blood
TYPICAL_HU = (0.0, 80.0)
ENCLOSED = 0.88
WORK_MM = 1.0
OPENING_MM = 4.0
DIPLOE_MM = 4.0  # half width: a wider hole of the skull is a sinus or an orbit
PROBES = 9
PROBE_SHARE = 0.25
CAVITY_MM = (60.0, 220.0)  # diameter of a disc as large as a slice's brain
CAVITY_TYPICAL = 0.8
BRAIN_OF_HEAD = 0.15  # less of the volume: a neck or more is in the picture, and its soft tissue counts too


def is_head(hu: np.ndarray, spacing_mm: tuple[float, float, float], thresholds: RoiThresholds) -> bool:
    """Whether a quarter of some evenly spread slices of hu [k, j, i] show a cavity of a brain's size and HU in bone."""
    probes = np.unique(np.linspace(0, len(hu) - 1, PROBES).round().astype(int))
    found = [_shows_brain(hu[k], spacing_mm[1:], thresholds) for k in probes]
    return bool(np.mean(found) >= PROBE_SHARE)


def head_brain(hu: np.ndarray, spacing_mm: tuple[float, float, float], thresholds: RoiThresholds) -> np.ndarray:
    """bool [k, j, i]: the brain up to the skull, ventricles, bleeding and calcification included."""
    core = np.stack([_core(s, spacing_mm[1:], thresholds) for s in hu])
    body = largest(opened(core, OPENING_MM, spacing_mm))
    brain = touching(core, body) & dilated(body, 2 * OPENING_MM, spacing_mm)
    brain = np.stack([filled(closed(s, 2 * OPENING_MM, spacing_mm[1:])) for s in brain])
    return brain & ~_skull(hu > thresholds.bone_hu, brain)


def head_bone(
    hu: np.ndarray,
    inside: np.ndarray,
    brain: np.ndarray,
    spacing_mm: tuple[float, float, float],
    thresholds: RoiThresholds,
) -> np.ndarray:
    """bool [k, j, i]: skull with diploe, face, jaw and vertebrae; nothing within the brain."""
    return body_bone(hu, inside, spacing_mm, replace(thresholds, marrow_mm=DIPLOE_MM)) & ~brain


def head_soft(
    brain: np.ndarray, bone: np.ndarray, spacing_mm: tuple[float, float, float], thresholds: RoiThresholds
) -> np.ndarray:
    """bool [k, j, i]: the brain without its border, where voxels are half bone."""
    return eroded(brain, thresholds.erosion_mm, spacing_mm) & ~bone


def _core(hu: np.ndarray, spacing_mm: tuple[float, float], thresholds: RoiThresholds) -> np.ndarray:
    """One slice's tissue of brain-like HU within bone, opened; full resolution out, about WORK_MM within."""
    step = [max(1, int(WORK_MM / s + 0.5)) for s in spacing_mm]
    bone = hu > thresholds.bone_hu
    if not bone.any():
        return np.zeros(hu.shape, dtype=bool)
    coarse_mm = tuple(n * s for n, s in zip(step, spacing_mm, strict=True))
    coarse = ndimage.maximum_filter(bone, step)[:: step[0], :: step[1]]
    sight = enclosure(closed(coarse, thresholds.closing_mm, coarse_mm))
    sight = np.kron(sight, np.ones(step, np.float32))[: hu.shape[0], : hu.shape[1]]
    smooth = ndimage.uniform_filter(hu, step)
    tissue = (smooth > BRAIN_HU[0]) & (smooth < BRAIN_HU[1]) & ~bone
    return opened(tissue & (sight > ENCLOSED), OPENING_MM, spacing_mm)


def _shows_brain(hu: np.ndarray, spacing_mm: tuple[float, float], thresholds: RoiThresholds) -> bool:
    core = largest(_core(hu, spacing_mm, thresholds))
    diameter_mm = 2 * float(np.sqrt(core.sum() * np.prod(spacing_mm) / np.pi))
    if not CAVITY_MM[0] <= diameter_mm <= CAVITY_MM[1]:
        return False
    # The convex part of a pelvis or chest that bone surrounds holds fat or gas beside what looks like brain.
    cavity = filled(closed(core, 3 * OPENING_MM, spacing_mm)) & (hu < thresholds.bone_hu)
    low, high = TYPICAL_HU
    smooth = ndimage.uniform_filter(hu, 3)[cavity]
    return bool(np.mean((smooth > low) & (smooth < high)) >= CAVITY_TYPICAL)


def _skull(bone: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Bone that is no island in the brain."""
    return touching(bone, bone & ~ndimage.binary_dilation(brain))
