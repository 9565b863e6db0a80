"""What a DICOM file announces or unpacks to is bounded; what is only large or deflated is read."""

import struct
import zlib

import numpy as np
import pydicom
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom import reading
from DiffuFuseMedLib.io.dicom.images import read_dicom_folder
from DiffuFuseMedLib.io.dicom.pixels import stored_pixels
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from Testing.fixtures.source_series import write_series
from Testing.io.grammar.conftest import little_memory


def deflate(path, extra=b""):
    """The file as a deflated one, `extra` added to what is packed."""
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    if extra:
        whole = path.read_bytes()
        start = 132 + 12 + struct.unpack_from("<I", whole, 140)[0]
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(zlib.decompress(whole[start:], -zlib.MAX_WBITS))
        packed += b"".join(packer.compress(extra) for _ in range(200)) + packer.flush()
        path.write_bytes(whole[:start] + packed)


def test_a_deflated_series_is_read_as_the_plain_one(tmp_path):
    folder = write_series(tmp_path / "series")
    [plain] = read_dicom_folder(folder)
    for path in folder.iterdir():
        deflate(path)
    [found] = read_dicom_folder(folder)
    np.testing.assert_array_equal(found.array, plain.array)
    assert sorted(found.meta["files"]) == sorted(plain.meta["files"])


def test_a_deflated_file_that_inflates_out_of_proportion_is_stopped(tmp_path):
    folder = write_series(tmp_path / "series")
    [first, *_] = sorted(folder.iterdir())
    deflate(first, bytes(1 << 20))
    with little_memory(), pytest.raises(InputError, match="inflates to more than"):
        read_dicom_folder(folder)


def test_a_deflated_file_whose_head_hides_it_is_refused(tmp_path):
    [path, *_] = write_series(tmp_path / "series").iterdir()
    deflate(path)
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"\x02\x00\x10\x00") + 4 : whole.index(b"\x02\x00\x10\x00") + 6] = b"\0\0"  # no VR
    path.write_bytes(whole)
    with pytest.raises(InputError, match="whose head cannot be read"):
        reading.read_dataset(path)


def test_frames_of_a_few_bytes_that_announce_gigabytes_are_refused(tmp_path):
    """An RLE frame of 13 bytes for each of 65,535 x 65,535 pixels."""
    folder = write_series(tmp_path / "series")
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = RLELossless
        dataset.Rows = dataset.Columns = 65535
        dataset.PixelData = encapsulate([b"\x01" + bytes(12)])
        dataset["PixelData"].is_undefined_length = True
        dataset.save_as(path, enforce_file_format=True)
    with little_memory(), pytest.raises(InputError, match=r"announces 48\.0 GiB of pixels in 0\.0 MB"):
        read_dicom_folder(folder)
    with little_memory(), pytest.raises(InputError, match=r"announces 8\.0 GiB"):
        stored_pixels(pydicom.dcmread(path))


@pytest.mark.parametrize("frames", [10**9, "10000000"])
def test_a_multitude_of_frames_that_are_not_there_is_refused(frames):
    dataset = Dataset()
    dataset.Rows = dataset.Columns = 512
    dataset.BitsAllocated, dataset.NumberOfFrames, dataset.PixelData = 16, frames, b"0000"
    with pytest.raises(InputError, match="pixels that are there"):
        reading.check_room([dataset], "a series")


def test_blank_frames_that_pack_into_little_have_room():
    dataset = Dataset()
    dataset.Rows = dataset.Columns = 512
    dataset.BitsAllocated, dataset.NumberOfFrames, dataset.PixelData = 16, 300, b"0000"
    reading.check_room([dataset], "a series")
