"""MetaImage headers (itk.org/Wiki/ITK/MetaIO/Documentation): lines of `Key = value`, ElementDataFile the last.

ITK writes whatever an image carries among them, such as `0008|103e = T1`: keys that are not the format's are passed by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .header import Data, ImageHeader, not_understood
from .text import beside, line_of, listed, numbers, patterned, whole, wholes, written

HEADER_BYTES, LINE_BYTES = 1 << 20, 1 << 16
FIELD = re.compile(r"\s*([^=\s](?:[^=]{0,254}[^=\s])?)\s*=\s*(.*?)\s*")
COMMENT = re.compile(r"\s*(?:#.*)?")
LAST = "elementdatafile"
NO_LIST = "whose header is no list of fields that ends with ElementDataFile"
TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
# Names that mean the same, the first that is there taken, and what stands for the numbers of N axes.
SPACING, MATRIX, OFFSET = ("elementspacing", "elementsize"), ("transformmatrix", "rotation", "orientation"), (
    "offset", "position", "origin",
)  # fmt: skip
BYTE_ORDER = ("binarydatabyteordermsb", "elementbyteordermsb")
IDENTITY = {"elementtointensityfunctionslope": 1.0, "elementtointensityfunctionoffset": 0.0, "headersizeperslice": 0.0}
ONCE = frozenset((
    "ndims", "dimsize", "elementnumberofchannels", "objecttype", "binarydata", "centerofrotation", "elementtype",
    "compresseddata", "compresseddatasize", "headersize", LAST, *SPACING, *MATRIX, *OFFSET, *BYTE_ORDER, *IDENTITY,
))  # fmt: skip


@dataclass(frozen=True)
class _Lines:
    """fields: by lower-case name; names: of files, the lines after `ElementDataFile = LIST`; end: of the header."""

    fields: dict[str, str]
    names: list[str]
    end: int

    def first(self, names: tuple[str, ...], default: str = "") -> str:
        return next((self.fields[name] for name in names if name in self.fields), default)


def read_meta_image(path: Path) -> ImageHeader:
    """Raises InputError for what is no MetaImage of binary voxels, or names files outside its folder."""
    lines = _lines(path)
    axes = whole(lines.fields.get("ndims", ""), path, "NDims")
    if not 2 <= axes <= 4:
        raise not_understood(path, f"of {axes} axes")
    _check_kind(lines, path)
    size = wholes(lines.fields.get("dimsize", ""), path, "DimSize")
    if len(size) != axes:
        raise not_understood(path, f"whose DimSize is {len(size)} numbers, not {axes}")
    spacing = numbers(lines.first(SPACING), path, "ElementSpacing", axes)
    identity = written(tuple(float(a == b) for a in range(axes) for b in range(axes)))
    matrix = numbers(lines.first(MATRIX, identity), path, "TransformMatrix", axes * axes)
    offset = numbers(lines.first(OFFSET, "0 " * axes), path, "Offset", axes)
    return ImageHeader(
        size, _dtype(lines, path), _data(lines, path, size), _canonical(size, spacing, matrix, offset), ".mha",
        spacing, 1.0, (*matrix, *offset), whole(lines.fields.get("elementnumberofchannels", "1"), path, "channels"),
        says_where=bool(lines.first((*MATRIX, *OFFSET))),
    )  # fmt: skip


def _lines(path: Path) -> _Lines:
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    fields: dict[str, str] = {}
    start = 0
    while LAST not in fields:
        end = head.find(b"\n", start)
        stop = len(head) if end < 0 else end
        if start >= len(head) or stop - start > LINE_BYTES:
            raise not_understood(path, NO_LIST)
        fields |= _field(line_of(head[start:stop], path), fields, path)
        start = stop + 1
    names = []
    if fields[LAST].upper() == "LIST":
        names = [line_of(raw, path).strip() for raw in head[start:].splitlines() if raw.strip()]
    return _Lines(fields, names, start)


def _field(line: str, before: dict[str, str], path: Path) -> dict[str, str]:
    """What the line says of the image, by lower-case name; empty for a comment and for a key that is not the format's.
    Raises InputError for a line that is neither, or says again what was said before."""
    found = FIELD.fullmatch(line)
    if COMMENT.fullmatch(line) or (found and found[1].lower() not in ONCE):
        return {}
    if found is None or found[1].lower() in before:
        raise not_understood(path, NO_LIST)
    return {found[1].lower(): found[2]}


def _check_kind(lines: _Lines, path: Path) -> None:
    fields = lines.fields
    if fields.get("objecttype", "Image").lower() != "image" or not _is_true(fields.get("binarydata", "True"), path):
        raise not_understood(path, "that is no MetaImage of binary voxels")
    for name, plain in IDENTITY.items():
        if numbers(fields.get(name, str(plain)), path, name, 1)[0] != plain:
            raise not_understood(path, f"whose {name} is not {plain:g}, which is not read")


def _is_true(text: str, path: Path) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise not_understood(path, "with something else than True or False where one of them belongs")
    return text.lower() in ("true", "1")


def _dtype(lines: _Lines, path: Path) -> str:
    kind = TYPES.get(lines.fields.get("elementtype", "").upper())
    if kind is None:
        raise not_understood(path, "whose ElementType is none of integers or floating-point numbers")
    return (">" if _is_true(lines.first(BYTE_ORDER, "False"), path) else "<") + kind


def _data(lines: _Lines, path: Path, size: tuple[int, ...]) -> Data:
    packing = "zlib" if _is_true(lines.fields.get("compresseddata", "False"), path) else "raw"
    announced = lines.fields.get("compresseddatasize")
    packed = whole(announced, path, "CompressedDataSize") if announced and packing == "zlib" else None
    name, skip = lines.fields[LAST], whole(lines.fields.get("headersize", "0"), path, "HeaderSize")
    if skip < -1:
        raise not_understood(path, "whose HeaderSize is below zero")
    start = None if skip == -1 else skip
    if skip and (packing != "raw" or name.upper() == "LOCAL"):
        raise not_understood(path, "with a HeaderSize before voxels that are packed or in the same file")
    if name.upper() == "LOCAL":
        return Data((path,), lines.end, packing, packed)
    names = lines.names if name.upper() == "LIST" else patterned(name)
    if names is not None:
        if packing != "raw":
            raise not_understood(path, "of several packed files, which is not read")
        return Data(listed(path, names, size[-1]), start, is_part=skip != 0)
    return Data((beside(path, name),), start, packing, packed, skip != 0)


def _canonical(
    size: tuple[int, ...], spacing: tuple[float, ...], matrix: tuple[float, ...], offset: tuple[float, ...]
) -> bytes:
    lines = (
        "ObjectType = Image", f"NDims = {len(size)}", "BinaryData = True", "BinaryDataByteOrderMSB = False",
        "CompressedData = False", f"TransformMatrix = {written(matrix)}", f"Offset = {written(offset)}",
        f"ElementSpacing = {written(spacing)}", f"DimSize = {' '.join(map(str, size))}", "ElementType = MET_UCHAR",
        "ElementDataFile = LOCAL",
    )  # fmt: skip
    return ("\n".join(lines) + "\n").encode()
