"""Folders of picture pairs: what is listed, read, recolored and refused. The pictures are slices of STS_010."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.picture_pairs import (
    is_pairs_folder,
    list_pairs,
    luminance,
    read_gray,
    read_pair,
    recolored,
    series_of,
    write_picture,
)

STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


@pytest.fixture(scope="module")
def a_slice():
    """CT and MR of one slice of the real case, (40, 48) gray 0..1."""
    ct, mri = (sitk.GetArrayFromImage(sitk.ReadImage(str(next(STS_010.glob(f"{n}.*"))))) for n in ("CT", "MR_T1"))
    ct, mri = (x[len(x) // 2].astype(np.float32) for x in (ct, mri))
    window = np.clip((ct + 160) / 1000, 0, 1), np.clip(mri / np.percentile(mri, 99.5), 0, 1)
    return tuple(x[x.shape[0] // 2 - 20 :, x.shape[1] // 2 - 24 :][:40, :48] for x in window)


@pytest.fixture
def pairs(tmp_path, a_slice):
    """A function of kind and names: writes a pair of each; returns the folder."""

    def write(kind="CT", names=("12001", "12002"), color=False):
        other, mri = a_slice
        if color:
            other = np.stack([other, other**2, 0.5 * other], axis=-1)
        for name in names:
            write_picture(other, tmp_path / kind / f"{name}.png")
            write_picture(mri, tmp_path / "MRI" / f"{name}.png")
        return tmp_path

    return write


def only(folder):
    (files,) = list_pairs(folder)
    return files


@pytest.mark.parametrize(
    ("stem", "series"), [("20017", "20"), ("patient3_004", "patient3_"), ("017", "017"), ("a", "a")]
)
def test_the_series_is_the_name_without_its_slice_number(stem, series):
    assert series_of(Path(f"{stem}.png")) == series


def test_pairs_are_listed_by_kind_series_and_name(pairs):
    pairs("PET", ("9001",))
    folder = pairs("CT", ("20002", "20001", "3001"))
    told = [(p.kind, p.series, p.name, p.tracer) for p in list_pairs(folder)]
    assert told == [
        ("CT", "20", "20001", False),
        ("CT", "20", "20002", False),
        ("CT", "3", "3001", False),
        ("PET", "9", "9001", True),
    ]


def test_pictures_come_back_to_half_a_gray_value(pairs, a_slice):
    pair = read_pair(only(pairs(names=("12001",))))
    for read, written in zip((pair.other, pair.mri), a_slice, strict=True):
        assert read.dtype == np.float32
        np.testing.assert_allclose(read, written, atol=0.51 / 255)
    assert pair.color is None


def test_color_becomes_luminance_and_is_kept(pairs, a_slice):
    pair, ct = read_pair(only(pairs("SPECT", ("1001",), color=True))), a_slice[0]
    np.testing.assert_allclose(pair.other, 0.299 * ct + 0.587 * ct**2 + 0.114 * 0.5 * ct, atol=0.01)
    assert pair.color.shape == (*ct.shape, 3)


def test_recoloring_replaces_the_luminance_and_keeps_the_chroma():
    color = np.array([[[0.5, 0.3, 0.2]]], np.float32)
    given = recolored(np.array([[0.6]], np.float32), color)
    assert luminance(given)[0, 0] == pytest.approx(0.6)
    # Cb and Cr are proportional to B - Y and R - Y
    assert (given - 0.6)[0, 0] == pytest.approx((color - luminance(color)[..., None])[0, 0], abs=1e-6)


def test_transparency_is_dropped(tmp_path, a_slice):
    gray = np.round(255 * a_slice[0]).astype(np.uint8)
    layers = np.stack([gray, gray, gray, np.full_like(gray, 7)], axis=-1)
    sitk.WriteImage(sitk.GetImageFromArray(layers, isVector=True), str(tmp_path / "a.png"))
    np.testing.assert_allclose(read_gray(tmp_path / "a.png"), gray / 255, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "gone", "words"),
    [
        ("CT", "CT/12001.png", "Given MRI/12001.png without a CT of this name"),
        ("PET", "MRI/12002.png", "Given PET/12002.png without a MRI of this name"),
    ],
)
def test_refuses_a_picture_without_its_counterpart(pairs, kind, gone, words):
    folder = pairs(kind)
    (folder / gone).unlink()
    with pytest.raises(InputError, match=words):
        list_pairs(folder)


def test_says_how_many_more_have_no_counterpart(pairs):
    folder = pairs(names=("12001", "12002", "12003"))
    for name in ("12001", "12003"):
        (folder / "CT" / f"{name}.png").unlink()
    with pytest.raises(InputError, match=r"MRI/12001\.png and 1 more without a CT"):
        list_pairs(folder)


def test_refuses_a_folder_without_an_mri_or_without_its_other(pairs, tmp_path):
    with pytest.raises(InputError, match="MRI/ beside CT/, PET/ or SPECT/"):
        list_pairs(tmp_path)
    (pairs() / "MRI").rename(tmp_path / "MR")
    with pytest.raises(InputError, match="MRI/ beside CT/, PET/ or SPECT/"):
        list_pairs(tmp_path)


def test_refuses_a_folder_without_a_png(pairs):
    folder = pairs()
    for file in (folder / "CT").iterdir():
        file.rename(file.with_suffix(".jpg"))
    with pytest.raises(InputError, match="CT/ without a PNG"):
        list_pairs(folder)


def test_refuses_a_pair_of_two_sizes(pairs, a_slice):
    folder = pairs(names=("12001",))
    write_picture(a_slice[1][:32], folder / "MRI" / "12001.png")
    with pytest.raises(InputError, match=r"CT of 48 x 40 and an MRI of 48 x 32 pixels"):
        read_pair(only(folder))


def test_refuses_16_bits(pairs):
    folder = pairs(names=("12001",))
    sitk.WriteImage(sitk.Image(48, 40, sitk.sitkUInt16), str(folder / "CT" / "12001.png"))
    with pytest.raises(InputError, match=r"12001\.png with 16-bit unsigned integer values, wanted an 8-bit picture"):
        read_pair(only(folder))


def test_refuses_a_damaged_file(pairs):
    folder = pairs(names=("12001",))
    (folder / "MRI" / "12001.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"12001\.png, which cannot be read") as refused:
        read_pair(only(folder))
    assert "\n" not in str(refused.value)


def test_refuses_to_write_where_it_may_not(tmp_path, a_slice):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match=r"a\.png that cannot be written"):
        write_picture(a_slice[0], tmp_path / "taken" / "a.png")


def test_tells_a_folder_of_pairs_from_one_of_cases(pairs, tmp_path):
    assert not is_pairs_folder(STS_010)
    assert not is_pairs_folder(STS_010.parent)
    assert is_pairs_folder(pairs())
    (tmp_path / "dicom" / "MRI").mkdir(parents=True)
    (tmp_path / "dicom" / "CT").mkdir()
    assert is_pairs_folder(tmp_path / "dicom")
    (tmp_path / "dicom" / "MRI" / "1.dcm").touch()
    assert not is_pairs_folder(tmp_path / "dicom")
