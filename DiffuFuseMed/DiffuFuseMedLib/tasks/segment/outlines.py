"""Each sample's own lesion, packed, for a reader who chooses among them."""

from __future__ import annotations

from itertools import product

import numpy as np

from ...core.grid import Grid
from ...core.triples import triple
from ...core.voxels import Voxels, bounds_of
from .sampling import onto_case

MOST_BYTES = 8 << 20  # of all outlines; eight of a sarcoma take a tenth of a megabyte
MARGIN = 4  # of the network's voxels around all samples, so that no edge of the cut is seen
LEFT_OUT = "The outlines of {} of the {} samples are not offered: all of them would take more than 8 MB."

Corner = tuple[int, int, int]


def sample_outlines(
    samples: np.ndarray, source: Grid, grid: Grid, most_bytes: int = MOST_BYTES, at: float = 0.5
) -> tuple[Voxels, ...]:
    """samples: (n, *source.shape) probabilities -> where each is above `at` on `grid`, by the network's own
    probabilities as the labels are. As many as fit into most_bytes, from the first.

    Only the box around all of them is brought to the grid, which is a small part of a large image.
    """
    start, stop = bounds_of(np.any(samples > at, axis=0))
    start = triple(max(0, n - MARGIN) for n in start)
    stop = triple(min(n + MARGIN, count) for n, count in zip(stop, source.shape, strict=True))
    near, (first, last) = source.cropped(start, stop), _covered(source, start, stop, grid)
    part, inside = grid.cropped(first, last), tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    found, used = list[Voxels](), 0
    for sample in samples:
        outline = _packed(sample[inside], near, part, grid.shape, first, at)
        used += len(outline.bits)
        if used > most_bytes:
            break
        found.append(outline)
    return tuple(found)


def _packed(sample: np.ndarray, near: Grid, part: Grid, shape: Corner, first: Corner, at: float) -> Voxels:
    if not sample.size or 0 in part.size:
        return Voxels.of(np.zeros(shape, bool))
    return Voxels.of(onto_case(sample, near, part) > at).moved(shape, first)


def _covered(source: Grid, start: Corner, stop: Corner, grid: Grid) -> tuple[Corner, Corner]:
    """Start and stop, [k, j, i], of the grid's part that a box of the source reaches."""
    ends = [(a - 0.5, b - 0.5) for a, b in zip(start[::-1], stop[::-1], strict=True)]
    corners = grid.to_index(source.to_physical(np.array(list(product(*ends)))))[:, ::-1]
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int) + 1
    first = triple(min(max(0, int(n)), count) for n, count in zip(low, grid.shape, strict=True))
    last = triple(max(a, min(int(n), count)) for a, n, count in zip(first, high, grid.shape, strict=True))
    return first, last
