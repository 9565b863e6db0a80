"""ROIs of a body in HU: the skin's inside without the table, bone with its marrow, and the soft tissue between.

Bone starts from cortex, grows into the spongy bone that touches it, and is closed and filled slice by slice along the
three axes, so that fatty marrow belongs to it. What is bright but small stays soft tissue.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import ndimage

from ...core.parallel import each, each_plane
from ...core.triples import pair
from .shapes import box, chosen, closed, dilated, eroded, pasted, pieces, touching, without_small
from .thresholds import RoiThresholds

SKIN_HU = -300.0
AIR_HU = -400.0
AIR_ML = 1.0  # gas in smaller pockets stays soft: it may be the finding
TABLE_MM = 5.0  # half thickness beyond which something is no table top or mattress cover
BRIGHT_SKIN_MM2 = 500.0
SURROUNDINGS_MM = 15.0
UNDER_SKIN_MM = 8.0
MUSCLE_HU = (15.0, 90.0)
MUSCLE_SHARE = 0.75
MUSCLE_MM = 6.0
BODY_SHARE = 0.05  # of the largest part: a second leg or an arm is body too


def body_inside(hu: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """bool [k, j, i]: the body up to its skin, air inside it included; table, cushions and clothes are left out."""
    tissue = hu > SKIN_HU
    thick = each_plane(lambda plane: eroded(plane, TABLE_MM, spacing_mm[1:]), 0, tissue)
    labels, sizes = pieces(thick)
    core = chosen(labels, sizes >= max(1, BODY_SHARE * sizes.max()))
    grown = each_plane(lambda plane: dilated(plane, TABLE_MM + 2 * spacing_mm[1], spacing_mm[1:]), 0, core)
    return _filled_in_plane(grown & tissue, 0)


def without_truncation(
    hu: np.ndarray, inside: np.ndarray, spacing_mm: tuple[float, float, float], thresholds: RoiThresholds
) -> np.ndarray:
    """hu [k, j, i], lowered where the body is wider than the scanner's field of view: too bright there up to the skin.

    What is connected to bright skin must exceed its own surroundings by as much as bone exceeds water; right under
    such skin there is no bone at all.
    """
    skin = inside & ndimage.binary_dilation(~inside)
    bright_skin = skin & (hu > thresholds.bone_hu)
    if bright_skin.sum() * spacing_mm[1] * spacing_mm[0] < BRIGHT_SKIN_MM2:
        return hu
    zone = touching(hu > thresholds.spongy_hu, bright_skin)
    width = [2 * round(SURROUNDINGS_MM / s) + 1 for s in spacing_mm]
    weight, weighted = inside.astype(np.float32), np.where(inside, hu, np.float32(0))
    share, level = each(lambda array: ndimage.uniform_filter(array, width), (weight, weighted))
    level /= np.maximum(share, np.float32(0.05))
    under_skin = dilated(skin & zone, UNDER_SKIN_MM, spacing_mm)
    return np.where(zone, np.where(under_skin, np.float32(SKIN_HU), hu - np.maximum(level, 0)), hu)


def body_bone(
    hu: np.ndarray, inside: np.ndarray, spacing_mm: tuple[float, float, float], thresholds: RoiThresholds
) -> np.ndarray:
    """bool [k, j, i]: cortex, spongy bone and marrow."""
    where = box((hu > thresholds.bone_hu) & inside, 8)
    bone = _hard_bone(hu[where], inside[where], spacing_mm, thresholds)
    return pasted(with_marrow(bone, hu[where], spacing_mm, thresholds) & inside[where], where, hu.shape)


def body_soft(hu: np.ndarray, inside: np.ndarray, bone: np.ndarray, voxel_ml: float) -> np.ndarray:
    """bool [k, j, i]: fat, muscle and organs; without bone and without the gas of bowel and lung."""
    air = without_small((hu < AIR_HU) & inside, AIR_ML / voxel_ml)
    return inside & ~bone & ~air


def _hard_bone(
    hu: np.ndarray, inside: np.ndarray, spacing_mm: tuple[float, float, float], thresholds: RoiThresholds
) -> np.ndarray:
    hu = np.where(inside, hu, np.float32(SKIN_HU))
    spongy = touching(hu > thresholds.spongy_hu, hu > thresholds.seed_hu)
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    near_cortex = ndimage.binary_dilation(hu > thresholds.bone_hu, iterations=2)
    return without_small(spongy & near_cortex, thresholds.bone_ml / voxel_ml)


def with_marrow(
    bone: np.ndarray, hu: np.ndarray, spacing_mm: tuple[float, float, float], thresholds: RoiThresholds
) -> np.ndarray:
    """The bone, bool [k, j, i], closed in axial slices, and the holes filled that are narrow enough to be marrow.

    Axial holes may be as wide as a tibial plateau, unless they hold muscle (between scapula and clavicle); along the
    other axes, where foramina lie, holes are only half as wide.
    """
    wide_mm = thresholds.marrow_mm
    smooth = ndimage.uniform_filter(hu, (1, 5, 5))
    ring = each_plane(lambda plane: closed(plane, thresholds.closing_mm, spacing_mm[1:]), 0, bone)
    ring |= _marrow(_axial_holes(ring, 1.5 * wide_mm, spacing_mm), smooth, 0, wide_mm, spacing_mm)
    coronal, sagittal = (_filled_in_plane(ring, axis) & ~ring for axis in (1, 2))
    found = _marrow(coronal & sagittal, smooth, 0, wide_mm, spacing_mm)
    found |= _marrow(coronal, smooth, 1, wide_mm / 2, spacing_mm)
    return ring | found | _marrow(sagittal, smooth, 2, wide_mm / 2, spacing_mm)


def _marrow(
    holes: np.ndarray, hu: np.ndarray, axis: int, half_width_mm: float, spacing_mm: tuple[float, float, float]
) -> np.ndarray:
    """The holes, plane by plane across axis, that are narrow enough and do not look like muscle throughout.

    Plane by plane, because a hole of one thick slice is thin in 3D, however wide it is.
    """
    side_mm = pair(s for a, s in enumerate(spacing_mm) if a != axis)

    def found(plane: np.ndarray, plane_hu: np.ndarray) -> np.ndarray:
        return _plane_marrow(plane, plane_hu, half_width_mm, side_mm) if plane.any() else plane

    return each_plane(found, axis, holes, hu)


def _plane_marrow(
    holes: np.ndarray, hu: np.ndarray, half_width_mm: float, spacing_mm: tuple[float, float]
) -> np.ndarray:
    where = box(holes, 1)
    labels, sizes = pieces(holes[where])
    each = np.arange(sizes.size)
    half_mm = ndimage.maximum(ndimage.distance_transform_edt(labels, sampling=spacing_mm), labels, each)
    muscle = ndimage.mean((hu[where] > MUSCLE_HU[0]) & (hu[where] < MUSCLE_HU[1]), labels, each) > MUSCLE_SHARE
    good = (half_mm <= half_width_mm) & ~(muscle & (half_mm > MUSCLE_MM)) & (sizes > 0)
    return pasted(good[labels], where, holes.shape)


def _axial_holes(ring: np.ndarray, cut_mm: float, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """The holes of each slice, those included that the slice's edge cuts open by less than cut_mm."""
    walled = ring.copy()
    for edge, step_mm in ((0, spacing_mm[2]), (-1, spacing_mm[2])):
        _bridge(walled[:, edge], cut_mm / step_mm)
    for edge, step_mm in ((0, spacing_mm[1]), (-1, spacing_mm[1])):
        _bridge(walled[:, :, edge], cut_mm / step_mm)
    holes = _filled_in_plane(walled, 0) & ~walled
    return touching((holes | walled) & ~ring, holes)


def _bridge(lines: np.ndarray, longest: float) -> None:
    """Fill, in place, the gaps between bone along each line that are no longer than so many voxels."""
    for line in lines:
        at = np.flatnonzero(line)
        for start, stop in pairwise(at):
            if 1 < stop - start <= longest:
                line[start:stop] = True


def _filled_in_plane(mask: np.ndarray, axis: int) -> np.ndarray:
    return each_plane(ndimage.binary_fill_holes, axis, mask)
