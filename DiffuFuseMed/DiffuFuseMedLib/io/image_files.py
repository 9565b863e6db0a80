"""One image file (NIfTI, NRRD, MetaImage) to a Volume, through SimpleITK."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from ..core.checks import check_image, check_modality, check_picture, check_spacing, check_volume, unknown_voxels
from ..core.errors import input_error
from ..core.modalities import MODALITIES, is_color
from ..core.synthetic import DESCRIPTION, WARNING
from ..core.volume import Volume
from .grammar.voxels import truncated
from .headers import (
    description_in_header,
    grid_in_header,
    names_no_orientation,
    read_complete,
    spacing_in_header,
)
from .naming import modality_from_name

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


def read_volume(path: str | Path, modality: str | None = None) -> Volume:
    """The image as float32 [k, j, i] on its LPS Grid, of a modality in color with red, green and blue as its last axis;
    modality: a key of MODALITIES, else taken from the file name.

    Raises InputError for a missing, truncated, 4D, constant or non-finite file, bad spacing, values that the modality's
    unit cannot have, and color where none is wanted, or the other way round.
    """
    path = Path(path)
    _check_path(path)
    modality = modality_from_name(path.name) if modality is None else modality
    check_modality(modality, f"file '{path.name}'")
    image = read_picture(path) if is_color(modality) else read_image(path)
    kind = sitk.sitkVectorFloat32 if is_color(modality) else sitk.sitkFloat32
    volume = Volume.from_sitk(sitk.Cast(image, kind), modality, _meta(path, modality))
    volume.meta["notes"] += unknown_voxels(volume.array)
    check_volume(volume, f"file '{path.name}'")
    return volume


def read_place(path: Path, modality: str) -> Volume:
    """What the header alone tells of the image. Raises InputError for one that tells no place."""
    _check_path(path)
    return Volume.without_voxels(grid_in_header(path), modality, _meta(path, modality))


def read_image(path: Path) -> sitk.Image:
    """The file as a checked 3D scalar image with its own voxel type. Raises InputError."""
    name = f"file '{path.name}'"
    check_spacing(spacing_in_header(path), name)
    image = read_complete(path)
    image = _without_single_entries(image)
    check_image(image, name)
    return image


def read_picture(path: Path) -> sitk.Image:
    """The file as a checked picture in color, 8 bits each of red, green and blue. Raises InputError."""
    name = f"file '{path.name}'"
    check_spacing(spacing_in_header(path), name)
    image = read_complete(path)
    check_picture(image, name)
    return image


def _check_path(path: Path) -> None:
    if path.is_dir():
        remedy = "read a DICOM folder with read_dicom_folder"
        raise input_error(f"folder '{path.name}'", "one image file", remedy)
    if not path.is_file():
        raise input_error(f"file '{path.name}' that is not there", "an existing image file", "check the path")
    if not path.name.lower().endswith(SUFFIXES):
        remedy = "convert the file or read DICOM by its folder"
        raise input_error(f"file '{path.name}'", f"one of {', '.join(SUFFIXES)}", remedy)
    if path.stat().st_size == 0:
        raise truncated(path)


def _without_single_entries(image: sitk.Image) -> sitk.Image:
    """4D with one time point, or a list of one value a voxel, is a 3D image that some exporters write so."""
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    if image.GetNumberOfComponentsPerPixel() == 1 and "vector" in image.GetPixelIDTypeAsString():
        image = sitk.VectorIndexSelectionCast(image, 0)
    return image


def _meta(path: Path, modality: str) -> dict[str, object]:
    unit, relative = MODALITIES[modality].unit, MODALITIES[modality].scale == "relative"
    notes = [] if relative else [f"No DICOM tags: the values are taken as {unit}."]
    unplaced = names_no_orientation(path)
    if unplaced:
        notes.append(f"Warning: {path.name} names no orientation: which side is left, and where it lies, is not known.")
    if description_in_header(path) == DESCRIPTION:
        notes.append(f"Warning: {WARNING}")
    return {"name": modality, "source": str(path), "units": unit, "notes": notes, "unplaced": unplaced}
