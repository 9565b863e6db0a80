"""Sound files of other writers: each is read, with the values and the place that its header gives."""

import struct

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.image_files import read_volume

from .conftest import as_bytes
from .test_attacks import META, NRRD, VOXELS

STORED = np.frombuffer(VOXELS, "<i2")


@pytest.mark.parametrize(
    ("slope", "intercept", "factor"), [(np.nan, 0, 1), (np.nan, np.nan, 1), (0, 7, 1), (2, np.nan, 2)]
)
def test_a_nifti_scaling_of_no_number_is_none(tmp_path, a_folder, slope, intercept, factor):
    content = bytearray(as_bytes(a_folder, "nii"))
    struct.pack_into("<2f", content, 112, slope, intercept)
    (tmp_path / "CT.nii").write_bytes(content)
    np.testing.assert_array_equal(read_volume(tmp_path / "CT.nii").array.ravel(), factor * STORED)


def test_a_nifti_2_lies_where_its_sform_says(tmp_path):
    head = bytearray(544)
    for place, kind, *values in (
        (0, "i", 540), (4, "8s", b"n+2\0\r\n\032\n"), (12, "2h", 4, 16), (16, "8q", 3, 6, 5, 4, 1, 1, 1, 1),
        (104, "8d", 1, 1.5, 2, 3, 0, 0, 0, 0), (168, "q", 544), (344, "2i", 0, 1), (500, "i", 2),
        (400, "12d", 1.5, 0, 0, 7, 0, 2, 0, 8, 0, 0, 3, 9),
    ):  # fmt: skip
        struct.pack_into(f"<{kind}", head, place, *values)
    (tmp_path / "CT.nii").write_bytes(head + VOXELS)
    volume = read_volume(tmp_path / "CT.nii")
    np.testing.assert_array_equal(volume.array.ravel(), STORED)
    assert (volume.grid.origin, volume.grid.spacing_mm) == ((-7, -8, 9), (1.5, 2, 3))


@pytest.mark.parametrize("words", ["s_%02d.raw 3 6 1", "s_%02d.raw 3 6"])
def test_files_named_by_a_pattern_are_read_one_a_slice(tmp_path, words):
    for n in range(4):
        (tmp_path / f"s_{n + 3:02d}.raw").write_bytes(VOXELS[60 * n : 60 * (n + 1)])
    (tmp_path / "CT.mhd").write_bytes(META.replace(b"LOCAL", words.encode()))
    (tmp_path / "CT.nhdr").write_bytes(NRRD.replace(b"\n\n", f"\ndata file: {words}\n\n".encode()))
    for name in ("CT.mhd", "CT.nhdr"):
        np.testing.assert_array_equal(read_volume(tmp_path / name).array.ravel(), STORED)


def test_a_center_of_rotation_moves_nothing_as_for_itk(tmp_path):
    (tmp_path / "CT.mha").write_bytes(
        META.replace(b"DimSize", b"CenterOfRotation = 5 6 7\nOffset = 1 2 3\nDimSize") + VOXELS
    )
    assert read_volume(tmp_path / "CT.mha").grid.origin == (1, 2, 3)


def test_an_nrrd_of_text_is_refused_for_its_encoding(tmp_path):
    (tmp_path / "CT.nrrd").write_bytes(NRRD.replace(b"endian: little\n", b"").replace(b"raw", b"ASCII") + VOXELS)
    with pytest.raises(InputError, match="encoding ASCII"):
        read_volume(tmp_path / "CT.nrrd")


def test_an_image_of_text_headers_that_tells_no_place_is_unplaced(tmp_path):
    place = b"space directions: (1,0,0) (0,1,0) (0,0,1)\n"
    bare = NRRD.replace(b"space: left-posterior-superior\n", b"").replace(place, b"spacings: 1 1 1\n")
    placed = META.replace(b"DimSize", b"Offset = 1 2 3\nDimSize")
    for name, content, unplaced in (
        ("CT.mha", META, True), ("CT.mha", placed, False), ("CT.nrrd", bare, True), ("CT.nrrd", NRRD, False),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content + VOXELS)
        assert read_volume(tmp_path / name).meta["unplaced"] is unplaced
