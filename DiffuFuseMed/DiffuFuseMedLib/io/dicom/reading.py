"""DICOM files read under limits: what is deflated as a whole, and what frames announce.

pydicom inflates a deflated file (PS3.5 A.5) in one go, a thousand times its size if it was made so, and makes room for
frames of any Rows and Columns, however few bytes are there to be decoded.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from ...core.errors import InputError, input_error
from .tags import value_of

LARGEST_INFLATED, FREE_INFLATED = 1 << 30, 64 << 20
LARGEST_ELEMENT, UNDEFINED = 256 << 20, 0xFFFFFFFF  # a structure set's contours are one element of up to some 100 MB
PIXELS = (0x7FE0,)
PIXEL_DATA = (0x7FE00008, 0x7FE00009, 0x7FE00010)
META_BYTES = 1 << 16  # of group 0002, which holds a dozen short elements
LONG_LENGTHS = (b"OB", b"OD", b"OF", b"OL", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT")
NO_GROUP = b"\0\0"
TRANSFER_SYNTAX = b"\x02\x00\x10\x00"
CHUNK_BYTES = 1 << 20
MOST_GROWTH, FREE_BYTES = 1000, 256 << 20  # a blank frame packs into little: some room is free
LARGEST_PIXELS = 8 << 30


def read_dataset(path: str | Path, **options: Any) -> FileDataset:
    """pydicom.dcmread(path, **options), bounded: it ends at the zeros that a disk or a transfer leaves. Raises
    InputError for a file that inflates to more than 1 GiB, for an element beyond any header's, and what pydicom
    raises."""
    path = Path(path)
    source, stop_before_pixels = readable(path), options.pop("stop_before_pixels", False)
    options["specific_tags"] = [Tag(tag) for tag in options.get("specific_tags") or ()] or None

    def is_over(tag: BaseTag, vr: str | None, length: int) -> bool:
        if length != UNDEFINED and length > (LARGEST_PIXELS if tag.group in PIXELS else LARGEST_ELEMENT):
            raise _too_large(path, f"with an element {tag} of {length >> 20} MB")
        return tag.group == 0 or (stop_before_pixels and tag in PIXEL_DATA)

    if isinstance(source, Path):
        with source.open("rb") as file:
            dataset = read_partial(file, stop_when=is_over, **options)
    else:
        dataset = read_partial(source, stop_when=is_over, **options)
    dataset.filename = str(path)
    return dataset


def readable(path: Path) -> Path | io.BytesIO:
    """What may be given to a library that reads DICOM: the file, or one that was inflated here. Raises InputError."""
    with path.open("rb") as file:
        head = file.read(META_BYTES)
        try:
            elements = list(_meta(head))
        except ValueError:
            raise _too_large(path, "that is truncated or no DICOM") from None
        end = elements[-1][2] if elements else 132 * (head[128:132] == b"DICM")
        if head[end : end + 2] == NO_GROUP:  # pydicom looks for commands there, to the end of the file
            raise _too_large(path, "that is truncated or no DICOM")
        said = [value.strip(b"\0 ").decode("latin-1") for tag, value, _ in elements if tag == TRANSFER_SYNTAX]
        if DeflatedExplicitVRLittleEndian not in said:
            if not said and DeflatedExplicitVRLittleEndian.encode() in head:  # in words that only pydicom reads
                raise _too_large(path, "whose head cannot be read")
            return path
        file.seek(end)
        inflated = _inflated(file, path)
    plain = ExplicitVRLittleEndian.encode() + b"\0"
    meta = TRANSFER_SYNTAX + b"UI" + len(plain).to_bytes(2, "little") + plain
    return io.BytesIO(bytes(128) + b"DICM" + meta + inflated)


def check_room(datasets: Iterable[Dataset], name: str) -> None:
    """Whether what these files announce can be in them. Raises InputError for frames far larger than their bytes, and
    for more than 8 GiB of pixels; datasets: with their PixelData, or headers of files."""
    announced = there = 0
    for dataset in datasets:
        announced += _announced_bytes(dataset)
        there += _bytes_there(dataset)
    if announced > LARGEST_PIXELS or announced > FREE_BYTES + MOST_GROWTH * there:
        given = f"{name} that announces {announced / 2**30:.1f} GiB of pixels in {there / 2**20:.1f} MB"
        raise input_error(given, "pixels that are there", "copy the files again or export them uncompressed")


def _announced_bytes(dataset: Dataset) -> int:
    """PS3.3 C.7.6.3.1, of all frames."""
    sides = [_count(dataset, tag, 1) for tag in ("Rows", "Columns", "SamplesPerPixel", "NumberOfFrames")]
    bits = _count(dataset, "BitsAllocated", 16)
    return sides[0] * sides[1] * sides[2] * sides[3] * bits // 8


def _count(dataset: Dataset, tag: str, default: int) -> int:
    try:
        return max(0, int(value_of(dataset, tag) or default))
    except (TypeError, ValueError):
        return default


def _bytes_there(dataset: Dataset) -> int:
    if "PixelData" in dataset:
        return len(dataset.PixelData)
    name = getattr(dataset, "filename", None)
    return Path(str(name)).stat().st_size if name and Path(str(name)).is_file() else 0


def _meta(head: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Tag, value and end of each element of group 0002, explicit VR little endian (PS3.10 7.1), as far as they go."""
    start = 132 if head[128:132] == b"DICM" else 0
    while head[start : start + 2] == b"\x02\x00":
        tag, kind = head[start : start + 4], head[start + 4 : start + 6]
        wide = kind in LONG_LENGTHS
        first = start + (12 if wide else 8)
        length = int.from_bytes(head[start + 8 : first] if wide else head[start + 6 : first], "little")
        if not kind.isalpha():
            return
        if first + length > len(head):
            raise ValueError("a head that is longer than any")
        start = first + length
        yield tag, head[first:start], start


def _inflated(file: Any, path: Path) -> bytes:
    unpacker, parts, size = zlib.decompressobj(-zlib.MAX_WBITS), [], 0
    waiting = file.read(CHUNK_BYTES)
    try:
        while waiting and not unpacker.eof:
            parts.append(unpacker.decompress(waiting, CHUNK_BYTES))
            size += len(parts[-1])
            if size > LARGEST_INFLATED or size > FREE_INFLATED + 100 * file.tell():
                raise _too_large(path, f"that inflates to more than {size >> 20} MB")
            waiting = unpacker.unconsumed_tail or file.read(CHUNK_BYTES)
    except zlib.error:
        raise _too_large(path, "that is truncated or no DICOM") from None
    return b"".join(parts)


def _too_large(path: Path, what: str) -> InputError:
    return input_error(f"file '{path.name}' {what}", "complete DICOM files", "copy or export the series again")
