"""Otsu's threshold: the value that parts two classes so that each is as even as it can be (Otsu 1979, IEEE Trans. Syst.
Man Cybern. 9:62-66)."""

from __future__ import annotations

import numpy as np

BINS = 256
MOST_LOOKED_AT = 200_000  # values: more of them move the threshold by less than a bin


def otsu(values: np.ndarray) -> float:
    """Between the two classes of the values, of any shape; the value itself where there is only one."""
    seen = values.reshape(-1)[:: max(1, values.size // MOST_LOOKED_AT)]
    seen = seen[np.isfinite(seen)]
    counts, edges = np.histogram(seen, BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above, sums = seen.size - below, np.cumsum(counts * middles)
    parted = (below > 0) & (above > 0)
    if not parted.any():
        return float(seen[0]) if seen.size else 0.0
    means_below = sums[:-1] / np.maximum(below, 1)
    means_above = (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    between = np.where(parted, below * above * (means_below - means_above) ** 2.0, -1.0)  # eq. 18
    return float(edges[1 + np.flatnonzero(between == between.max())].mean())  # an empty gap is parted in its middle
