"""The contours of one plane filled: nested ones are holes, overlapping ones make one, a copy counts once.

DICOM (PS3.3 C.8.8.6.3) says how contours combine for CLOSEDPLANAR_XOR alone. For CLOSED_PLANAR, programs write holes as
contours inside others or as keyholes; two that overlap are two strokes of one hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import input_error

if TYPE_CHECKING:
    from matplotlib.path import Path as Polygon

MOST_CONTOURS, MOST_POINTS = 100, 20_000  # of a plane, of a contour; each point is held against each voxel
MOST_DRAWN = 1000  # in a plane, copies of one another among them
# Moves voxel centers off edges they lie on: a keyhole's bridge, run along twice, must count twice or not at all.
NUDGE_VOXELS = (3.1e-5, 7.3e-5)


def filled_plane(contours: Sequence[tuple[np.ndarray, bool]], shape: tuple[int, int], notes: list[str]) -> np.ndarray:
    """bool [j, i] of contours ((points, ij), whether it is of the XOR type); notes: gets what had to be decided."""
    if len(contours) > MOST_DRAWN:
        raise input_error(f"a ROI with {len(contours)} contours in one plane", f"at most {MOST_DRAWN}", "draw it anew")
    masks = [inside(points, shape) for points, _ in contours]
    if any(xor for _, xor in contours):
        return np.logical_xor.reduce(masks)
    masks = [mask for mask in masks if mask.any()]  # specks between voxel centers are no copies of one another
    distinct = _distinct(masks)
    if len(distinct) < len(masks):
        notes.append("Contours that are in the file twice were taken once.")
    depths = [_depth(mask, distinct) for mask in distinct]
    if _overlap(distinct, depths):
        notes.append("Contours that overlap in one plane were united.")
    filled = np.zeros(shape, bool)
    for depth in range(max(depths, default=-1) + 1):
        level = np.logical_or.reduce([mask for mask, d in zip(distinct, depths, strict=True) if d == depth])
        filled = filled & ~level if depth % 2 else filled | level
    return filled


def inside(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """bool [j, i]: voxel centers inside the polygon (points, ij) by the even-odd rule. Raises InputError for more
    points than anybody draws."""
    if len(points) > MOST_POINTS:
        given = f"a contour of {len(points)} points"
        raise input_error(given, f"at most {MOST_POINTS}", "draw it anew, or give the mask as NIfTI or NRRD")
    filled = np.zeros(shape, bool)
    low = np.maximum(np.ceil(points.min(axis=0)), 0).astype(int)
    high = np.minimum(np.floor(points.max(axis=0)) + 1, shape[::-1]).astype(int)
    if (high > low).all():
        j, i = np.mgrid[low[1] : high[1], low[0] : high[0]]
        found = _polygon(points).contains_points(np.column_stack([i.ravel(), j.ravel()]) + NUDGE_VOXELS)
        filled[low[1] : high[1], low[0] : high[0]] = found.reshape(i.shape)
    return filled


def _distinct(masks: list[np.ndarray]) -> list[np.ndarray]:
    """Raises InputError for more than anybody draws in one plane: each of them is held against each other."""
    found = list({np.packbits(mask).tobytes(): mask for mask in reversed(masks)}.values())[::-1]
    if len(found) > MOST_CONTOURS:
        given = f"a ROI with {len(found)} contours in one plane"
        raise input_error(given, f"at most {MOST_CONTOURS}", "draw it anew, or give the mask as NIfTI or NRRD")
    return found


def _depth(mask: np.ndarray, masks: list[np.ndarray]) -> int:
    """How many of the others it lies inside of."""
    return sum(other is not mask and not (mask & ~other).any() for other in masks)


def _overlap(masks: list[np.ndarray], depths: list[int]) -> bool:
    """Whether two at one depth share voxels."""
    for depth in set(depths):
        level = [mask for mask, d in zip(masks, depths, strict=True) if d == depth]
        if len(level) > 1 and (np.sum(level, axis=0) > 1).any():
            return True
    return False


def _polygon(points: np.ndarray) -> Polygon:
    """Slicer's own Python has no matplotlib: what reads no structure set does without."""
    try:
        from matplotlib import path as outlines
    except ImportError as error:
        given = "contours of an RT structure set, in a Python without the package matplotlib"
        raise input_error(given, "that package to fill them", "give the mask as NIfTI or NRRD instead") from error
    return outlines.Path(points)
