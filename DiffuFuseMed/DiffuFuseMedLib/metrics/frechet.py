"""How far two sets of features lie apart: the Frechet distance of the normal distributions that fit them.

Heusel et al. (2017), GANs Trained by a Two Time-Scale Update Rule, eq. 6 (the FID, whose features are an ImageNet
network's; any others make it a distance of its own, comparable only with itself).
"""

from __future__ import annotations

import numpy as np

from ..core.errors import input_error


def frechet_distance(one: np.ndarray, other: np.ndarray) -> float:
    """|m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) of features (n, d) and (n', d).

    Raises InputError for fewer than two rows, another number of features, or one that is not finite.
    """
    sets = [np.asarray(x, dtype=np.float64) for x in (one, other)]
    shapes = [x.shape for x in sets]
    fits = all(x.ndim == 2 and len(x) > 1 and np.isfinite(x).all() for x in sets) and shapes[0][1:] == shapes[1][1:]
    if not fits:
        given = f"features of shape {shapes[0]} and {shapes[1]}"
        raise input_error(given, "two or more rows of the same finite features in both", "take more places")
    means, covariances = [x.mean(axis=0) for x in sets], [np.atleast_2d(np.cov(x, rowvar=False)) for x in sets]
    # the trace of the square root is that of the symmetric C^(1/2) C' C^(1/2), whose eigenvalues are real and none < 0
    values, vectors = np.linalg.eigh(covariances[0])
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ covariances[1] @ root), 0, None)).sum()
    apart = float(((means[0] - means[1]) ** 2).sum())
    return max(0.0, apart + float(np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * shared))
