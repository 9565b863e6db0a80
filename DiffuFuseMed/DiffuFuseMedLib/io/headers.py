"""An image file as SimpleITK has it, though ITK never reads it: the header is understood by a grammar of our own, the
voxels are unpacked here, and ITK says from a header written anew where the image lies.

What text headers say of spacing and units is kept as written: ITK drops the sign of a MetaImage's spacing and an NRRD's
unit of length.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..core.checks import check_spacing
from ..core.errors import input_error
from ..core.grid import Grid
from ..core.triples import triple
from .grammar.header import ImageHeader, header_of, not_understood
from .grammar.nifti import is_nifti, nearest_rigid, nifti_header
from .grammar.text import is_usable
from .grammar.voxels import read_voxels

IO = {".nii": "NiftiImageIO", ".nrrd": "NrrdImageIO", ".mha": "MetaImageIO"}


def spacing_in_header(path: Path) -> tuple[float, ...]:
    """The spacing in mm as the file states it, with its sign. Raises InputError for a header that states none, or that
    its format does not allow."""
    header = header_of(path)
    if not header.spacing:
        remedy = "write the spacing into the header"
        raise input_error(f"file '{path.name}' without a voxel spacing", "one in its header", remedy)
    return header.spacing_mm


def read_complete(path: Path) -> sitk.Image:
    """The image file in mm, NaN where it holds no number. Raises InputError for data that end early or are damaged, and
    for a header that its format does not allow, or that contradicts itself."""
    header = header_of(path)
    check_spacing(header.spacing_mm[:3], f"file '{path.name}'")
    if not is_usable(header.places):
        raise not_understood(path, "whose place is no finite numbers")
    image = sitk.GetImageFromArray(read_voxels(header, path), isVector=header.components > 1)
    try:
        _put_in_place(image, header, path)
    except RuntimeError:  # ITK's, of axes that lie in one plane
        raise not_understood(path, "whose axes are none of an image") from None
    for key, value in header.keys.items():
        image.SetMetaData(key, value)
    return image


def grid_in_header(path: Path) -> Grid:
    """Where the image lies, without its voxels. Raises InputError like read_complete()."""
    header = header_of(path)
    check_spacing(header.spacing_mm[:3], f"file '{path.name}'")
    if not is_usable(header.places) or len(header.size) < 3:
        raise not_understood(path, "whose place is no finite numbers")
    image = sitk.Image([1] * len(header.size), sitk.sitkUInt8)
    try:
        _put_in_place(image, header, path)
    except RuntimeError:
        raise not_understood(path, "whose axes are none of an image") from None
    image = image if image.GetDimension() == 3 else image[:, :, :, 0]
    return replace(Grid.of(image), size=triple(header.size[:3]))


def names_no_orientation(path: Path) -> bool:
    """Whether nothing in the file tells which side of the image is the patient's left."""
    return not header_of(path).says_where


def description_in_header(path: Path) -> str:
    """The words that a NIfTI's writer put into it; empty for other formats. Raises InputError like header_of()."""
    return nifti_header(path).description if is_nifti(path) else ""


def _put_in_place(image: sitk.Image, header: ImageHeader, path: Path) -> None:
    place = _asked_of_itk(header)
    unit_mm = 1.0 if is_nifti(path) else header.unit_mm  # ITK knows those of NIfTI
    image.SetSpacing([step * unit_mm for step in place.GetSpacing()])
    image.SetOrigin([x * unit_mm for x in place.GetOrigin()])
    image.SetDirection(place.GetDirection())
    if is_nifti(path) and (nifti := nifti_header(path)).is_sheared:
        axes, to_lps = nearest_rigid(nifti.axes), np.diag([-1.0, -1.0, 1.0])
        image.SetOrigin([float(x) for x in to_lps @ nifti.origin])
        image.SetDirection([float(x) for x in (to_lps @ (axes / np.linalg.norm(axes, axis=0))).ravel()])


def _asked_of_itk(header: ImageHeader) -> sitk.ImageFileReader:
    """What ITK makes of the header that was written anew, which has no voxels."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO(IO[header.suffix])
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"header{header.suffix}"
        copy.write_bytes(header.canonical)
        reader.SetFileName(str(copy))
        reader.ReadImageInformation()
    return reader
