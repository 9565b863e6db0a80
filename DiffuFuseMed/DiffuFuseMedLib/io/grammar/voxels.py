"""The voxels of an image file, unpacked here: as many bytes as its header announces, and their sums right.

zlib checks the sum (Adler-32 or CRC-32) and gzip's length at the end of what is packed, so the end has to be reached;
ITK and VTK stop when they have enough, and take a flipped bit for tissue.
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
MOST_GROWTH = 1100  # DEFLATE packs at most 1,032 bytes into one
MOST_AFTER = 1 << 20  # bytes after the voxels, which some writers leave
WINDOW = {"zlib": zlib.MAX_WBITS, "gzip": zlib.MAX_WBITS | 16}


def read_voxels(header: ImageHeader, path: Path) -> np.ndarray:
    """In the machine's byte order, [..., k, j, i], or [..., k, j, i, value] with several values a voxel. Raises
    InputError for files that hold fewer bytes than announced, or packed ones that are damaged."""
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


def unpack_into(source: BinaryIO, room: memoryview, skip: int, packing: str) -> bool:
    """Fill room with what is packed in source after `skip` bytes of it, and read on to its end. False for too little,
    too much, or sums that are not right."""
    filled, passed, after = 0, 0, 0
    for piece in _pieces(source, packing):
        start = min(len(piece), skip - passed)
        passed += start
        taken = min(len(piece) - start, len(room) - filled)
        room[filled : filled + taken] = piece[start : start + taken]
        filled += taken
        after += len(piece) - start - taken
        if after > MOST_AFTER:
            return False
    return filled == len(room)


def _pieces(source: BinaryIO, packing: str) -> Iterator[bytes]:
    """What is packed, in pieces of bounded size; a gzip file may hold several parts, one after the other. Raises
    zlib.error for what is damaged and EOFError for what ends early."""
    unpacker, waiting = zlib.decompressobj(WINDOW[packing]), b""
    while True:
        waiting = waiting or source.read(CHUNK_BYTES)
        if not waiting:
            raise EOFError
        yield unpacker.decompress(waiting, CHUNK_BYTES)
        waiting = unpacker.unconsumed_tail
        if unpacker.eof:
            waiting = (unpacker.unused_data or source.read(CHUNK_BYTES)).lstrip(b"\0") if packing == "gzip" else b""
            if not waiting:
                return
            unpacker = zlib.decompressobj(WINDOW[packing])


def _check_there(header: ImageHeader, path: Path) -> None:
    """Before room is made for them: what the files can hold at all."""
    there = sum(file.stat().st_size for file in header.data.files)
    start = header.data.start or 0
    most = there - start * len(header.data.files) if header.data.packing == "raw" else there * MOST_GROWTH
    if most < header.bytes:
        raise truncated(path)


def _fill(file: Path, room: memoryview, header: ImageHeader, path: Path) -> None:
    data = header.data
    try:
        with file.open("rb") as source:
            if data.packing == "raw":
                source.seek(data.start if data.start is not None else max(0, file.stat().st_size - len(room)))
                whole = _read_into(source, room)
            else:
                whole = _unpacked(source, room, header)
    except (OSError, EOFError, zlib.error):
        raise truncated(path) from None
    if not whole:
        raise truncated(path)


def _unpacked(source: BinaryIO, room: memoryview, header: ImageHeader) -> bool:
    """Text headers stand before what is packed, a NIfTI's inside it."""
    data, inside = header.data, header.suffix == ".nii"
    start = data.start or 0
    source.seek(0 if inside else start)
    there = source.seek(0, 2) - start
    source.seek(0 if inside else start)
    if data.packed_bytes is not None and not 0 < data.packed_bytes <= there:
        return False
    return unpack_into(source, room, start if inside else 0, data.packing)


def _read_into(source: BinaryIO, room: memoryview) -> bool:
    filled = 0
    while filled < len(room) and (count := source.readinto(room[filled:])):  # type: ignore[attr-defined]  # files do
        filled += count
    return filled == len(room)


def _rescaled(array: np.ndarray, rescale: tuple[float, float]) -> np.ndarray:
    """value * slope + intercept, as float32 unless the file has float64."""
    slope, intercept = rescale
    if (slope, intercept) == (1.0, 0.0):
        return array
    kind = np.float64 if array.dtype == np.float64 else np.float32
    return (array * np.float64(slope) + np.float64(intercept)).astype(kind)
