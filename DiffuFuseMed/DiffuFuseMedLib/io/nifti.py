"""What a NIfTI header says, read as written (nifti.nimh.nih.gov, NIfTI-1 and NIfTI-2).

ITK cannot be asked: it replaces a zero, negative or NaN spacing by 1 mm and NaN voxels by zero, takes the spacing of
one field and the axes of another where the two disagree, and fills a truncated file with zeros, all without an error.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import cast

import numpy as np

from ..core.errors import InputError, input_error

CHUNK_BYTES = 1 << 22
GZIP_MAGIC = b"\x1f\x8b"
# What ITK reads, by datatype code; 32 and above 1000 are complex, color and 128 bit kinds.
DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
UNIT_MM = {1: 1000.0, 3: 1e-3}  # of xyzt_units: meters and micrometers; all else is millimeters
SPACING_AGREES, SHEAR = 0.01, 0.01  # of a voxel's edge; as a cosine: half a degree off the right angle


@dataclass(frozen=True)
class Layout:
    """Where the fields lie and how they are packed."""

    dim: tuple[int, str]
    pixdim: tuple[int, str]
    datatype: int
    bits: int
    data: tuple[int, str]
    units: tuple[int, str]
    codes: tuple[int, str]
    sform: tuple[int, str]


LAYOUTS = {
    348: Layout((40, "8h"), (76, "8f"), 70, 72, (108, "f"), (123, "B"), (252, "2h"), (280, "12f")),
    540: Layout((16, "8q"), (104, "8d"), 12, 14, (168, "q"), (500, "i"), (344, "2i"), (400, "12d")),
}


@dataclass(frozen=True)
class NiftiHeader:
    """size and spacing_mm run i, j, k, ...; dtype: numpy's, with byte order, None for a kind that is not read; start,
    end: bytes of the data in the file; qform, sform: their codes; axes, origin: the columns of the sform, (3, 3) and
    (3,), RAS; sform_code: where its code lies in the file."""

    size: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    dtype: str | None
    datatype: int
    start: int
    end: int
    qform: int
    sform: int
    axes: np.ndarray
    origin: np.ndarray
    sform_code: slice

    @property
    def says_where(self) -> bool:
        """Whether any of its codes tells which side is left."""
        return self.qform > 0 or self.sform > 0


def is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def nifti_header(path: Path) -> NiftiHeader:
    """Raises InputError when the bytes are no NIfTI header."""
    with opened(path) as file:
        head = read_some(file, 540, path)
    for order in "<>":
        length = struct.unpack_from(f"{order}i", head)[0] if len(head) >= 348 else 0
        if length in LAYOUTS and len(head) >= length:
            return _parsed(head, order, LAYOUTS[length])
    raise input_error(f"file '{path.name}' without a NIfTI header", "a NIfTI image", "export the image again")


def check_nifti(path: Path) -> NiftiHeader:
    """The header of a file that is whole and says one thing. Raises InputError for one that ends early, holds voxels of
    a kind that is not read, or whose spacing and axes disagree."""
    header = nifti_header(path)
    name = f"file '{path.name}'"
    if header.dtype is None:
        given = f"{name} whose voxels are of NIfTI's datatype {header.datatype}"
        raise input_error(given, "integers or floating-point numbers of up to 64 bits", "convert it to float32")
    _check_complete(path, header)
    if header.sform > 0:
        _check_sform(header, name)
    return header


def not_a_number(path: Path, header: NiftiHeader) -> np.ndarray | None:
    """bool [k, j, i]: voxels that are NaN; None where the kind of voxel knows none, or there are none."""
    if header.dtype is None or header.dtype[1] != "f" or len(header.size) < 3:
        return None
    with opened(path) as file:
        read_some(file, header.start, path)
        raw = read_some(file, header.end - header.start, path)
    found = np.isnan(np.frombuffer(raw, header.dtype))
    return found.reshape([n for n in header.size[::-1] if n != 1 or len(header.size) == 3]) if found.any() else None


def opened(path: Path) -> BufferedIOBase:
    """The bytes of the image, unpacked where they are packed, whatever the name says."""
    with path.open("rb") as file:
        packed = file.read(2) == GZIP_MAGIC
    return cast(BufferedIOBase, gzip.open(path, "rb")) if packed else path.open("rb")


def read_some(file: BufferedIOBase, count: int, path: Path) -> bytes:
    try:
        return file.read(count)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise truncated(path) from None


def truncated(path: Path) -> InputError:
    """The one sentence for a file that ends too early."""
    remedy = "copy or export the file again"
    return input_error(f"file '{path.name}' that is truncated or damaged", "the complete image", remedy)


def nearest_rigid(axes: np.ndarray) -> np.ndarray:
    """The axes (3, 3), columns, at right angles and nearest to the given ones, each with its length."""
    lengths = np.linalg.norm(axes, axis=0)
    u, _, vt = np.linalg.svd(axes / lengths)
    return (u @ vt) * lengths


def is_sheared(axes: np.ndarray) -> bool:
    """Whether its columns are off the right angle by more than rounding does."""
    unit = axes / np.linalg.norm(axes, axis=0)
    return bool(np.abs(unit.T @ unit - np.eye(3)).max() > 1e-5)


def _parsed(head: bytes, order: str, at: Layout) -> NiftiHeader:
    def field(place: tuple[int, str]) -> tuple:
        return struct.unpack_from(order + place[1], head, place[0])

    axes, *size = field(at.dim)
    count = max(0, min(axes, 7))
    (datatype,), (bits,) = field((at.datatype, "h")), field((at.bits, "h"))
    start, (qform, sform) = int(field(at.data)[0]), field(at.codes)
    unit = UNIT_MM.get(field(at.units)[0] & 7, 1.0)
    columns = unit * np.array(field(at.sform), float).reshape(3, 4)
    code_bytes = struct.calcsize(order + at.codes[1]) // 2
    code = slice(at.codes[0] + code_bytes, at.codes[0] + 2 * code_bytes)
    dtype = order + DTYPES[datatype] if datatype in DTYPES else None
    end = start + math.prod(size[:count]) * bits // 8
    spacing = tuple(unit * step for step in field(at.pixdim)[1 : 1 + count])
    shown = (tuple(size[:count]), spacing, dtype, datatype, start, end, qform, sform)
    return NiftiHeader(*shown, columns[:, :3], columns[:, 3], code)


def _check_complete(path: Path, header: NiftiHeader) -> None:
    with opened(path) as file:
        there = 0
        while chunk := read_some(file, CHUNK_BYTES, path):
            there += len(chunk)
    if there < header.end:
        raise truncated(path)


def _check_sform(header: NiftiHeader, name: str) -> None:
    lengths = np.linalg.norm(header.axes, axis=0)
    if not np.isfinite(header.axes).all() or (lengths <= 0).any():
        raise input_error(f"{name} whose sform is no set of axes", "three axes", "write the header again")
    spacing = np.array(header.spacing_mm[:3])
    if len(spacing) == 3 and (np.abs(lengths - np.abs(spacing)) > SPACING_AGREES * lengths).any():
        both = f"{_by(lengths)} by its sform and {_by(spacing)} by its pixdim"
        given = f"{name} whose voxels are {both}"
        raise input_error(given, "one spacing in both", "write the header again with the true spacing")
    unit = header.axes / lengths
    if np.abs(unit.T @ unit - np.eye(3)).max() > SHEAR:
        raise input_error(f"{name} whose sform shears the image", "axes at right angles", "resample the image")


def _by(values: np.ndarray) -> str:
    return " x ".join(f"{value:g}" for value in values) + " mm"
