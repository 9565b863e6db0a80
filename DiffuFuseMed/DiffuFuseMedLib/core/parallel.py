"""Slices or slabs of a volume, several at once: what works on them in C leaves the interpreter to the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

Found = TypeVar("Found")
MOST_THREADS = 16
TOGETHER = 8  # planes in one go
TURNED = 64  # as many across the last axis: a line of the processor's cache, so that none is read once for each of them


def each(find: Callable[..., Found], *many: Iterable) -> list[Found]:
    """[find(a, b, ...)] for the parts of `many` in their order; raises what one of them raises."""
    with ThreadPoolExecutor(min(MOST_THREADS, processors())) as pool:
        return list(pool.map(find, *many))


def each_plane(find: Callable[..., np.ndarray], axis: int, *arrays: np.ndarray) -> np.ndarray:
    """bool [k, j, i]: masks that find(plane, ...) makes of the planes across the axis, each of its shape."""
    out = np.empty(arrays[0].shape, bool)
    count = TURNED if axis == out.ndim - 1 else TOGETHER
    turned = [np.moveaxis(array, axis, 0) for array in (out, *arrays)]

    def some(start: int) -> None:
        planes = [np.ascontiguousarray(array[start : start + count]) for array in turned[1:]]
        turned[0][start : start + count] = np.stack([find(*parts) for parts in zip(*planes, strict=True)])

    each(some, range(0, len(turned[0]), count))
    return out


def processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
