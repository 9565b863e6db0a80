"""Voxels: a mask that never changes, packed small enough to keep a hundred of them."""

from __future__ import annotations

import base64
import zlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .fields import whole_number
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

    def to_words(self) -> dict[str, Any]:
        """What JSON can hold; the bits in base64."""
        return {**asdict(self), "bits": base64.b64encode(self.bits).decode()}

    @classmethod
    def from_words(cls, words: dict[str, Any]) -> Voxels:
        """What to_words() gave. ValueError, TypeError or LookupError for anything else; what the bits hold is looked at
        by mask() and part()."""
        ends = (words[name] for name in ("shape", "start", "stop"))
        shape, start, stop = (triple(map(whole_number, numbers)) for numbers in ends)
        if not all(0 <= a <= b <= n for n, a, b in zip(shape, start, stop, strict=True)):
            raise ValueError("a box outside its image")
        return cls(shape, start, stop, base64.b64decode(words["bits"], validate=True))

    def mask(self) -> np.ndarray:
        """bool [k, j, i], a new one. ValueError where bits and box do not fit."""
        found = np.zeros(self.shape, bool)
        found[tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))] = self._inside()
        return found

    def part(self, box: tuple[slice, slice, slice]) -> np.ndarray:
        """mask()[box], without the rest of the mask; box: starts and stops along [k, j, i]. ValueError as mask()."""
        ends = [part.indices(count)[:2] for part, count in zip(box, self.shape, strict=True)]
        found = np.zeros([max(0, b - a) for a, b in ends], bool)
        both = [(max(a, c), min(b, d)) for (a, b), c, d in zip(ends, self.start, self.stop, strict=True)]
        if all(a < b for a, b in both):
            there = tuple(slice(a - c, b - c) for (a, b), c in zip(both, self.start, strict=True))
            found[tuple(slice(a - c, b - c) for (a, b), (c, _) in zip(both, ends, strict=True))] = self._inside()[there]
        return found

    def count(self) -> int:
        """How many there are. ValueError as mask()."""
        return int(np.count_nonzero(self._inside()))

    def moved(self, shape: tuple[int, int, int], start: tuple[int, int, int]) -> Voxels:
        """The same in a larger mask of this shape, [k, j, i], in which this one's first voxel lies at `start`."""
        first, last = (triple(a + b for a, b in zip(start, end, strict=True)) for end in (self.start, self.stop))
        return Voxels(shape, first, last, self.bits)

    def check(self) -> None:
        """ValueError where bits and box do not fit."""
        self._inside()

    def _inside(self) -> np.ndarray:
        """What is in the box, bool [k, j, i]."""
        shape = tuple(b - a for a, b in zip(self.start, self.stop, strict=True))
        count = int(np.prod(shape))
        size = -(-count // 8)
        # no more is unpacked than fits into the box
        try:
            data = zlib.decompressobj().decompress(self.bits, size + 1)
        except zlib.error as error:
            raise ValueError("voxels that are damaged") from error
        if len(data) != size:
            raise ValueError("voxels of another size")
        return np.unpackbits(np.frombuffer(data, np.uint8), count=count).reshape(shape).view(bool)


def bounds_of(mask: np.ndarray) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Start and stop, [k, j, i], of the least box with every True voxel; slices first, quick where most are void."""
    slices = np.flatnonzero(mask.reshape(mask.shape[0], -1).any(axis=1))
    if not slices.size:
        return (0, 0, 0), (0, 0, 0)
    part = mask[slices[0] : slices[-1] + 1]
    found = [slices, *(np.flatnonzero(part.any(axis=axes)) for axes in ((0, 2), (0, 1)))]
    return triple(int(at[0]) for at in found), triple(int(at[-1]) + 1 for at in found)


def box_around(
    mask: np.ndarray, spacing_kji_mm: tuple[float, float, float], around_mm: float
) -> tuple[slice, slice, slice]:
    """The least box [k, j, i] with every True voxel of a mask that has one, and so much around it; it may end beyond
    the image."""
    margins = [int(np.ceil(around_mm / step)) for step in spacing_kji_mm]
    return triple(slice(max(0, a - m), b + m) for a, b, m in zip(*bounds_of(mask), margins, strict=True))
