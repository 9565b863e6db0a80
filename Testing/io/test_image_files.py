"""Reading NIfTI, NRRD and MetaImage files: values, place, modality, and every way a file can be broken."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io import modality_from_name, read_volume

CASE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"
OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


@pytest.fixture
def image() -> sitk.Image:
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5) * 10 - 300
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 2.0, 3.0))
    image.SetOrigin((-10.0, 20.0, -30.0))
    image.SetDirection(OBLIQUE)
    return image


@pytest.fixture
def ct_bytes() -> bytes:
    return gzip.decompress((CASE / "CT.nii.gz").read_bytes())


@pytest.mark.parametrize("suffix", ["nii", "nii.gz", "nrrd", "nhdr", "mha", "mhd"])
def test_reads_each_format_as_float_at_its_place(tmp_path, image, suffix):
    path = tmp_path / f"CT.{suffix}"
    sitk.WriteImage(image, str(path))
    volume = read_volume(path)
    assert volume.array.dtype == np.float32
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.grid.spacing_mm, (0.5, 2.0, 3.0))
    np.testing.assert_allclose(volume.grid.origin, (-10.0, 20.0, -30.0), atol=1e-4)
    # Index (1, 1, 1) by hand: origin + 0.5 (0.8, 0.6, 0) + 2 (-0.6, 0.8, 0) + 3 (0, 0, 1).
    np.testing.assert_allclose(volume.grid.to_physical(np.ones(3)), (-10.8, 21.9, -27.0), atol=1e-4)


@pytest.mark.parametrize("suffix", ["nii.gz", "nrrd", "mha", "mhd"])
def test_what_simpleitk_writes_of_an_image_it_read_is_read_with_all_that_it_knows_of_it(tmp_path, suffix):
    """Whatever the fields are called: those of a NIfTI header, tags of DICOM, a name with blanks."""
    image = sitk.ReadImage(str(CASE / "PET.nii.gz"))
    assert "dim[0]" in image.GetMetaDataKeys()
    for key in ("0008|0060", "a name with blanks"):
        image.SetMetaData(key, "PT = \u00e9")
    path = tmp_path / f"PET.{suffix}"
    sitk.WriteImage(image, str(path))
    np.testing.assert_array_equal(read_volume(path).array, sitk.GetArrayFromImage(image))


@pytest.mark.parametrize(("modality", "units"), [("CT", "HU"), ("PET", "SUVbw"), ("MR_T1", "MR units")])
def test_reads_the_real_case_with_its_units(modality, units):
    volume = read_volume(CASE / f"{modality}.nii.gz")
    assert (volume.modality, volume.meta["units"], volume.meta["name"]) == (modality, units, modality)
    assert volume.meta["source"].endswith(f"{modality}.nii.gz")


def test_notes_that_a_pet_file_has_no_tags():
    assert read_volume(CASE / "PET.nii.gz").meta["notes"] == [
        "No DICOM tags: the values are taken as SUVbw.",
    ]


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("STS_010_CT.nii.gz", "CT"),
        ("PT.nrrd", "PET"),
        ("pet-ac.mha", "PET"),
        ("MR_T1.nii", "MR_T1"),
        ("brain t2.nii", "MR_T2"),
        ("fla.nii.gz", "MR_FLAIR"),
        ("x_FLAIR_y.nii", "MR_FLAIR"),
        ("t1ce.nii.gz", "MR_T1C"),
        ("T1Gd.nii.gz", "MR_T1C"),
        ("MR_T1C.nii.gz", "MR_T1C"),
        ("TRI_21_SPECT.nii.gz", "SPECT"),
    ],
)
def test_tells_the_modality_from_a_whole_word_of_the_name(name, modality):
    assert modality_from_name(name) == modality


@pytest.mark.parametrize("name", ["patient.nii.gz", "structure.nii", "peter.nii", "flat.nii", "T10.nii", "MR.nii"])
def test_does_not_see_a_modality_inside_a_word(name):
    with pytest.raises(InputError, match="no word for its modality"):
        modality_from_name(name)


def test_refuses_a_name_of_two_modalities():
    with pytest.raises(InputError, match="several modalities"):
        modality_from_name("PET_CT.nii.gz")


def test_a_folder_name_does_not_count():
    with pytest.raises(InputError, match="no word"):
        modality_from_name("/CT/image.nii")


def test_the_told_modality_wins_over_the_name(tmp_path, image):
    sitk.WriteImage(image, str(tmp_path / "CT.nii"))
    assert read_volume(tmp_path / "CT.nii", "MR_T2").modality == "MR_T2"
    with pytest.raises(InputError, match="'MR'"):
        read_volume(tmp_path / "CT.nii", "MR")


def test_refuses_a_truncated_gzip_of_the_real_ct(tmp_path):
    whole = (CASE / "CT.nii.gz").read_bytes()
    path = tmp_path / "CT.nii.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"file 'CT.nii.gz' that is truncated"):
        read_volume(path)


@pytest.mark.parametrize("lost_bytes", [1, 1_000_000])
@pytest.mark.parametrize("name", ["CT.nii", "CT.nii.gz"])
def test_refuses_the_real_ct_that_lost_its_last_bytes(tmp_path, ct_bytes, name, lost_bytes):
    short = ct_bytes[:-lost_bytes]
    (tmp_path / name).write_bytes(gzip.compress(short, 1) if name.endswith("gz") else short)
    with pytest.raises(InputError, match="truncated"):
        read_volume(tmp_path / name)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
def test_refuses_a_truncated_nrrd_or_metaimage(tmp_path, suffix, compressed):
    path = tmp_path / f"PET.{suffix}"
    source = sitk.ReadImage(str(CASE / "PET.nii.gz"))
    for key in source.GetMetaDataKeys():
        source.EraseMetaData(key)
    sitk.WriteImage(source, str(path), compressed)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputError, match="truncated"):
        read_volume(path)


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("axis", [1, 3])
def test_refuses_the_real_ct_with_a_bad_nifti_spacing(tmp_path, ct_bytes, spacing, axis):
    broken = bytearray(ct_bytes)
    struct.pack_into("<f", broken, 76 + 4 * axis, spacing)
    (tmp_path / "CT.nii").write_bytes(broken)
    with pytest.raises(InputError, match="voxel spacing"):
        read_volume(tmp_path / "CT.nii")


@pytest.mark.parametrize("spacing", ["0", "-2", "nan"])
def test_refuses_a_bad_metaimage_spacing(tmp_path, image, spacing):
    path = tmp_path / "CT.mha"
    sitk.WriteImage(image, str(path))
    path.write_bytes(path.read_bytes().replace(b"ElementSpacing = 0.5", b"ElementSpacing = " + spacing.encode()))
    with pytest.raises(InputError, match="voxel spacing"):
        read_volume(path)


def test_refuses_a_zero_nrrd_space_direction(tmp_path, image):
    path = tmp_path / "CT.nrrd"
    image.SetDirection((1, 0, 0, 0, 1, 0, 0, 0, 1))
    sitk.WriteImage(image, str(path))
    written = path.read_bytes()
    assert b"(0.5,0,0)" in written
    path.write_bytes(written.replace(b"(0.5,0,0)", b"(0,0,0)"))
    with pytest.raises(InputError, match="voxel spacing of 0 x 2 x 3 mm"):
        read_volume(path)


def test_takes_a_flipped_nrrd_axis(tmp_path, image):
    path = tmp_path / "CT.nrrd"
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    sitk.WriteImage(image, str(path))
    np.testing.assert_allclose(read_volume(path).grid.spacing_mm, (0.5, 2.0, 3.0))


def test_reads_a_nifti_of_one_time_point_and_refuses_two(tmp_path, image):
    sitk.WriteImage(sitk.JoinSeries([image]), str(tmp_path / "CT.nii"))
    assert read_volume(tmp_path / "CT.nii").array.shape == (3, 4, 5)
    sitk.WriteImage(sitk.JoinSeries([image, image]), str(tmp_path / "CT.nii"))
    with pytest.raises(InputError, match="4 axes"):
        read_volume(tmp_path / "CT.nii")


def test_refuses_color(tmp_path, image):
    gray = sitk.Cast(image + 400, sitk.sitkUInt8)
    sitk.WriteImage(sitk.Compose(gray, gray, gray), str(tmp_path / "CT.nrrd"))
    with pytest.raises(InputError, match="3 values per voxel"):
        read_volume(tmp_path / "CT.nrrd")


def test_refuses_what_is_not_there_or_no_image(tmp_path):
    with pytest.raises(InputError, match="not there"):
        read_volume(tmp_path / "CT.nii")
    with pytest.raises(InputError, match="read_dicom_folder"):
        read_volume(tmp_path)
    (tmp_path / "CT.txt").write_text("no image")
    with pytest.raises(InputError, match=r"\.nrrd"):
        read_volume(tmp_path / "CT.txt")
    for name in ("CT.nii", "CT.nrrd", "CT.nii.gz", "CT.mha"):
        (tmp_path / name).write_text("not an image at all" * 50)
        with pytest.raises(InputError):
            read_volume(tmp_path / name)
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(InputError, match="truncated"):
            read_volume(tmp_path / name)


@pytest.mark.parametrize(("unit", "millimeters"), [("cm", 10.0), ("microns", 1e-3), ("mm", 1.0), ("um", 1e-3)])
def test_an_nrrd_in_another_unit_of_length_becomes_millimeters(tmp_path, image, unit, millimeters):
    path = tmp_path / "CT.nrrd"
    image.SetDirection((1, 0, 0, 0, 1, 0, 0, 0, 1))
    image.SetSpacing([s / millimeters for s in (0.5, 2.0, 3.0)])
    image.SetOrigin([x / millimeters for x in (1.0, 2.0, 3.0)])
    sitk.WriteImage(image, str(path))
    head, data = path.read_bytes().split(b"\n\n", 1)
    words = f'space units: "{unit}" "{unit}" "{unit}"'.encode()
    path.write_bytes(head + b"\n" + words + b"\n\n" + data)
    grid = read_volume(path).grid
    np.testing.assert_allclose(grid.spacing_mm, (0.5, 2.0, 3.0), rtol=1e-6)
    np.testing.assert_allclose(grid.origin, (1, 2, 3), rtol=1e-6)


def test_a_list_of_one_value_a_voxel_is_an_image(tmp_path):
    array = np.linspace(-1000, 60, 60, dtype=np.int16).reshape(3, 4, 5)
    head = ("NRRD0004\ntype: short\ndimension: 4\nspace: left-posterior-superior\nsizes: 1 5 4 3\n"
            "space directions: none (1,0,0) (0,1,0) (0,0,2)\nkinds: list domain domain domain\nendian: little\n"
            "encoding: raw\nspace origin: (0,0,0)\n\n")  # fmt: skip
    (tmp_path / "CT.nrrd").write_bytes(head.encode() + array.tobytes())
    volume = read_volume(tmp_path / "CT.nrrd")
    np.testing.assert_array_equal(volume.array, array)
    assert volume.grid.spacing_mm == (1.0, 1.0, 2.0)
