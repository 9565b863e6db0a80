"""What the header says of spacing and size, read as written.

ITK cannot be asked: it replaces a zero, negative or NaN NIfTI spacing by 1 mm, drops the sign of a MetaImage's, and
fills a truncated NIfTI with zeros, all without an error. Layouts: NIfTI-1 / NIfTI-2 headers (nifti.nimh.nih.gov), NRRD
(teem.sourceforge.net/nrrd/format.html), MetaImage.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import SimpleITK as sitk

from ..core.errors import input_error

# sizeof_hdr: (dim offset and type, pixdim offset and type, bitpix offset, vox_offset offset and type)
NIFTI_LAYOUTS = {348: (40, "8h", 76, "8f", 72, 108, "f"), 540: (16, "8q", 104, "8d", 14, 168, "q")}
TEXT_HEADER_BYTES = 1 << 16
CHUNK_BYTES = 1 << 22


@dataclass(frozen=True)
class NiftiHeader:
    """size and spacing_mm run i, j, k, ...; data_end: bytes from the file's start to the last voxel."""

    size: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    data_end: int


def spacing_in_header(path: Path) -> tuple[float, ...] | None:
    """The spacing as the file states it, or None when the format or the header says none."""
    if is_nifti(path):
        return nifti_header(path).spacing_mm[:3]
    with path.open("rb") as file:
        head = file.read(TEXT_HEADER_BYTES).decode("latin-1")
    if path.suffix.lower() in (".nrrd", ".nhdr"):
        return _nrrd_spacing(head.split("\n\n")[0].split("\r\n\r\n")[0])
    found = re.search(r"^\s*Element(?:Spacing|Size)\s*=\s*(.+?)\s*$", head, re.MULTILINE)
    return tuple(_number(text) for text in found.group(1).split()) if found else None


def is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def nifti_header(path: Path) -> NiftiHeader:
    """Raises InputError when the bytes are no NIfTI header."""
    with _opened(path) as file:
        head = _read(file, 540, path)
    for order in "<>":
        size_of_header = struct.unpack_from(f"{order}i", head)[0] if len(head) >= 348 else 0
        if size_of_header in NIFTI_LAYOUTS and len(head) >= size_of_header:
            return _parse_nifti(head, order, *NIFTI_LAYOUTS[size_of_header])
    raise input_error(f"file '{path.name}' without a NIfTI header", "a NIfTI image", "export the image again")


def check_nifti_complete(path: Path) -> None:
    """Refuse a NIfTI file that ends before its last voxel."""
    end = nifti_header(path).data_end
    with _opened(path) as file:
        there = 0
        while chunk := _read(file, CHUNK_BYTES, path):
            there += len(chunk)
    if there < end:
        raise truncated(path)


def truncated(path: Path) -> Exception:
    """The one sentence for a file that ends too early."""
    remedy = "copy or export the file again"
    return input_error(f"file '{path.name}' that is truncated or damaged", "the complete image", remedy)


def _opened(path: Path) -> BufferedIOBase:
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")


def _read(file: BufferedIOBase, count: int, path: Path) -> bytes:
    try:
        return file.read(count)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise truncated(path) from None


def _parse_nifti(
    head: bytes, order: str, dim_at: int, dim: str, pixdim_at: int, pixdim: str, bits_at: int, data_at: int, data: str
) -> NiftiHeader:
    axes, *size = struct.unpack_from(order + dim, head, dim_at)
    spacing = struct.unpack_from(order + pixdim, head, pixdim_at)[1:]
    (bits,) = struct.unpack_from(f"{order}h", head, bits_at)
    (start,) = struct.unpack_from(order + data, head, data_at)
    count = max(0, min(axes, 7))
    voxels = math.prod(size[:count])
    return NiftiHeader(tuple(size[:count]), spacing[:count], int(start) + voxels * bits // 8)


def _nrrd_spacing(header: str) -> tuple[float, ...] | None:
    directions = re.search(r"^space directions:(.+)$", header, re.MULTILINE)
    if directions:
        vectors = re.findall(r"\(([^)]*)\)", directions.group(1))
        return tuple(math.hypot(*(_number(x) for x in vector.split(","))) for vector in vectors)
    spacings = re.search(r"^spacings:(.+)$", header, re.MULTILINE)
    return tuple(_number(text) for text in spacings.group(1).split()) if spacings else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def read_complete(path: Path) -> sitk.Image:
    """The image file as SimpleITK reads it, refused when its data end early. Raises InputError."""
    if is_nifti(path):
        check_nifti_complete(path)
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError:
        raise truncated(path) from None
