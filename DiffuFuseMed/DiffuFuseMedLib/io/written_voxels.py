"""Whether the voxels in a compressed file are those that were to be written.

ITK's writers keep a full disk to themselves and leave a file that is cut off, or empty. gzip (RFC 1952) ends with a
checksum of what it holds, and that is compared with the array's own.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..core.whole_file import not_whole

NIFTI_HEADER_BYTES = 352  # of NIfTI-1 in one file, and the four bytes that say there is no extension
CHUNK_BYTES = 2**20


def check_nrrd(path: Path, array: np.ndarray | None = None) -> None:
    """OSError unless the NRRD's gzipped data are whole, and are the array, in its own order, where one is given."""
    with path.open("rb") as file:
        while file.readline() not in (b"\n", b""):  # the header ends with an empty line
            continue
        _check(path, file, array, 0)


def check_nifti(path: Path, array: np.ndarray) -> None:
    """OSError unless the .nii.gz holds the array, in its own order."""
    with path.open("rb") as file:
        _check(path, file, array, NIFTI_HEADER_BYTES)


def _check(path: Path, file: BinaryIO, array: np.ndarray | None, header_bytes: int) -> None:
    checksum, count = 0, 0
    try:
        with gzip.open(file) as data:
            count -= header_bytes - len(data.read(header_bytes))
            while chunk := data.read(CHUNK_BYTES):
                checksum, count = zlib.crc32(chunk, checksum), count + len(chunk)
    except (OSError, EOFError, zlib.error) as cause:  # OSError: gzip's, for a checksum or length that is another
        raise not_whole(path) from cause
    if count < 1:
        raise not_whole(path)
    if array is not None and (count, checksum) != (array.nbytes, zlib.crc32(np.ascontiguousarray(array).data)):
        raise not_whole(path)
