"""MetaImage headers as ITK and others write them, with keys that are none of the format's."""

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.image_files import read_volume

KEYS = ("0008|103e", "0020|000d", "My Key", "series.uid", "X-Y", "a(b)[c]:d/e", "\u00e4", "1", "k" * 200)
HEAD = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nElementSpacing = 1 1 1\nDimSize = 6 5 4\n"
    "{}ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
)
VOXELS = np.linspace(-1000, 60, 120).astype("<i2")


def read_with(folder, lines):
    (folder / "CT.mha").write_bytes(HEAD.format(lines).encode("latin-1") + VOXELS.tobytes())
    return read_volume(folder / "CT.mha")


@pytest.mark.parametrize("suffix", ["mha", "mhd"])
def test_keys_that_an_image_carries_are_passed_by_as_itk_writes_them(tmp_path, suffix):
    image = sitk.GetImageFromArray(VOXELS.reshape(4, 5, 6))
    image.SetOrigin((7, 8, 9))
    for key in KEYS:
        image.SetMetaData(key, "T1 = a: b, c ")
    sitk.WriteImage(image, str(tmp_path / f"CT.{suffix}"))
    volume = read_volume(tmp_path / f"CT.{suffix}")
    np.testing.assert_array_equal(volume.array.ravel(), VOXELS)
    assert volume.grid.origin == (7, 8, 9)


@pytest.mark.parametrize(
    "lines",
    ["\n", "\r\n", " \t\n", "# a comment\n", "#\n", "# NDims = 4\n", "#NDims = 4\n", "Comment =\n", "a = 1\na = 2\n",
     "0010|0010 = M\u00fcller\n", "x" * 255 + " = 1\n", "Note = " + "y" * 60_000 + "\n", "0008|0008 = a\n" * 20_000],
)  # fmt: skip
def test_lines_that_say_nothing_of_the_image_are_passed_by(tmp_path, lines):
    np.testing.assert_array_equal(read_with(tmp_path, lines).array.ravel(), VOXELS)


@pytest.mark.parametrize(
    "lines", ["NDims = 3\n", "Offset = 0 0 0\nOffset = 9 0 0\n", "offset = 1 2 3\nOFFSET = 1 2 3\n"]
)
def test_what_is_said_of_the_image_is_said_once(tmp_path, lines):
    with pytest.raises(InputError, match="no list of fields"):
        read_with(tmp_path, lines)
