"""The stored pixels of a DICOM object: decoded, cut to the bits that count, and what in them is padding."""

from __future__ import annotations

import struct

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

from ...core.errors import InputError, input_error
from .reading import check_room
from .tags import numbers, value_of

WHAT = "a DICOM slice"
JPEG, J2K, LONGEST_BOXES = b"\xff\xd8", b"\xff\x4f\xff\x51", 1 << 16
STARTS_OF_FRAME = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}


def stored_pixels(dataset: Dataset) -> np.ndarray:
    """Integers [j, i], or [frame, j, i], as stored, without the bits above BitsStored (PS3.5 8.1.1), where retired
    overlays and some encoders leave something. Raises InputError when no installed decoder can read them."""
    check_room([dataset], WHAT)
    _check_native(dataset)
    try:
        return _meant(dataset.pixel_array, dataset)
    except Exception as error:  # pydicom and its decoders raise many kinds: all mean unusable pixels
        decoded = _decoded_by_itk(dataset)
        if decoded is None:
            raise _undecodable(dataset, error) from error
        return decoded


def _check_native(dataset: Dataset) -> None:
    """Raises InputError for pixels as they are that end early, or lie in other bits than the lowest: decoders fill in
    what is missing and cut off what is above."""
    if _is_packed(dataset):
        _check_packed(dataset)
        return
    high, bits = value_of(dataset, "HighBit"), value_of(dataset, "BitsStored")
    if isinstance(high, int) and isinstance(bits, int) and high >= bits:  # allowed once (PS3.5 8.1.1)
        given = f"{WHAT} whose pixels lie in the bits {high + 1 - bits} to {high}"
        raise input_error(given, "pixels in the lowest bits", "export the series with a present DICOM tool")
    sizes = [value_of(dataset, tag) for tag in ("Rows", "Columns", "BitsAllocated")]
    if not all(isinstance(size, int) for size in sizes):
        return  # the decoder says what it lacks
    frames = int((numbers(dataset, "NumberOfFrames", 1) or (1,))[0])
    there = len(value_of(dataset, "PixelData") or b"")
    if 0 < there < sizes[0] * sizes[1] * max(1, frames) * sizes[2] // 8:
        raise input_error(f"{WHAT} whose pixel data end early", "complete pixel data", "copy the files again")


def _check_packed(dataset: Dataset) -> None:
    """Raises InputError for packed frames of other sizes than the tags tell: a decoder makes room for what stands in
    them, gigabytes for a few hundred bytes."""
    told = (value_of(dataset, "Rows"), value_of(dataset, "Columns"))
    for size in _packed_sizes(dataset):
        if size is not None and size != told:
            given = f"{WHAT} of {told[0]} x {told[1]} pixels whose packed pixels are {size[0]} x {size[1]}"
            raise input_error(given, "one size in both", "export the series again, uncompressed")


def _packed_sizes(dataset: Dataset) -> list[tuple[int, int] | None]:
    """Of each frame; none where they cannot be told apart, which the decoder says in its words."""
    count = int((numbers(dataset, "NumberOfFrames", 1) or (1,))[0])
    try:
        frames = generate_frames(value_of(dataset, "PixelData") or b"", number_of_frames=max(1, count))
        return [packed_size(frame) for frame in frames]
    except Exception:  # of damaged fragments, in as many ways as they can be damaged
        return []


def packed_size(frame: bytes) -> tuple[int, int] | None:
    """Rows and columns as a JPEG (ITU-T T.81 B.2.2), JPEG-LS or JPEG 2000 (T.800 A.5.1) frame tells them; None for
    another kind."""
    at = frame.find(J2K, 0, LONGEST_BOXES)
    if at >= 0 and len(frame) >= at + 24:
        right, bottom, left, top = struct.unpack_from(">4I", frame, at + 8)
        return bottom - top, right - left
    at = 2
    while frame[:2] == JPEG and len(frame) >= at + 9 and frame[at] == 0xFF:
        kind, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        if kind in STARTS_OF_FRAME:
            rows, columns = struct.unpack_from(">2H", frame, at + 5)
            return rows, columns
        at += 1 if kind == 0xFF else 2 + length
    return None


def _is_packed(dataset: Dataset) -> bool:
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    return bool(syntax is not None and syntax.is_transfer_syntax and syntax.is_encapsulated)


def bright_padding(stored: np.ndarray, dataset: Dataset, values: np.ndarray, air: float) -> np.ndarray:
    """bool [j, i]: pixels from PixelPaddingValue to PixelPaddingRangeLimit (PS3.3 C.7.5.1.1.2) whose `values`
    are above `air`. Darker padding is left as it is: it looks like what lies outside a patient."""
    ends = [_padding(dataset, tag) for tag in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    given = [end for end in ends if end is not None]
    if ends[0] is None:
        return np.zeros(stored.shape, bool)
    inside = (stored >= min(given)) & (stored <= max(given))
    return inside & (values > air)


def _padding(dataset: Dataset, tag: str) -> int | None:
    found = numbers(dataset, tag, 1)
    if found is None:
        return None
    value, bits = int(found[0]), int(value_of(dataset, "BitsAllocated") or 16)
    signed = value_of(dataset, "PixelRepresentation") == 1
    # Written as unsigned in a file of signed pixels: 63536 is -2000.
    return value - (1 << bits) if signed and value >= 1 << (bits - 1) else value


def _meant(pixels: np.ndarray, dataset: Dataset) -> np.ndarray:
    """The low BitsStored bits, with their sign."""
    bits = int(value_of(dataset, "BitsStored") or 0)
    if not np.issubdtype(pixels.dtype, np.integer) or not 0 < bits < 8 * pixels.dtype.itemsize:
        return pixels
    low = pixels.astype(np.int64) & ((1 << bits) - 1)
    if value_of(dataset, "PixelRepresentation") == 1:
        sign = 1 << (bits - 1)
        low = (low ^ sign) - sign
    return low.astype(np.int32)


def _decoded_by_itk(dataset: Dataset) -> np.ndarray | None:
    """Stored pixels through ITK's own decoders, which know JPEG Lossless; None where they fail too."""
    name = getattr(dataset, "filename", None)
    if not name or value_of(dataset, "NumberOfFrames") not in (None, 1):
        return None
    slope, intercept = (numbers(dataset, tag, 1) for tag in ("RescaleSlope", "RescaleIntercept"))
    try:
        rescaled = sitk.GetArrayFromImage(sitk.ReadImage(str(name), imageIO="GDCMImageIO"))
    except RuntimeError:
        return None
    if rescaled.shape[-2:] != (dataset.Rows, dataset.Columns):
        return None
    stored = (rescaled.reshape(dataset.Rows, dataset.Columns) - (intercept or (0.0,))[0]) / (slope or (1.0,))[0]
    return np.rint(stored).astype(np.int32)


def _undecodable(dataset: Dataset, error: Exception) -> InputError:
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    told = f", {syntax.name}" if syntax is not None and syntax.is_transfer_syntax and syntax.is_compressed else ""
    given = f"{WHAT} whose pixel data cannot be decoded ({type(error).__name__}{told})"
    return input_error(given, "complete pixel data", "copy the files again or export them uncompressed")
