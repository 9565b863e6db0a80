"""Voxels: a mask that never changes, packed small enough to keep a hundred of them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from .triples import triple

QUICK = 1  # zlib's level: a mask is a few long runs, which the fastest finds as well


@dataclass(frozen=True)
class Voxels:
    """shape: of the whole, [k, j, i]; start, stop: the box around the voxels; bits: those in the box, by packbits and
    zlib. Two of the same mask are equal."""

    shape: tuple[int, int, int]
    start: tuple[int, int, int]
    stop: tuple[int, int, int]
    bits: bytes

    @classmethod
    def of(cls, mask: np.ndarray) -> Voxels:
        """mask: bool [k, j, i]."""
        start, stop = bounds_of(mask)
        inside = mask[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
        return cls(triple(mask.shape), start, stop, zlib.compress(np.packbits(inside).tobytes(), QUICK))

    def mask(self) -> np.ndarray:
        """bool [k, j, i], a new one. ValueError where bits and box do not fit."""
        found = np.zeros(self.shape, bool)
        box = tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))
        count = found[box].size
        size = -(-count // 8)
        # no more is unpacked than fits into the box
        try:
            data = zlib.decompressobj().decompress(self.bits, size + 1)
        except zlib.error as error:
            raise ValueError("voxels that are damaged") from error
        if len(data) != size:
            raise ValueError("voxels of another size")
        found[box] = np.unpackbits(np.frombuffer(data, np.uint8), count=count).reshape(found[box].shape)
        return found


def bounds_of(mask: np.ndarray) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Start and stop, [k, j, i], of the least box with every True voxel; slices first, quick where most are void."""
    slices = np.flatnonzero(mask.reshape(mask.shape[0], -1).any(axis=1))
    if not slices.size:
        return (0, 0, 0), (0, 0, 0)
    part = mask[slices[0] : slices[-1] + 1]
    found = [slices, *(np.flatnonzero(part.any(axis=axes)) for axes in ((0, 2), (0, 1)))]
    return triple(int(at[0]) for at in found), triple(int(at[-1]) + 1 for at in found)
