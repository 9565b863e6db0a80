"""Volumes on another grid, with the mask of where they say something."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.resampling import onto, resample, valid_mask
from DiffuFuseMedLib.core.volume import Volume

STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


def real(key):
    return Volume.from_sitk(sitk.ReadImage(str(STS_010 / f"{key}.nii.gz"), sitk.sitkFloat32), key)


@pytest.fixture
def a_ramp():
    """Values 0, 10, 20, 30 along i at 2 mm."""
    array = np.broadcast_to(np.arange(4, dtype=np.float32) * 10, (2, 2, 4)).copy()
    return Volume(array, Grid((4, 2, 2), (2.0, 1.0, 1.0)), "PET")


def test_linear_resampling_gives_the_value_between_two_voxels(a_ramp):
    # Centers of the fine grid lie at 1 mm and 2 mm: halfway to the second voxel, and on it.
    fine = Grid((2, 2, 2), (1.0, 1.0, 1.0), (1.0, 0.0, 0.0))
    np.testing.assert_allclose(resample(a_ramp, fine).array[0, 0], [5, 10], atol=1e-5)


def test_nearest_resampling_invents_no_label():
    labels = Volume(np.array([0, 3, 0, 3], dtype=np.uint8).reshape(1, 1, 4), Grid((4, 1, 1)))
    fine = resample(labels, Grid((16, 1, 1), (0.25, 1.0, 1.0), (-0.375, 0.0, 0.0)), "nearest")
    assert fine.array.dtype == np.uint8
    assert fine.array.ravel().tolist() == [0] * 4 + [3] * 4 + [0] * 4 + [3] * 4


def test_the_transform_maps_points_of_the_grid_to_points_of_the_volume(a_ramp):
    two_mm_left = sitk.TranslationTransform(3, (2.0, 0.0, 0.0))
    moved = resample(a_ramp, a_ramp.grid, "linear", two_mm_left, outside=-7)
    assert moved.array[0, 0].tolist() == [10, 20, 30, -7]


def test_refuses_an_unknown_interpolation(a_ramp):
    with pytest.raises(InputError, match=r"'cubic'.*linear"):
        resample(a_ramp, a_ramp.grid, "cubic")


def test_mr_zeros_beyond_its_field_of_view_are_missing_and_zeros_in_the_body_are_not():
    array = np.full((4, 20, 20), 300, dtype=np.float32)
    array[:, :, :5] = 0  # beyond the field of view
    array[:, 8:12, 12:16] = 0  # cortical bone
    array[:, 15, 19] = 0  # a single dark voxel at the border: noise
    expected = np.ones(array.shape, dtype=bool)
    expected[:, :, :5] = False
    assert (valid_mask(Volume(array, Grid((20, 20, 4)), "MR_T1")) == expected).all()


def test_a_thin_dark_line_does_not_join_the_body_to_the_outside():
    array = np.full((2, 30, 30), 300, dtype=np.float32)
    array[:, :, :5] = 0
    array[:, 10, 5:15] = 0  # one voxel wide bridge
    array[:, 8:13, 15:20] = 0  # dark organ
    valid = valid_mask(Volume(array, Grid((30, 30, 2)), "MR_T1"))
    assert valid[:, 8:13, 15:20].all()
    assert not valid[:, :, :5].any()


@pytest.mark.parametrize("padding", [-2000, -3024, -32768])
def test_ct_padding_is_missing_and_air_is_not(padding):
    array = np.full((2, 10, 10), -1000, dtype=np.float32)
    array[:, 3:7, 3:7] = 40
    array[:, :2] = padding
    expected = np.ones(array.shape, dtype=bool)
    expected[:, :2] = False
    assert (valid_mask(Volume(array, Grid((10, 10, 2)), "CT")) == expected).all()


def a_round_ct(air_hu):
    j, i = np.indices((40, 40)) - 19.5
    radius = np.hypot(j, i)
    array = np.where(radius < 10, 40.0, air_hu) + np.where(radius < 20, 0.0, -1024.0 - air_hu)
    return Volume(np.repeat(array[None], 2, axis=0).astype(np.float32), Grid((40, 40, 2)), "CT"), radius


def test_the_corners_of_a_round_ct_at_minus_1024_are_missing():
    volume, radius = a_round_ct(air_hu=-995.0)
    assert (valid_mask(volume)[0] == (radius < 20)).all()


def test_air_clipped_at_minus_1024_everywhere_is_not_taken_for_padding():
    volume, _ = a_round_ct(air_hu=-1024.0)
    assert valid_mask(volume).all()


@pytest.mark.parametrize("modality", ["CT", "PET", "MR_T1", None])
def test_non_finite_voxels_are_never_valid(modality):
    array = np.full((3, 10, 10), 50, dtype=np.float32)
    array[1, 4, 4] = np.nan
    valid = valid_mask(Volume(array, Grid((10, 10, 3)), modality))
    assert not valid[1, 4, 4]
    assert valid.sum() == array.size - 1


def test_padding_does_not_bleed_into_the_edge_of_the_field_of_view():
    array = np.full((2, 8, 8), 40, dtype=np.float32)
    array[:, :, :3] = -3024
    volume = Volume(array, Grid((8, 8, 2)), "CT")
    fine = Grid((32, 8, 2), (0.25, 1.0, 1.0), (-0.375, 0.0, 0.0))
    moved, valid = onto(volume, fine)
    np.testing.assert_allclose(moved.array[valid], 40, atol=1e-3)
    assert (moved.array[~valid] == -1000).all()
    # Half-way between the last padded center (2 mm) and the first good one (3 mm) lies the border.
    assert valid[0, 0].tolist() == [-0.375 + 0.25 * n >= 2.5 for n in range(32)]


def test_beyond_the_image_is_invalid_and_inside_its_voxel_borders_is_valid(a_ramp):
    wide = Grid((8, 2, 2), (2.0, 1.0, 1.0), (-4.0, 0.0, 0.0))
    assert onto(a_ramp, wide)[1][0, 0].tolist() == [False, False, True, True, True, True, False, False]


def test_down_sampling_averages_a_checkerboard_instead_of_aliasing_it():
    stripes = np.broadcast_to(np.array([0.0, 100.0] * 16, dtype=np.float32), (4, 4, 32)).copy()
    volume = Volume(stripes, Grid((32, 4, 4)), "PET")
    coarse = Grid((8, 4, 4), (4.0, 1.0, 1.0))
    aliased, (averaged, _) = resample(volume, coarse), onto(volume, coarse)
    assert aliased.array[0, 0, 3] == 0
    np.testing.assert_allclose(averaged.array[0, 0, 2:6], 50, atol=3)


def test_up_sampling_does_not_blur(a_ramp):
    same, valid = onto(a_ramp, a_ramp.grid)
    assert valid.all()
    np.testing.assert_array_equal(same.array, a_ramp.array)


def test_a_bool_mask_stays_a_mask():
    mask = Volume(np.eye(4, dtype=bool)[None], Grid((4, 4, 1)))
    moved, _ = onto(mask, Grid((8, 8, 1), (0.5, 0.5, 1.0), (-0.25, -0.25, 0.0)))
    assert (moved.array[0] == np.kron(np.eye(4), np.ones((2, 2)))).all()


def test_suv_in_the_lesion_survives_the_way_onto_the_ct_grid():
    pet, lesion = real("PET"), Volume.from_sitk(sitk.ReadImage(str(STS_010 / "GTV.nii.gz")))
    on_ct, valid = onto(pet, lesion.grid)
    inside_pet = onto(lesion, pet.grid)[0].array > 0
    assert valid[lesion.array > 0].all()
    assert on_ct.array[lesion.array > 0].mean() == pytest.approx(pet.array[inside_pet].mean(), rel=0.03)


def test_the_real_mr_covers_the_whole_lesion():
    lesion = Volume.from_sitk(sitk.ReadImage(str(STS_010 / "GTV.nii.gz")))
    _, valid = onto(real("MR_T1"), lesion.grid)
    assert valid[lesion.array > 0].all()
    assert 0.5 < valid.mean() < 0.7
