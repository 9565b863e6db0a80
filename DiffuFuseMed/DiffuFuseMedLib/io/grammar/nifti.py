"""NIfTI headers (nifti.nimh.nih.gov, NIfTI-1 and NIfTI-2), read as written.

ITK cannot be asked: it replaces a zero, negative or NaN spacing by 1 mm and NaN voxels by zero, takes the spacing of
one field and the axes of another where the two disagree, and fills a truncated file with zeros, all without an error.
It is given the fields below alone, and says where the image then lies.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import input_error
from .header import Data, ImageHeader, not_understood
from .voxels import WINDOW, truncated

GZIP_MAGIC = b"\x1f\x8b"
# What ITK reads, by datatype code; 32 and above 1000 are complex, color and 128 bit kinds.
DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
UNIT_MM = {1: 1000.0, 3: 1e-3}  # of xyzt_units: meters and micrometers; all else is millimeters
FIRST_BYTES = 1 << 12  # enough for a packed header
SPACING_AGREES, SHEAR = 0.01, 0.01  # of a voxel's edge; as a cosine: half a degree off the right angle


@dataclass(frozen=True)
class Layout:
    """Where the fields lie and how they are packed."""

    dim: tuple[int, str]
    pixdim: tuple[int, str]
    datatype: int
    bits: int
    data: tuple[int, str]
    scale: tuple[int, str]
    units: tuple[int, str]
    codes: tuple[int, str]
    qform: tuple[int, str]
    sform: tuple[int, str]
    magic: tuple[int, str]
    description: int


LAYOUTS = {
    348: Layout((40, "8h"), (76, "8f"), 70, 72, (108, "f"), (112, "2f"), (123, "B"), (252, "2h"), (256, "6f"),
                (280, "12f"), (344, "4s"), 148),
    540: Layout((16, "8q"), (104, "8d"), 12, 14, (168, "q"), (176, "2d"), (500, "i"), (344, "2i"), (352, "6d"),
                (400, "12d"), (4, "8s"), 240),
}  # fmt: skip
MAGIC = {348: b"n+1\0", 540: b"n+2\0\r\n\032\n"}


@dataclass(frozen=True)
class NiftiHeader:
    """length: of the header, which tells its version; order: of bytes, "<" or ">"; size, spacing: along i, j, k, ...;
    bits: of a voxel; start: of the data, in bytes; qform, sform: their codes; quaternion: the six numbers of the qform;
    axes, origin: the columns of the sform, (3, 3) and (3,), RAS, mm; components: values of a voxel; description: any
    words of whoever wrote the file (descrip)."""

    length: int
    order: str
    size: tuple[int, ...]
    pixdim: tuple[float, ...]
    unit: int
    datatype: int
    bits: int
    start: int
    rescale: tuple[float, float]
    qform: int
    sform: int
    quaternion: tuple[float, ...]
    columns: tuple[float, ...]
    components: int
    description: str

    @property
    def unit_mm(self) -> float:
        return UNIT_MM.get(self.unit & 7, 1.0)

    @property
    def spacing(self) -> tuple[float, ...]:
        return self.pixdim[1 : 1 + len(self.size)]

    @property
    def axes(self) -> np.ndarray:
        return self.unit_mm * np.reshape(self.columns, (3, 4))[:, :3]

    @property
    def origin(self) -> np.ndarray:
        return self.unit_mm * np.reshape(self.columns, (3, 4))[:, 3]

    @property
    def says_where(self) -> bool:
        """Whether any of its codes tells which side is left."""
        return self.qform > 0 or self.sform > 0

    @property
    def is_sheared(self) -> bool:
        """Whether the columns of the sform are off the right angle by more than rounding does."""
        if self.sform <= 0:
            return False
        unit = self.axes / np.linalg.norm(self.axes, axis=0)
        return bool(np.abs(unit.T @ unit - np.eye(3)).max() > 1e-5)


def is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def nifti_header(path: Path) -> NiftiHeader:
    """Raises InputError when the bytes are no NIfTI header."""
    head = _first_bytes(path)
    for order in "<>":
        length = struct.unpack_from(f"{order}i", head)[0] if len(head) >= 348 else 0
        if length in LAYOUTS and len(head) >= length:
            return _parsed(head, order, length, path)
    raise input_error(f"file '{path.name}' without a NIfTI header", "a NIfTI image", "export the image again")


def read_nifti(path: Path) -> ImageHeader:
    """Raises InputError for what is no NIfTI of one file, holds voxels of a kind that is not read, or whose spacing
    and axes disagree."""
    header = nifti_header(path)
    name = f"file '{path.name}'"
    if header.datatype not in DTYPES:
        given = f"{name} whose voxels are of NIfTI's datatype {header.datatype}"
        raise input_error(given, "integers or floating-point numbers of up to 64 bits", "convert it to float32")
    dtype = header.order + DTYPES[header.datatype]
    if header.bits != 8 * int(dtype[-1]):
        raise not_understood(path, f"of {header.bits} bits a voxel, which its datatype has not")
    if header.sform > 0 and all(math.isfinite(step) and step > 0 for step in header.spacing[:3]):
        _check_sform(header, name)  # else the image's own checks say what is wrong with its spacing
    rescale = _rescale(*header.rescale)
    places = (*header.quaternion, *header.columns, *rescale) if header.says_where else rescale
    data = Data((path,), header.start, "gzip" if _is_packed(path) else "raw")
    return ImageHeader(
        header.size, dtype, data, _canonical(header), ".nii", header.spacing, header.unit_mm, places,
        header.components, len(header.size), rescale=rescale, says_where=header.says_where,
    )  # fmt: skip


def nearest_rigid(axes: np.ndarray) -> np.ndarray:
    """The axes (3, 3), columns, at right angles and nearest to the given ones, each with its length."""
    lengths = np.linalg.norm(axes, axis=0)
    u, _, vt = np.linalg.svd(axes / lengths)
    return (u @ vt) * lengths


def _is_packed(path: Path) -> bool:
    """Whatever the name says."""
    with path.open("rb") as file:
        return file.read(2) == GZIP_MAGIC


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(FIRST_BYTES)
    if head[:2] != GZIP_MAGIC:
        return head[: max(LAYOUTS)]
    try:
        return zlib.decompressobj(WINDOW["gzip"]).decompress(head, max(LAYOUTS))
    except zlib.error:
        raise truncated(path) from None


def _parsed(head: bytes, order: str, length: int, path: Path) -> NiftiHeader:
    at = LAYOUTS[length]

    def field(place: tuple[int, str]) -> tuple[Any, ...]:
        return struct.unpack_from(order + place[1], head, place[0])

    if field(at.magic)[0] != MAGIC[length]:
        raise input_error(
            f"file '{path.name}' without a NIfTI header", "a NIfTI image in one file", "export it as .nii"
        )
    axes, *size = field(at.dim)
    if not 1 <= axes <= 7 or min(size[:axes]) < 1:
        raise not_understood(path, "whose dimensions are none of an image")
    components = size[4] if axes == 5 and size[3] == 1 else 1  # the fifth axis holds the values of a voxel
    axes = 3 if components > 1 else axes
    while axes > 3 and size[axes - 1] == 1:
        axes -= 1
    start, (qform, sform) = field(at.data)[0], field(at.codes)
    if not math.isfinite(start) or not length + 4 <= start < 1 << 40:
        raise not_understood(path, "whose voxels begin nowhere behind its header")
    return NiftiHeader(
        length, order, tuple(size[:axes]), field(at.pixdim), field(at.units)[0], field((at.datatype, "h"))[0],
        field((at.bits, "h"))[0], int(start), field(at.scale), qform, sform, field(at.qform), field(at.sform),
        components, field((at.description, "80s"))[0].partition(b"\0")[0].decode("latin-1"),
    )  # fmt: skip


def _rescale(slope: float, intercept: float) -> tuple[float, float]:
    """A slope of zero, or of no number, means: as stored; an intercept of no number means none."""
    if math.isnan(slope) or abs(slope) <= np.finfo(np.float64).eps:
        return 1.0, 0.0
    return slope, 0.0 if math.isnan(intercept) else intercept


def _canonical(header: NiftiHeader) -> bytes:
    """A file of the same place without data. ITK refuses axes that are off the right angle: it gets none of these; and
    a NIfTI-2 of so few bytes: it gets a NIfTI-1 wherever the sizes fit."""
    length = min(LAYOUTS) if max(header.size) < 1 << 15 else header.length
    head, at = bytearray(length + 4), LAYOUTS[length]

    def put(place: tuple[int, str], *values: Any) -> None:
        narrow = place[1].endswith("f")  # what is too large for it is infinite, and refused as a place
        struct.pack_into("<" + place[1], head, place[0], *(np.array(values, "f4").tolist() if narrow else values))

    struct.pack_into("<i", head, 0, length)
    ones = (1,) * (7 - len(header.size))
    put(at.dim, len(header.size), *header.size, *ones)
    put(at.pixdim, *header.pixdim)
    put((at.datatype, "h"), 2)
    put((at.bits, "h"), 8)
    put(at.data, length + 4)
    put(at.units, header.unit)
    put(at.codes, header.qform, 0 if header.is_sheared else header.sform)
    put(at.qform, *header.quaternion)
    put(at.sform, *header.columns)
    put(at.magic, MAGIC[length])
    return bytes(head)


def _check_sform(header: NiftiHeader, name: str) -> None:
    lengths = np.linalg.norm(header.axes, axis=0)
    if not np.isfinite(header.axes).all() or (lengths <= 0).any():
        raise input_error(f"{name} whose sform is no set of axes", "three axes", "write the header again")
    spacing = header.unit_mm * np.array(header.spacing[:3])
    if len(spacing) == 3 and (np.abs(lengths - np.abs(spacing)) > SPACING_AGREES * lengths).any():
        both = f"{_by(lengths)} by its sform and {_by(spacing)} by its pixdim"
        given = f"{name} whose voxels are {both}"
        raise input_error(given, "one spacing in both", "write the header again with the true spacing")
    unit = header.axes / lengths
    if np.abs(unit.T @ unit - np.eye(3)).max() > SHEAR:
        raise input_error(f"{name} whose sform shears the image", "axes at right angles", "resample the image")


def _by(values: np.ndarray) -> str:
    return " x ".join(f"{value:g}" for value in values) + " mm"
