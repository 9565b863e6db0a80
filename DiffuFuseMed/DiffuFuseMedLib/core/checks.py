"""What an image must be before anything is computed from it; each refusal is one sentence (see errors.input_error).

The plausibility limits are deliberately wide: they catch a wrong unit (counts for SUV, gray levels for HU), never an
unusual patient.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from .errors import input_error
from .modalities import MODALITIES, is_color
from .volume import COLORS, Volume

SPACING_MM = (0.01, 100.0)
CT_MIN_RANGE_HU = 50.0  # water, fat and air differ by more than this in any scan of a body
PET_MIN_SUV = -1.0  # reconstruction noise goes a little below zero, never this far
PET_MAX_SUV = 1000.0  # a full bladder reaches a few hundred; Bq/mL and counts run to tens of thousands
PET_MAX_WHOLE_SUV = 100.0  # whole numbers up to more than this are gray levels or counts


def check_picture(image: sitk.Image, name: str) -> None:
    """Refuse what is not 8-bit color of three values a voxel, in one slice or several, with usable geometry. Raises
    InputError."""
    if image.GetPixelID() != sitk.sitkVectorUInt8 or image.GetNumberOfComponentsPerPixel() != COLORS:
        given = (
            f"{name} with {image.GetNumberOfComponentsPerPixel()} values of {image.GetPixelIDTypeAsString()} a voxel"
        )
        raise input_error(given, "red, green and blue of 8 bits", "export the picture in color")
    check_spacing(image.GetSpacing(), name)
    check_values(sitk.GetArrayViewFromImage(image), name)


def check_image(image: sitk.Image, name: str) -> None:
    """Refuse what is not one 3D gray-value image with usable geometry and values. Raises InputError."""
    channels = image.GetNumberOfComponentsPerPixel()
    if channels != 1:
        raise input_error(
            f"{name} with {channels} values per voxel (RGB or vector)",
            "one gray value per voxel",
            "export the single-channel image",
        )
    check_dimensions(image.GetSize(), name)
    check_spacing(image.GetSpacing(), name)
    check_values(sitk.GetArrayViewFromImage(image), name)


def check_volume(volume: Volume, name: str | None = None) -> None:
    """The same for a Volume, and that its values can be those of its modality; a mask (modality None) may be constant.

    name: what to call it in the InputError, its own name if None.
    """
    name = volume.name if name is None else name
    if not is_color(volume.modality):  # of which one slice is whole
        check_dimensions(volume.grid.size, name)
    check_spacing(volume.grid.spacing_mm, name)
    if volume.modality is None:
        check_finite(volume.array, name)
        return
    check_modality(volume.modality, name)
    check_values(volume.array, name)
    check_plausible(volume.array, volume.modality, name)


def check_modality(modality: str, name: str) -> None:
    """Refuse a modality key that is not in MODALITIES. Raises InputError."""
    if modality not in MODALITIES:
        raise input_error(
            f"{name} as '{modality}'", f"a modality among {', '.join(MODALITIES)}", "use one of these keys"
        )


def check_dimensions(size: Sequence[int], name: str) -> None:
    """size: voxels along i, j, k; three axes of at least two voxels each. Raises InputError for others."""
    shape = " x ".join(str(n) for n in size)
    if len(size) != 3:
        raise input_error(f"{name} with {len(size)} axes ({shape})", "one 3D volume", "export a single 3D volume")
    if min(size) < 1:
        raise input_error(f"{name} that is empty ({shape} voxels)", "a 3D volume with voxels", "export the image again")
    if min(size) < 2:
        remedy = "load the whole stack of slices"
        raise input_error(f"{name} with {shape} voxels", "at least 2 slices and 2 voxels along each axis", remedy)


def check_spacing(spacing_mm: Sequence[float], name: str) -> None:
    """spacing_mm: along i, j, k; finite, above zero, and such as a scanner of patients has. Raises InputError for
    others."""
    shown = " x ".join(f"{s:g}" for s in spacing_mm)
    if all(np.isfinite(s) and s > 0 for s in spacing_mm) and not all(
        SPACING_MM[0] <= s <= SPACING_MM[1] for s in spacing_mm
    ):
        given, wanted = f"{name} with a voxel spacing of {shown} mm", f"{SPACING_MM[0]:g} to {SPACING_MM[1]:g} mm"
        raise input_error(given, wanted, "correct the unit of length in the header")
    if any(not np.isfinite(s) or s <= 0 for s in spacing_mm):
        remedy = "correct the voxel spacing in the header or export the image again"
        raise input_error(
            f"{name} with a voxel spacing of {shown} mm", "a finite spacing above zero on each axis", remedy
        )


def check_finite(array: np.ndarray, name: str) -> None:
    """Refuse NaN and infinity in an array of any shape. Raises InputError."""
    if not np.issubdtype(array.dtype, np.floating):
        return
    bad = array.size - int(np.count_nonzero(np.isfinite(array)))
    if bad:
        remedy = "replace them with the background value or export the image again"
        raise input_error(f"{name} with {bad} voxels that are NaN or infinite", "finite values only", remedy)


def check_values(array: np.ndarray, name: str) -> None:
    """array: any shape; not empty, not infinite, not all the same; NaN is where nothing was imaged, as long as that is
    not everywhere. Raises InputError for others."""
    if array.size == 0:
        raise input_error(f"{name} that is empty", "a 3D volume with voxels", "export the image again")
    known = array[np.isfinite(array)] if np.issubdtype(array.dtype, np.floating) else array
    if known.size < array.size and (known.size == 0 or np.isinf(array).any()):
        check_finite(array, name)
    if known.min() == known.max():
        wanted = "an image that shows something"
        raise input_error(
            f"{name} whose voxels are all {known.min():g}", wanted, "check the export and load another file"
        )


def unknown_voxels(array: np.ndarray) -> list[str]:
    """A note on an image [k, j, i] with voxels that are NaN; empty where there are none."""
    unknown = int(np.count_nonzero(np.isnan(array))) if np.issubdtype(array.dtype, np.floating) else 0
    share = 100 * unknown / array.size
    return [f"{share:.1f} % of its voxels hold no value: there it is treated as not imaged."] if unknown else []


def check_masks(*masks: np.ndarray) -> None:
    """Raise InputError unless all are 3D bool arrays of one shape."""
    given = ", ".join(f"{m.dtype} {m.shape}" for m in masks)
    if any(m.dtype != bool or m.ndim != 3 or m.shape != masks[0].shape for m in masks):
        raise input_error(
            f"masks of {given}", "3D bool masks of one shape", "resample them to one grid and compare with > 0"
        )


def check_plausible(array: np.ndarray, modality: str, name: str) -> None:
    """Refuse values that cannot be HU (CT) or SUVbw (PET) by the modality's scale; a relative one can be anything.

    array: of any shape. Raises InputError.
    """
    scale = MODALITIES[modality].scale
    if scale == "HU":
        _check_hounsfield(array, name)
    if scale == "SUV":
        _check_suv(array, name)


def _check_hounsfield(array: np.ndarray, name: str) -> None:
    # Air is -1000 HU and fat about -100 HU: an image without one negative value is 8-bit, normalized or not rescaled.
    low, high = float(np.nanmin(array)), float(np.nanmax(array))
    if low >= 0 or high - low < CT_MIN_RANGE_HU:
        given = f"{name} as CT with values from {low:g} to {high:g}"
        remedy = "load the original CT or apply its rescale slope and intercept, or name another modality"
        raise input_error(given, "Hounsfield units, with fat or air below 0 HU", remedy)


def _check_suv(array: np.ndarray, name: str) -> None:
    low, high = float(np.nanmin(array)), float(np.nanmax(array))
    whole = high > PET_MAX_WHOLE_SUV and bool(np.all((array == np.rint(array)) | np.isnan(array)))
    if low < PET_MIN_SUV or high > PET_MAX_SUV or whole:
        kind = "whole-number values" if whole else "values"
        given = f"{name} as PET with {kind} from {low:g} to {high:g}"
        remedy = "convert counts or Bq/mL to SUVbw, or load the DICOM series, whose tags allow it"
        raise input_error(given, "SUVbw (body-weight SUV), from about 0 to a few hundred", remedy)
