"""NIfTI headers that say two things, or nothing, of where the image lies; voxels without a value."""

import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.grammar.nifti import nearest_rigid
from DiffuFuseMedLib.io.image_files import read_volume
from DiffuFuseMedLib.io.study import read_study

SFORM, SFORM_CODE, QFORM_CODE, PIXDIM, UNITS, DATATYPE = 280, 254, 252, 80, 123, 70


@pytest.fixture
def nifti(tmp_path):
    """A function (*fields): CT.nii of 3 x 3 x 4 mm with fields of (offset, struct's format, *numbers) in it."""

    def write(*fields, name="CT.nii", array=None):
        values = np.linspace(-1000, 60, 6 * 5 * 4, dtype=np.float32).reshape(4, 5, 6) if array is None else array
        image = sitk.GetImageFromArray(values)
        image.SetSpacing((3.0, 3.0, 4.0))
        image.SetOrigin((10.0, 20.0, 30.0))
        plain = tmp_path / "plain.nii"
        sitk.WriteImage(image, str(plain))
        data = bytearray(plain.read_bytes())
        plain.unlink()
        for place, kind, *numbers in fields:
            struct.pack_into(f"<{kind}", data, place, *numbers)
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


def sform_of(axes, origin=(-10.0, -20.0, 30.0)):
    return (SFORM, "12f", *np.hstack([axes, np.reshape(origin, (3, 1))]).ravel())


AXES = np.diag([-3.0, -3.0, 4.0])


@pytest.mark.parametrize(("axes", "pixdim"), [(AXES, (1, 1, 1)), (AXES / [3, 3, 4], (3, 3, 4)), (AXES, (3, 3, 5))])
def test_a_spacing_that_sform_and_pixdim_disagree_on_is_refused(nifti, axes, pixdim):
    path = nifti((PIXDIM, "3f", *pixdim), sform_of(axes), (SFORM_CODE, "h", 1), (QFORM_CODE, "h", 0))
    with pytest.raises(InputError, match=r"mm by its sform and .* by its pixdim"):
        read_volume(path)


def test_axes_a_little_off_the_right_angle_are_squared(nifti):
    sheared = AXES.copy()
    sheared[1, 0] = 3 * 0.008  # half a degree
    path = nifti(sform_of(sheared), (SFORM_CODE, "h", 1), (QFORM_CODE, "h", 0))
    grid = read_volume(path).grid
    axes = np.reshape(grid.direction, (3, 3))
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(axes, np.eye(3), atol=0.005)  # LPS; half of the shear on each side
    np.testing.assert_allclose(grid.origin, (10, 20, 30), atol=1e-4)
    sheared[1, 0] = 3 * 0.05
    with pytest.raises(InputError, match="shears the image"):
        read_volume(nifti(sform_of(sheared), (SFORM_CODE, "h", 1), (QFORM_CODE, "h", 0)))


def test_the_nearest_right_axes_keep_their_lengths():
    axes = np.array([[3.0, 0.1, 0], [0, 2.0, 0], [0, 0, 4.0]])
    found = nearest_rigid(axes)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), np.linalg.norm(axes, axis=0))
    unit = found / np.linalg.norm(found, axis=0)
    np.testing.assert_allclose(unit.T @ unit, np.eye(3), atol=1e-12)


def test_an_sform_that_is_no_set_of_axes_is_refused(nifti):
    for bad in (np.zeros((3, 3)), np.full((3, 3), np.nan)):
        with pytest.raises(InputError, match="no set of axes"):
            read_volume(nifti(sform_of(bad), (SFORM_CODE, "h", 1)))


@pytest.mark.parametrize(("code", "scale"), [(1, 1e-3), (3, 1e3)])
def test_meters_and_micrometers_become_millimeters(nifti, code, scale):
    path = nifti((UNITS, "B", code), (PIXDIM, "3f", *(scale * x for x in (3, 3, 4))), (SFORM_CODE, "h", 0))
    np.testing.assert_allclose(read_volume(path).grid.spacing_mm, (3, 3, 4), rtol=1e-5)


def test_a_kind_of_voxel_that_is_not_read_is_named(nifti):
    with pytest.raises(InputError, match="datatype 1536"):
        read_volume(nifti((DATATYPE, "2h", 1536, 128)))


def test_voxels_without_a_value_are_not_a_number(nifti, tmp_path):
    array = np.linspace(-1000, 60, 6 * 5 * 4, dtype=np.float32).reshape(4, 5, 6)
    array[1, 2, 3:] = np.nan
    plain = read_volume(nifti(array=array))
    packed = tmp_path / "packed_CT.nii.gz"
    packed.write_bytes(gzip.compress((tmp_path / "CT.nii").read_bytes()))
    for volume in (plain, read_volume(packed)):
        assert np.argwhere(np.isnan(volume.array)).tolist() == [[1, 2, 3], [1, 2, 4], [1, 2, 5]]
        np.testing.assert_array_equal(volume.array[0], array[0])
        assert any("hold no value" in note for note in volume.meta["notes"])


def test_a_file_named_as_packed_that_is_not_is_read(nifti):
    assert read_volume(nifti(name="CT.nii.gz")).array.shape == (4, 5, 6)


def test_a_file_that_names_no_orientation_says_so(nifti):
    nowhere = ((QFORM_CODE, "2h", 0, 0), (QFORM_CODE + 4, "6f", *[0.0] * 6), (SFORM, "12f", *[0.0] * 12))
    notes = read_volume(nifti(*nowhere)).meta["notes"]
    assert any(note.startswith("Warning: CT.nii names no orientation") for note in notes)
    assert not any("orientation" in note for note in read_volume(nifti()).meta["notes"])


def test_an_image_without_orientation_is_left_out_beside_one_that_has_one(nifti, tmp_path):
    nowhere = ((QFORM_CODE, "2h", 0, 0), (QFORM_CODE + 4, "6f", *[0.0] * 6), (SFORM, "12f", *[0.0] * 12))
    nifti(*nowhere, name="PET.nii", array=np.linspace(0, 8, 120, dtype=np.float32).reshape(4, 5, 6))
    nifti(*nowhere)
    assert tuple(read_study(tmp_path).volumes) == ("CT", "PET")  # alike, as far as anybody knows
    nifti()
    study = read_study(tmp_path)
    assert tuple(study.volumes) == ("CT",)
    assert "PET.nii was left out: it names no orientation" in study.notes[0]
