"""The voxels of an image file, unpacked here: as many bytes as its header announces, and their sums right.

zlib checks the sum (Adler-32 or CRC-32) and gzip's length at the end of what is packed, so the end has to be reached;
ITK and VTK stop when they have enough, and take a flipped bit for tissue. A file that holds whole rows or slices more
than its header announces is refused: read by that header, its voxels would lie at wrong places.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ...core.errors import InputError, input_error
from .header import ImageHeader

CHUNK_BYTES = 1 << 20
PACKED_CHUNK_BYTES = 1 << 16  # zlib copies what is left of one for each part of a gzip file that ends in it
# A mask of 512 x 512 x 2,000 packs into next to nothing, and no image of a patient into a two-hundredth.
FREE_GROWTH, MOST_GROWTH = 1 << 29, 200
MOST_AFTER = 1 << 20  # bytes after the voxels, which some writers leave
FREE_PARTS, PART_BYTES = 1000, 1000  # parts of a gzip file, and how much each holds where there are more
WINDOW = {"zlib": zlib.MAX_WBITS, "gzip": zlib.MAX_WBITS | 16}


def read_voxels(header: ImageHeader, path: Path) -> np.ndarray:
    """In the machine's byte order, [..., k, j, i], or [..., k, j, i, value] with several values a voxel. Raises
    InputError for files that hold fewer bytes than announced, whole rows more, or packed ones that are damaged."""
    _check_there(header, path)
    room = np.empty(header.bytes, np.uint8)
    files = header.data.files
    for file, part in zip(files, np.split(room, len(files)), strict=True):
        _fill(file, part.data, header, path)
    array = room.view(header.dtype).reshape(header.file_shape)
    if header.components > 1:
        array = np.moveaxis(array, array.ndim - 1 - header.components_axis, -1)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return _rescaled(native, header.rescale)


def truncated(path: Path) -> InputError:
    """The one sentence for a file that ends too early, or whose sums are not right."""
    remedy = "copy or export the file again"
    return input_error(f"file '{path.name}' that is truncated or damaged", "the complete image", remedy)


def unpack_into(source: BinaryIO, room: memoryview, skip: int, packing: str) -> int:
    """Fill room with what is packed in source after `skip` bytes of it, and read on to its end; how many bytes came
    after them, more than MOST_AFTER where reading stopped there. Raises EOFError for too little, zlib.error for sums
    that are not right."""
    filled, passed, after = 0, 0, 0
    for piece in _pieces(source, packing):
        start = min(len(piece), skip - passed)
        passed += start
        taken = min(len(piece) - start, len(room) - filled)
        room[filled : filled + taken] = piece[start : start + taken]
        filled += taken
        after += len(piece) - start - taken
        if after > MOST_AFTER:
            break
    if filled < len(room):
        raise EOFError
    return after


def _pieces(source: BinaryIO, packing: str) -> Iterator[bytes]:
    """What is packed, in pieces of bounded size; a gzip file may hold several parts, one after the other. Raises
    zlib.error for what is damaged and EOFError for what ends early."""
    unpacker, waiting, parts, made = zlib.decompressobj(WINDOW[packing]), b"", 1, 0
    while True:
        waiting = waiting or source.read(PACKED_CHUNK_BYTES)
        if not waiting:
            raise EOFError
        piece = unpacker.decompress(waiting, CHUNK_BYTES)
        made += len(piece)
        yield piece
        waiting = unpacker.unconsumed_tail
        if unpacker.eof:
            waiting = _next_part(source, unpacker.unused_data) if packing == "gzip" else b""
            if not waiting:
                return
            unpacker, parts = zlib.decompressobj(WINDOW[packing]), parts + 1
            if parts > FREE_PARTS and made < parts * PART_BYTES:
                raise zlib.error("a multitude of parts that hold next to nothing")


def _next_part(source: BinaryIO, waiting: bytes) -> bytes:
    """What follows the zeros that may lie between two parts; empty at the end of the file."""
    while not (found := waiting.lstrip(b"\0")) and (waiting := source.read(CHUNK_BYTES)):
        continue
    return found


def _check_there(header: ImageHeader, path: Path) -> None:
    """Before room is made for them: what the files can hold at all, and no more than a packed image grows by."""
    there = sum(file.stat().st_size for file in header.data.files)
    if header.data.packing == "raw":
        if there - (header.data.start or 0) * len(header.data.files) < header.bytes:
            raise truncated(path)
    elif header.bytes > FREE_GROWTH + MOST_GROWTH * there:
        given = f"file '{path.name}' that announces {header.bytes / 2**30:.1f} GiB of voxels in {there / 2**20:.1f} MB"
        raise input_error(given, "voxels that are there", "save the image again, uncompressed")


def _fill(file: Path, room: memoryview, header: ImageHeader, path: Path) -> None:
    try:
        with file.open("rb") as source:
            after = _read(source, room, header) if header.data.packing == "raw" else _unpacked(source, room, header)
    except (OSError, EOFError, zlib.error):
        raise truncated(path) from None
    # A header that told one row or slice more would still find its voxels.
    if after >= min(len(room) // max(header.file_shape), MOST_AFTER):
        wanted, remedy = "as many as it announces", "export the image again"
        raise input_error(f"file '{path.name}' that holds more voxels than its header announces", wanted, remedy)


def _unpacked(source: BinaryIO, room: memoryview, header: ImageHeader) -> int:
    """How many bytes come after the voxels. Text headers stand before what is packed, a NIfTI's inside it."""
    data, inside = header.data, header.suffix == ".nii"
    start = data.start or 0
    there = source.seek(0, 2) - start
    source.seek(0 if inside else start)
    if data.packed_bytes is not None and not 0 < data.packed_bytes <= there:
        raise EOFError
    return unpack_into(source, room, start if inside else 0, data.packing)


def _read(source: BinaryIO, room: memoryview, header: ImageHeader) -> int:
    """How many bytes come after the voxels; none where the header itself says which part of a larger file they are."""
    there, start = source.seek(0, 2), header.data.start
    source.seek(start if start is not None else max(0, there - len(room)))
    filled = 0
    while filled < len(room) and (count := source.readinto(room[filled:])):  # type: ignore[attr-defined]  # files do
        filled += count
    if filled < len(room):
        raise EOFError
    return 0 if start is None or header.data.is_part else there - start - filled


def _rescaled(array: np.ndarray, rescale: tuple[float, float]) -> np.ndarray:
    """value * slope + intercept, as float32 unless the file has float64."""
    slope, intercept = rescale
    if (slope, intercept) == (1.0, 0.0):
        return array
    kind = np.float64 if array.dtype == np.float64 else np.float32
    return (array * np.float64(slope) + np.float64(intercept)).astype(kind)
