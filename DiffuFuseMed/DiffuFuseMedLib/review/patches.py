"""The uncertain band along a lesion's border, cut into patches, each of which one decision settles.

How far a patch reaches goes with the lesion, so a list is as long for a large one as for a small one: a dozen patches
hold what tiles of one size held a tenth of.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

SMOOTHING_MM = 4.0  # standard deviation; seeds sit on hills of the error, not on its noise
REACH = 0.65  # of the diameter of a ball as large as the lesion: the distance that seeds keep
REACH_MM = (20.0, 100.0)  # but at least and at most this
LEVELS_PER_MM = 4  # of the flooding
EVERY_NEIGHBOR = np.ones((3, 3, 3), bool)


def smoothed(error: np.ndarray, spacing_kji_mm: tuple[float, float, float]) -> np.ndarray:
    """The error [k, j, i] after a Gaussian of SMOOTHING_MM, float32."""
    sigma = [SMOOTHING_MM / s for s in spacing_kji_mm]
    return ndimage.gaussian_filter(error, sigma, output=np.float32, truncate=3.0)


def reach_mm(lesion_mm3: float) -> float:
    """How far apart the seeds of patches along this lesion's border are, and how far from one a voxel may lie."""
    return float(np.clip(REACH * (6 * lesion_mm3 / np.pi) ** (1 / 3), *REACH_MM))


def patches(
    uncertain: np.ndarray, hills: np.ndarray, spacing_kji_mm: tuple[float, float, float], reach_mm: float
) -> np.ndarray:
    """int32 [k, j, i], 0 outside `uncertain`, patches numbered from 1; hills: the smoothed error.

    Every connected piece is cut by itself: a patch never spans two. Seeds are taken greedily, the highest hill first,
    each reach_mm or more from the others; then water rises from all of them along the distance to the nearest, and
    stays inside the piece.
    """
    if not uncertain.any():
        return np.zeros(uncertain.shape, np.int32)
    pieces, _ = ndimage.label(uncertain, EVERY_NEIGHBOR)
    seeds = _seeds(pieces, hills, spacing_kji_mm, reach_mm)
    markers = np.zeros(uncertain.shape, np.uint32)
    markers[tuple(seeds.T)] = np.arange(1, len(seeds) + 1)
    return np.where(uncertain, _flooded(markers, uncertain, spacing_kji_mm), 0).astype(np.int32)


def _seeds(
    pieces: np.ndarray, hills: np.ndarray, spacing_kji_mm: tuple[float, float, float], reach_mm: float
) -> np.ndarray:
    """(n, 3) voxel indices, at least reach_mm apart within a piece and so many that each voxel has one as near."""
    left = np.argwhere(pieces)
    left = left[np.argsort(-hills[tuple(left.T)], kind="stable")]
    piece, place_mm = pieces[tuple(left.T)], (left * spacing_kji_mm).astype(np.float32)
    seeds = []
    while len(left):
        seeds.append(left[0])
        far = ((place_mm - place_mm[0]) ** 2).sum(axis=1) > reach_mm**2
        far |= piece != piece[0]
        left, piece, place_mm = left[far], piece[far], place_mm[far]
    return np.array(seeds)


def _flooded(markers: np.ndarray, uncertain: np.ndarray, spacing_kji_mm: tuple[float, float, float]) -> np.ndarray:
    """The markers grown over `uncertain`; values outside it mean nothing.

    Everything else stands higher than any distance, so it is flooded last and no short cut leads through it.
    """
    distance_mm = ndimage.distance_transform_edt(markers == 0, sampling=spacing_kji_mm)
    top = np.iinfo(np.uint16).max
    height = np.where(uncertain, np.minimum(distance_mm * LEVELS_PER_MM, top - 1), top).astype(np.uint16)
    stands, starts = (sitk.GetImageFromArray(array) for array in (height, markers))
    return sitk.GetArrayFromImage(sitk.MorphologicalWatershedFromMarkers(stands, starts, False, True))
