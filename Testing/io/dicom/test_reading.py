"""What a DICOM file announces or unpacks to is bounded; what is only large or deflated is read."""

import io
import struct
import time
import zlib

import numpy as np
import pydicom
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom import reading, series
from DiffuFuseMedLib.io.dicom.images import read_dicom_folder
from DiffuFuseMedLib.io.dicom.pixels import stored_pixels
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

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


def private(length, content=b""):
    """An element of a private group in explicit little endian, of the length it tells."""
    return b"\x01\x70\x10\x10OB\0\0" + length.to_bytes(4, "little") + content


def before_pixels(path, element):
    content = path.read_bytes()
    at = content.rindex(b"\xe0\x7f\x10\x00")
    path.write_bytes(content[:at] + element + content[at:])


def test_an_element_beyond_any_header_is_refused_and_not_read(tmp_path):
    """A gigabyte of nothing, which a sparse file and a zip hold for free."""
    path = write_series(tmp_path / "series") / "001.dcm"
    before_pixels(path, private(reading.LARGEST_ELEMENT + 1))
    with path.open("ab") as file:
        file.truncate(1 << 30)
    with pytest.raises(InputError, match="256 MB"):
        reading.read_dataset(path, stop_before_pixels=True)


@pytest.mark.parametrize("end", [1 << 27, 1 << 33])
def test_zeros_after_the_last_element_end_a_file(tmp_path, end):
    """Each eight of them are an element of no length to pydicom, for hours in a few gigabytes."""
    path = write_series(tmp_path / "series") / "001.dcm"
    wanted = reading.read_dataset(path)
    with path.open("ab") as file:
        file.truncate(end)
    began = time.process_time()
    assert reading.read_dataset(path).PixelData == wanted.PixelData
    with (tmp_path / "zeros.dcm").open("wb") as file:
        file.write(bytes(128) + b"DICM")
        file.truncate(end)
    with pytest.raises(InputError, match="truncated or no DICOM"):
        reading.read_dataset(tmp_path / "zeros.dcm", force=True)
    assert time.process_time() - began < 2


def test_a_head_that_is_longer_than_any_is_refused(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(128) + b"DICM\x02\x00\x01\x00OB\0\0" + (3 << 30).to_bytes(4, "little") + bytes(1 << 17))
    with pytest.raises(InputError, match="truncated or no DICOM"):
        reading.read_dataset(path)


def picture_of(side, kind):
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "syntax"), [("JPEG2000", JPEG2000Lossless), ("JPEG", JPEGBaseline8Bit)])
def test_packed_pixels_of_another_size_than_the_tags_tell_are_not_decoded(kind, syntax):
    """A few hundred bytes of JPEG 2000 take gigabytes."""
    dataset = Dataset()
    dataset.Rows = dataset.Columns = 48
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 7, 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([picture_of(2000, kind)])
    with pytest.raises(InputError, match="packed pixels are 2000 x 2000"):
        stored_pixels(dataset)
    dataset.PixelData = encapsulate([picture_of(48, kind)])
    assert stored_pixels(dataset).shape == (48, 48)
    dataset.NumberOfFrames = 2
    dataset.PixelData = encapsulate([picture_of(48, kind), picture_of(2000, kind)])
    with pytest.raises(InputError, match="packed pixels are 2000 x 2000"):
        stored_pixels(dataset)


def test_a_place_that_no_scanner_has_is_refused(tmp_path):
    folder = write_series(tmp_path / "series", PatientPosition="HFS")
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.ImagePositionPatient[0] = "1e300"
        dataset.save_as(path)
    with pytest.raises(InputError, match=r"ImagePositionPatient .* is 1e\+300 mm away"):
        read_dicom_folder(folder)


def test_files_that_are_no_dicom_are_passed_over_without_being_parsed(tmp_path, monkeypatch):
    (tmp_path / "notes").write_bytes(b"x" * 1000)
    monkeypatch.setattr(series, "read_dataset", None)
    assert series.read_header(tmp_path / "notes") is None
