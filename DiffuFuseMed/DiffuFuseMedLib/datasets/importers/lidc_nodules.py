"""Which drawings of several radiologists are one nodule, and the mask of each.

Both as pylidc does them (Hancock and Magnan 2016, doi:10.1117/1.JMI.3.4.044504): Scan.cluster_annotations() and
Annotation.boolean_mask().
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ...core.errors import input_error
from ...core.volume import Volume
from ...io.dicom.contour_fill import inside
from .lidc_xml import Drawing, Outline

MOST_READERS = 4
CLOSER, CLOSEST_MM = 0.9, 0.1
OFF_SLICE = 0.1  # of the slices' distance: more is the place of one that is not there


def nodules(
    drawings: Sequence[Drawing], pixel_mm: tuple[float, float], thickness_mm: float
) -> list[tuple[Drawing, ...]]:
    """Drawings of which points of the outlines come as close as the slice thickness, in a chain or at once, are one
    nodule. While that makes one of more drawings than there are readers, the distance is taken by a tenth shorter.

    pixel_mm: along rows and columns. In the order of the first drawing of each.
    """
    if not drawings:
        return []
    apart, reach = _distances_mm(drawings, pixel_mm), thickness_mm
    count, group = connected_components(apart <= reach)
    while np.bincount(group).max() > MOST_READERS and reach > CLOSEST_MM:
        reach *= CLOSER
        count, group = connected_components(apart <= reach)
    return [tuple(d for d, g in zip(drawings, group, strict=True) if g == n) for n in range(count)]


def _distances_mm(drawings: Sequence[Drawing], pixel_mm: tuple[float, float]) -> np.ndarray:
    """(n, n): the shortest from a point of one drawing's outlines to one of the other's."""
    clouds = [
        np.concatenate([np.column_stack([o.points * pixel_mm, np.full(len(o.points), o.z_mm)]) for o in d.outlines])
        for d in drawings
    ]
    trees = [cKDTree(cloud) for cloud in clouds]
    return np.array([[tree.query(cloud)[0].min() for cloud in clouds] for tree in trees])


def masks(nodule: Sequence[Drawing], ct: Volume) -> dict[int, np.ndarray]:
    """bool [k, j, i] on the CT's grid by reader, of those that drew it.

    The points of an outline are pixels outside of the nodule: they are no part of it. What an outline that is no
    inclusion holds, its points among it, is taken out. Raises InputError for an outline in a slice that is not there.
    """
    found: dict[int, np.ndarray] = {}
    for drawing in nodule:
        mask = found.setdefault(drawing.reader, np.zeros(ct.grid.shape, bool))
        mask |= _mask(drawing, ct)
    return found


def _mask(drawing: Drawing, ct: Volume) -> np.ndarray:
    mask = np.zeros(ct.grid.shape, bool)
    for outline in sorted(drawing.outlines, key=lambda one: not one.inclusion):  # holes last
        k, points = _slice_of(outline, ct), outline.points
        held, edge = inside(points.astype(float), ct.grid.shape[1:]), np.zeros(ct.grid.shape[1:], bool)
        edge[points[:, 1], points[:, 0]] = True
        mask[k] = mask[k] | (held & ~edge) if outline.inclusion else mask[k] & ~(held | edge)
    return mask


def _slice_of(outline: Outline, ct: Volume) -> int:
    """By the UID of its image, else by its place along the patient."""
    uids = ct.meta["sop_instance_uids"]
    size_i, size_j, _ = ct.grid.size
    within = (outline.points >= 0).all() and (outline.points < (size_i, size_j)).all()
    if within and outline.sop_uid in uids:
        return int(uids.index(outline.sop_uid))
    depth = (outline.z_mm - ct.grid.origin[2]) / (ct.grid.spacing_mm[2] * ct.grid.direction[8])
    if not within or abs(depth - round(depth)) > OFF_SLICE or not 0 <= round(depth) < len(uids):
        given = f"an outline at {outline.z_mm:g} mm that lies in no slice of its CT"
        raise input_error(given, "every slice of the series", "download the series again")
    return round(depth)
