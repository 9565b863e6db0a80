"""Whether two files that call themselves one slice show the same: a copy counts once, a forgery or a slip does not."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from .frames import frames_of
from .reading import check_room, read_dataset

log = logging.getLogger(__name__)


def show_the_same(one: Path, other: Path, kind: str) -> bool:
    """By their bytes, else by their values, compressed or not. kind: Modality (0008,0060). Where one cannot be decoded
    nothing is known against it here: reading the series says what is wrong with it."""
    if one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes():
        return True
    try:
        datasets = [read_dataset(path, force=True) for path in (one, other)]
        check_room(datasets, f"file '{one.name}'")
        values = [[frame.values(kind) for frame in frames_of(dataset)] for dataset in datasets]
    except Exception as error:  # a damaged file fails in as many ways as it can be damaged
        log.info("Two files of one slice could not be compared.", exc_info=error)
        return True
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*values, strict=False))
