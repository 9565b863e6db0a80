"""Covering: of many plausible outlines, the few that leave least between any of them and the nearest of the few.

Greedy, as for the placing of facilities (Cornuejols, Fisher and Nemhauser, Management Science 1977, 23(8), 789-810):
the farthest outlines would be the extremes, which are seldom right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def covering(outlines: np.ndarray, weights: Sequence[float], known: np.ndarray, most: int, least: int) -> list[int]:
    """Which of the outlines to offer, the one that covers most first.

    outlines: bool (n, voxels); weights: how plausible each is; known: bool (voxels,), what is there already. None of
    the chosen differs from it, or from another one, in fewer than `least` voxels.
    """
    between, near = _wrong(outlines, outlines), _wrong(outlines, known[None])[:, 0]
    free, found = near >= max(1, least), list[int]()
    while free.any() and len(found) < most:
        gains = np.maximum(0, near[:, None] - between).T @ np.asarray(weights, float)
        best = int(np.where(free, gains, -1.0).argmax())
        if gains[best] <= 0:
            break
        found.append(best)
        near = np.minimum(near, between[best])
        free &= between[best] >= max(1, least)
    return found


def _wrong(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n, m) voxels in which each of the one differs from each of the other."""
    a, b = first.astype(np.float32), second.astype(np.float32)
    return a.sum(axis=1)[:, None] + b.sum(axis=1)[None] - 2 * a @ b.T
