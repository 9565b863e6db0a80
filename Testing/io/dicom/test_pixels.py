"""Stored pixels: bits that do not count, padding that looks like tissue, decoders."""

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.images import read_dicom_folder
from DiffuFuseMedLib.io.dicom.pixels import bright_padding, stored_pixels
from pydicom import dcmread
from pydicom.dataset import Dataset

from Testing.fixtures.dicom_series import stored as stored_of


class Decoded(Dataset):
    """A dataset whose pixels are decoded already."""

    pixel_array = None


def decoded(array, **tags):
    dataset = Decoded()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    object.__setattr__(dataset, "pixel_array", np.array(array))
    return dataset


def test_bits_above_those_stored_do_not_count():
    dataset = decoded(np.array([[5, 5 | 0x1000, 0xFFF]], np.uint16), BitsStored=12, PixelRepresentation=0)
    assert stored_pixels(dataset).tolist() == [[5, 5, 0xFFF]]


def test_the_highest_bit_stored_is_the_sign():
    dataset = decoded(np.array([[60, 0xC18, 0x1000 | 60]], np.uint16), BitsStored=12, PixelRepresentation=1)
    assert stored_pixels(dataset).tolist() == [[60, -1000, 60]]
    whole = np.array([[-1000, 60]], np.int16)
    assert stored_pixels(decoded(whole, BitsStored=16, PixelRepresentation=1)) is not None


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ({}, []),
        ({"PixelPaddingValue": 3000}, [3000]),
        ({"PixelPaddingValue": 0}, []),  # -1024 HU: looks like air
        ({"PixelPaddingValue": 2000, "PixelPaddingRangeLimit": 3000}, [2000, 3000]),
        ({"PixelPaddingValue": 3000, "PixelPaddingRangeLimit": 2000}, [2000, 3000]),
    ],
)
def test_padding_that_looks_like_tissue_is_found(tags, wanted):
    stored = np.array([[0, 1100, 2000, 3000]])
    found = bright_padding(stored, decoded(stored, **tags), stored - 1024.0, -1000.0)
    assert stored[found].tolist() == wanted


def test_padding_of_signed_pixels_may_be_written_unsigned():
    stored = np.array([[-2000, 100]])
    dataset = decoded(stored, PixelPaddingValue=63536, BitsAllocated=16, PixelRepresentation=1)
    assert bright_padding(stored, dataset, stored, -3000.0).tolist() == [[True, False]]


def test_padded_voxels_are_not_a_number_and_said(folder):
    folder.series("CT", PixelPaddingValue=403)  # the second voxel but one of slice 4: 2 * 403 - 1000 HU
    [volume] = read_dicom_folder(folder.path)
    assert np.argwhere(np.isnan(volume.array)).tolist() == [[4, 0, 3]]
    assert any("hold no value" in note for note in volume.meta["notes"])


def test_jpeg_lossless_is_decoded(folder, tmp_path):
    paths = folder.series("CT", Rows=16, Columns=16, PixelData=np.arange(256, dtype=np.int16).tobytes())
    plain = read_dicom_folder(folder.path)[0].array
    for path in paths:
        whole = dcmread(path)
        image = sitk.Cast(sitk.GetImageFromArray(np.arange(256).reshape(1, 16, 16)), sitk.sitkInt16)
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor("JPEG")
        writer.SetFileName(str(tmp_path / "one.dcm"))
        writer.Execute(image)
        packed = dcmread(tmp_path / "one.dcm")
        (tmp_path / "one.dcm").unlink()
        assert packed.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.70"
        whole.PixelData, whole.file_meta.TransferSyntaxUID = packed.PixelData, packed.file_meta.TransferSyntaxUID
        whole["PixelData"].is_undefined_length = True
        whole["PixelData"].VR = "OB"
        whole.save_as(path)
    assert np.array_equal(read_dicom_folder(folder.path)[0].array, plain)


def test_what_nobody_can_decode_names_its_syntax(folder):
    for path in folder.series("CT"):
        dataset = dcmread(path)
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.90"
        from pydicom.encaps import encapsulate

        dataset.PixelData = encapsulate([b"no code stream"])
        dataset["PixelData"].VR = "OB"
        dataset.save_as(path)
    with pytest.raises(InputError, match=r"cannot be decoded \(.*JPEG 2000"):
        read_dicom_folder(folder.path)


def test_native_pixels_that_end_early_are_refused_before_a_decoder_fills_them_in(folder):
    folder.series("CT", per_slice=lambda k: {"PixelData": stored_of(k).tobytes()[:-4]} if k == 2 else {})
    with pytest.raises(InputError, match="pixel data end early"):
        read_dicom_folder(folder.path)


def test_pixels_in_the_upper_bits_are_refused(folder):
    folder.series("CT", BitsStored=12, HighBit=15)
    with pytest.raises(InputError, match="pixels lie in the bits 4 to 15"):
        read_dicom_folder(folder.path)
