"""Folders of registered 8-bit picture pairs: MRI/ beside CT/, PET/ or SPECT/, the two of a pair under one name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..core.errors import input_error
from ..core.modalities import is_tracer, tracers
from ..core.staging import NotSavedError, staged
from ..core.whole_file import not_whole

LUMINANCE = np.array((0.299, 0.587, 0.114), np.float32)  # ITU-R BT.601


@dataclass(frozen=True)
class PictureFiles:
    """kind: "CT", "PET" or "SPECT", what `other` shows; name: of both files, without .png; series: of one patient."""

    kind: str
    name: str
    series: str
    other: Path
    mri: Path

    @property
    def tracer(self) -> bool:
        return is_tracer(self.kind)


@dataclass(frozen=True)
class PicturePair:
    """other, mri: float32 (H, W) in 0..1; color: float32 (H, W, 3) in 0..1 where the other picture has color."""

    other: np.ndarray
    mri: np.ndarray
    color: np.ndarray | None = None


def series_of(file: Path) -> str:
    """The name less its three-digit slice number: one patient, in the public collections of pairs; else the name."""
    numbered = re.fullmatch(r"(.+)\d{3}", file.stem)
    return numbered[1] if numbered else file.stem


def is_pairs_folder(folder: Path) -> bool:
    """Whether the folder is meant as one of pairs: a PNG in MRI/, CT/, PET/ or SPECT/, or MRI/ and another, empty."""
    there = [folder / name for name in ("MRI", *_kinds()) if (folder / name).is_dir()]
    empty = (folder / "MRI") in there and len(there) > 1 and not any(any(place.iterdir()) for place in there)
    return empty or any(any(place.glob("*.png")) for place in there)


def list_pairs(folder: Path) -> list[PictureFiles]:
    """The pairs of every kind that is there, CT first, by series and name.

    Raises InputError without MRI/ beside CT/, PET/ or SPECT/, without a PNG in one of them, and for a picture that has
    no counterpart.
    """
    kinds = [kind for kind in _kinds() if (folder / kind).is_dir()]
    if not kinds or not (folder / "MRI").is_dir():
        raise input_error(f"the folder {folder.name}", "MRI/ beside CT/, PET/ or SPECT/", "name a folder of pairs")
    names = {kind: _pngs(folder, kind) for kind in ("MRI", *kinds)}
    for kind in kinds:
        _refuse_alone(names[kind] - names["MRI"], kind, "MRI")
    _refuse_alone(names["MRI"] - set().union(*(names[k] for k in kinds)), "MRI", " or ".join(kinds))
    return [pair for kind in kinds for pair in _of_kind(folder, kind, names[kind])]


def read_pair(files: PictureFiles) -> PicturePair:
    """Both pictures; color becomes luminance. Raises InputError for an unreadable file, one that is not 8-bit, and for
    two sizes."""
    other, mri = read_picture(files.other), read_gray(files.mri)
    if other.shape[:2] != mri.shape:
        given = f"the pair {files.name} with a {files.kind} of {_size(other)} and an MRI of {_size(mri)} pixels"
        raise input_error(given, "two pictures of one size", "put both on one pixel grid")
    return PicturePair(luminance(other), mri, other if other.ndim == 3 else None)


def read_gray(file: Path) -> np.ndarray:
    """An 8-bit picture as float32 (H, W) in 0..1; color becomes luminance. Raises InputError as read_picture does."""
    return luminance(read_picture(file))


def read_picture(file: Path) -> np.ndarray:
    """An 8-bit picture as float32 (H, W), or (H, W, 3) in color, in 0..1; transparency is dropped.

    Raises InputError for a file that cannot be read or is not 8-bit.
    """
    try:
        image = sitk.ReadImage(str(file))
    except RuntimeError as error:
        raise input_error(f"{file.name}, which cannot be read", "a PNG picture", "export it again") from error
    if image.GetPixelID() not in (sitk.sitkUInt8, sitk.sitkVectorUInt8):
        given = f"{file.name} with {image.GetPixelIDTypeAsString()} values"
        raise input_error(given, "an 8-bit picture", "export it with gray values from 0 to 255")
    array = sitk.GetArrayFromImage(image).astype(np.float32) / 255
    if array.ndim == 3:
        return array[..., :3] if array.shape[-1] >= 3 else array[..., 0]
    return array


def luminance(picture: np.ndarray) -> np.ndarray:
    """Y of a color picture (H, W, 3), ITU-R BT.601; a gray one as it is."""
    return picture @ LUMINANCE if picture.ndim == 3 else picture


def recolored(gray: np.ndarray, color: np.ndarray) -> np.ndarray:
    """The picture's chroma over another luminance: YCbCr with Y replaced, float32 (H, W, 3) in 0..1.

    Replacing Y adds the same amount to red, green and blue (ITU-R BT.601), so no other conversion is needed.
    """
    return np.clip(color + (gray - luminance(color))[..., None], 0, 1)


def write_picture(picture: np.ndarray, file: Path) -> None:
    """(H, W) or (H, W, 3) in 0..1 as an 8-bit PNG. Raises InputError when it cannot be written."""
    pixels = np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    try:
        with staged(file.parent) as folder:
            _write_png(pixels, folder / file.name)
    except NotSavedError as error:
        given = f"the picture {file.name} that cannot be written"
        raise input_error(given, "a folder with write permission and space", "choose another one") from error


def _write_png(pixels: np.ndarray, file: Path) -> None:
    """And read it back, since ITK keeps a full disk to itself; OSError where it is not what was written."""
    try:
        sitk.WriteImage(sitk.GetImageFromArray(pixels, isVector=pixels.ndim == 3), str(file))
        found = sitk.GetArrayFromImage(sitk.ReadImage(str(file)))
    except RuntimeError as cause:
        raise not_whole(file) from cause
    if not np.array_equal(found, pixels):
        raise not_whole(file)


def _kinds() -> tuple[str, ...]:
    return ("CT", *tracers())


def _of_kind(folder: Path, kind: str, names: set[str]) -> list[PictureFiles]:
    files = [folder / kind / f"{name}.png" for name in names]
    pairs = [PictureFiles(kind, f.stem, series_of(f), f, folder / "MRI" / f.name) for f in files]
    return sorted(pairs, key=lambda pair: (pair.series, pair.name))


def _pngs(folder: Path, kind: str) -> set[str]:
    names = {file.stem for file in (folder / kind).glob("*.png")}
    if not names:
        raise input_error(f"{kind}/ without a PNG", "pictures named *.png", "export the slices as PNG")
    return names


def _refuse_alone(names: set[str], kind: str, counterpart: str) -> None:
    if names:
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        given = f"{kind}/{min(names)}.png{others} without a {counterpart} of this name"
        raise input_error(given, "two pictures of one name for every pair", "add what is missing or remove the rest")


def _size(picture: np.ndarray) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]}"
