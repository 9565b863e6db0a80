"""ImageHeader: what a header says once it is understood, in any format, and the limits on what it may announce."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import InputError, input_error

LARGEST_BYTES = 8 * 2**30  # of voxels: a body of 512 x 512 x 4,000 in float64
AXES = (2, 4)
LONGEST_AXIS = 1 << 20
MOST_COMPONENTS = 4096


@dataclass(frozen=True)
class Data:
    """Where the voxels lie. files: one, or one a slice of the last axis; start: their first byte in the (unpacked)
    file, None for the last ones of it; packing: "raw", "zlib" or "gzip"; packed_bytes: as announced, None for all;
    is_part: whether the header chooses a part of another, larger file by what it has skipped."""

    files: tuple[Path, ...]
    start: int | None = 0
    packing: str = "raw"
    packed_bytes: int | None = None
    is_part: bool = False


@dataclass(frozen=True)
class ImageHeader:
    """size: voxels along i, j, k, ...; components: values of a voxel, along the file's axis components_axis (0 is the
    fastest); dtype: numpy's, with byte order; spacing: as stated, () where nothing is; unit_mm: how long its unit is;
    places: what says where the image lies, all of which must be finite; canonical: the same place in a header of our
    own for the suffix's format; keys: the file's own keys and values; rescale: slope and intercept; says_where:
    whether anything tells which side of the image is the patient's left."""

    size: tuple[int, ...]
    dtype: str
    data: Data
    canonical: bytes
    suffix: str
    spacing: tuple[float, ...] = ()
    unit_mm: float = 1.0
    places: tuple[float, ...] = ()
    components: int = 1
    components_axis: int = 0
    keys: dict[str, str] = field(default_factory=dict)
    rescale: tuple[float, float] = (1.0, 0.0)
    says_where: bool = True

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        return tuple(self.unit_mm * step for step in self.spacing)

    @property
    def file_shape(self) -> tuple[int, ...]:
        """As the voxels follow each other, the fastest axis last."""
        axes = list(self.size)
        if self.components > 1:
            axes.insert(self.components_axis, self.components)
        return tuple(axes[::-1])

    @property
    def item_bytes(self) -> int:
        return int(self.dtype[-1])

    @property
    def bytes(self) -> int:
        """All voxels, unpacked."""
        return math.prod(self.size) * self.components * self.item_bytes


def header_of(path: Path) -> ImageHeader:
    """The image file's header. Raises InputError for a format that is not known and for whatever the grammar of its
    format does not allow."""
    from . import meta_image, nrrd
    from .nifti import read_nifti

    readers: dict[str, Callable[[Path], ImageHeader]] = {
        ".nii": read_nifti, ".nii.gz": read_nifti, ".mha": meta_image.read_meta_image,
        ".mhd": meta_image.read_meta_image, ".nrrd": nrrd.read_nrrd, ".nhdr": nrrd.read_nrrd,
    }  # fmt: skip
    suffix = max((s for s in readers if path.name.lower().endswith(s)), key=len, default="")
    if not suffix:
        raise input_error(f"file '{path.name}'", f"one of {', '.join(readers)}", "convert it")
    try:
        header = readers[suffix](path)
    except OSError as error:  # no right to read it, a link that leads elsewhere
        given = f"file '{path.name}', which cannot be read or leads out of the folder"
        raise input_error(given, "a file that can be read", "copy it there") from error
    _check_size(header, path)
    return header


def not_understood(path: Path, what: str) -> InputError:
    """The one sentence for a header that says what no image of this kind says; what: its fault, such as "with ..."."""
    return input_error(f"file '{path.name}' {what}", "an image as its format describes it", "export the image again")


def _check_size(header: ImageHeader, path: Path) -> None:
    if not AXES[0] <= len(header.size) <= AXES[1]:
        raise not_understood(path, f"of {len(header.size)} axes")
    if any(not 1 <= n <= LONGEST_AXIS for n in header.size) or not 1 <= header.components <= MOST_COMPONENTS:
        shape = " x ".join(str(n) for n in header.size)
        raise not_understood(path, f"that announces {shape} voxels of {header.components} values")
    if header.bytes > LARGEST_BYTES:
        given = f"file '{path.name}' that announces {header.bytes / 2**30:,.0f} GiB of voxels"
        raise input_error(given, f"at most {LARGEST_BYTES / 2**30:.0f} GiB", "crop or resample the image")
