"""What text headers say of spacing and units, read as written, and the whole file through SimpleITK.

ITK cannot be asked: it drops the sign of a MetaImage's spacing and an NRRD's unit of length. Layouts: NRRD
(teem.sourceforge.net/nrrd/format.html), MetaImage; NIfTI: nifti.py.
"""

from __future__ import annotations

import math
import re
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from .nifti import (
    NiftiHeader,
    check_nifti,
    is_nifti,
    is_sheared,
    nearest_rigid,
    nifti_header,
    not_a_number,
    opened,
    truncated,
)

TEXT_HEADER_BYTES = 1 << 16
MILLIMETERS = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 1e-3, "\u00b5m": 1e-3, "nm": 1e-6} | {
    "meter": 1000.0, "centimeter": 10.0, "millimeter": 1.0, "micron": 1e-3, "micrometer": 1e-3,
}  # fmt: skip


def spacing_in_header(path: Path) -> tuple[float, ...] | None:
    """The spacing as the file states it, or None when the format or the header says none."""
    if is_nifti(path):
        return nifti_header(path).spacing_mm[:3]
    head = _text_header(path)
    if _is_nrrd(path):
        return _nrrd_spacing(head)
    found = re.search(r"^\s*Element(?:Spacing|Size)\s*=\s*(.+?)\s*$", head, re.MULTILINE)
    return tuple(_number(text) for text in found.group(1).split()) if found else None


def read_complete(path: Path) -> sitk.Image:
    """The image file in mm as SimpleITK reads it, NaN where it holds no number. Raises InputError for data that end
    early and for a header that contradicts itself."""
    if is_nifti(path):
        return _read_nifti(path, check_nifti(path))
    image = _read(path)
    return _in_mm(image, _nrrd_unit_mm(_text_header(path))) if _is_nrrd(path) else image


def names_no_orientation(path: Path) -> bool:
    """Whether nothing in the file tells which side of the image is the patient's left."""
    return is_nifti(path) and not nifti_header(path).says_where


def _read_nifti(path: Path, header: NiftiHeader) -> sitk.Image:
    image = _read(path, is_sheared(header.axes) if header.sform > 0 else False, header)
    unknown = not_a_number(path, header)
    if unknown is None:
        return image
    array = sitk.GetArrayFromImage(image)
    array.reshape(unknown.shape)[unknown] = np.nan
    filled = sitk.GetImageFromArray(array)
    filled.CopyInformation(image)
    return filled


def _read(path: Path, sheared: bool = False, header: NiftiHeader | None = None) -> sitk.Image:
    try:
        return _read_squared(path, header) if sheared and header else sitk.ReadImage(str(path))
    except RuntimeError:
        raise truncated(path) from None


def _read_squared(path: Path, header: NiftiHeader) -> sitk.Image:
    """ITK refuses axes that are off the right angle: it gets the voxels without them, then the nearest right ones."""
    with tempfile.TemporaryDirectory() as folder, opened(path) as file:
        copy = Path(folder) / "image.nii"
        data = bytearray(file.read())
        data[header.sform_code] = bytes(len(data[header.sform_code]))
        copy.write_bytes(data)
        image = sitk.ReadImage(str(copy))
    axes = nearest_rigid(header.axes)
    to_lps = np.diag([-1.0, -1.0, 1.0])
    image.SetOrigin([float(x) for x in to_lps @ header.origin])
    image.SetDirection([float(x) for x in (to_lps @ (axes / np.linalg.norm(axes, axis=0))).ravel()])
    return image


def _in_mm(image: sitk.Image, unit_mm: float) -> sitk.Image:
    if unit_mm != 1.0:
        image.SetSpacing([spacing * unit_mm for spacing in image.GetSpacing()])
        image.SetOrigin([place * unit_mm for place in image.GetOrigin()])
    return image


def _is_nrrd(path: Path) -> bool:
    return path.suffix.lower() in (".nrrd", ".nhdr")


def _text_header(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(TEXT_HEADER_BYTES).decode("latin-1")
    return head.split("\n\n")[0].split("\r\n\r\n")[0] if _is_nrrd(path) else head


def _nrrd_spacing(header: str) -> tuple[float, ...] | None:
    """In mm."""
    unit = _nrrd_unit_mm(header)
    directions = re.search(r"^space directions:(.+)$", header, re.MULTILINE)
    if directions:
        vectors = re.findall(r"\(([^)]*)\)", directions.group(1))
        return tuple(unit * math.hypot(*(_number(x) for x in vector.split(","))) for vector in vectors)
    spacings = re.search(r"^spacings:(.+)$", header, re.MULTILINE)
    found = tuple(_number(text) for text in spacings.group(1).split()) if spacings else ()
    return tuple(unit * x for x in found if not math.isnan(x)) or found or None


def _nrrd_unit_mm(header: str) -> float:
    """How long a unit of `space units` is; 1 where the header has none or an unknown one, as most writers mean mm."""
    found = re.search(r"^space units:(.+)$", header, re.MULTILINE)
    words = re.findall(r'"([^"]*)"', found.group(1)) if found else []
    units = {MILLIMETERS.get(word.strip().lower().removesuffix("s"), 1.0) for word in words}
    return units.pop() if len(units) == 1 else 1.0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
