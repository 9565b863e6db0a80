"""Parts: a region of the worklist cut along the border, for a reader whom one outline of all of it does not satisfy.

The border is too far in at one end of a region and right at the other: of what painting a region perfectly wins, one
outline wins a third at most, and one for each part more than half (docs/results.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..core.prediction import Prediction
from ..core.triples import triple
from .patches import patches, reach_mm, smoothed
from .reach import Box, Places

SHARE = 0.4  # of the distance that seeds of regions keep: some ten parts a region
LEAST_MM = 10.0  # but at least this, and
SMALLEST_MM3 = 100.0  # a smaller part is none, as a smaller patch is no region
AROUND_MM = 12.0  # of the box: as far as the smoothing of the error reaches, farther than an outline's box

Center = tuple[float, float, float]


@dataclass(frozen=True)
class Parts:
    """box: of the image, around the region; labels: uint16 of that box, 1 for the part with the most expected error, 0
    outside the parts; centers_lps: mm, a voxel in the middle of each."""

    box: Box
    labels: np.ndarray
    centers_lps: tuple[Center, ...]

    @property
    def count(self) -> int:
        return len(self.centers_lps)


def parts_of(places: Places, region_id: int, prediction: Prediction) -> Parts:
    """The same parts whatever is done to the lesion meanwhile; a region that is too small to be cut has one."""
    grid, box = prediction.grid, places.box(region_id, AROUND_MM)
    region, spacing = places.region(region_id, box), prediction.grid.spacing_kji_mm
    error = np.abs((prediction.labels[box] == 1) - prediction.probability[box]) * region
    apart_mm = SHARE * reach_mm(np.count_nonzero(prediction.labels == 1) * grid.voxel_mm3)
    found = patches(region, smoothed(error, spacing), spacing, max(LEAST_MM, apart_mm))
    errors = np.bincount(found.ravel(), weights=error.ravel())
    large = np.flatnonzero(np.bincount(found.ravel()) * grid.voxel_mm3 >= SMALLEST_MM3)
    ranked = sorted(large[large > 0], key=lambda part: (-errors[part], part))
    rank = np.zeros(len(errors), np.uint16)
    rank[ranked] = np.arange(1, len(ranked) + 1)
    labels, corner = rank[found], [part.start for part in box]
    middles = [_middle(labels == n, spacing) + corner for n in range(1, len(ranked) + 1)]
    return Parts(box, labels, tuple(triple(float(x) for x in grid.to_physical(at[::-1])) for at in middles))


def _middle(part: np.ndarray, spacing_kji_mm: tuple[float, float, float]) -> np.ndarray:
    """The voxel that lies deepest in the part: its center of mass may lie outside it."""
    depth_mm = ndimage.distance_transform_edt(np.pad(part, 1), sampling=spacing_kji_mm)
    return np.array(np.unravel_index(int(depth_mm.argmax()), depth_mm.shape)) - 1
