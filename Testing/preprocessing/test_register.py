"""Rigid registration by mutual information, at real scale."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing import register
from DiffuFuseMedLib.preprocessing.register import mutual_information, register_rigid, rigid_matrix

STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


@pytest.fixture(scope="module")
def ct():
    return Volume.from_sitk(sitk.ReadImage(str(STS_010 / "CT.nii.gz"), sitk.sitkFloat32), "CT")


@pytest.fixture(scope="module")
def mr():
    return Volume.from_sitk(sitk.ReadImage(str(STS_010 / "MR_T1.nii.gz"), sitk.sitkFloat32), "MR_T1")


@pytest.fixture(scope="module")
def registered(ct, mr):
    """The MR registered from where the files place it."""
    return register_rigid(ct, mr)


def middle(volume):
    return volume.grid.to_physical((np.array(volume.grid.size) - 1) / 2)


def motion(volume, degrees, shift_mm):
    transform = sitk.Euler3DTransform()
    transform.SetCenter(middle(volume))
    transform.SetRotation(*np.radians(degrees))
    transform.SetTranslation(shift_mm)
    return rigid_matrix(transform)


def moved(volume, matrix):
    """The volume as if the patient had lain elsewhere: only its geometry changes, no voxel is interpolated."""
    grid = volume.grid
    direction = matrix[:3, :3] @ np.reshape(grid.direction, (3, 3))
    origin = matrix[:3, :3] @ np.array(grid.origin) + matrix[:3, 3]
    return replace(volume, grid=Grid(grid.size, grid.spacing_mm, tuple(origin), tuple(direction.ravel())))


def shift_mm_and_degrees(matrix, point):
    shift = matrix[:3, :3] @ point + matrix[:3, 3] - point
    return np.linalg.norm(shift), np.degrees(np.arccos(np.clip((np.trace(matrix[:3, :3]) - 1) / 2, -1, 1)))


@pytest.mark.parametrize(
    ("degrees", "shift_mm"), [((2, -3, 4), (8, -6, 5)), ((3, 0, -5), (150, -200, 300))], ids=["near", "no overlap"]
)
def test_undoes_a_known_motion_of_the_real_mr(ct, mr, registered, degrees, shift_mm):
    known = motion(mr, degrees, shift_mm)
    found = register_rigid(ct, moved(mr, known))
    # The files' own position is good to a few mm only, so the fair truth is where the unmoved MR is registered to.
    truth = registered.matrix_moving_to_reference
    shift, angle = shift_mm_and_degrees(found.matrix_moving_to_reference @ known @ np.linalg.inv(truth), middle(mr))
    assert shift < 1.5
    assert angle < 1.0


def test_stays_near_the_position_the_data_set_gives_and_fits_better(ct, mr, registered):
    shift, angle = shift_mm_and_degrees(registered.matrix_moving_to_reference, middle(mr))
    assert shift < 2.5
    assert angle < 3.0
    assert registered.mutual_information > mutual_information(ct, mr)


def test_matrix_is_the_inverse_of_the_transform(mr, registered):
    point = middle(mr)
    there = np.array(registered.transform.TransformPoint(tuple(point)))
    back = registered.matrix_moving_to_reference @ np.append(there, 1)
    np.testing.assert_allclose(back[:3], point, atol=1e-6)


def small(volume):
    return volume.cropped((24, 30, 30), (36, 90, 90))


def test_the_same_seed_gives_the_same_result(ct, mr):
    first, second = (register_rigid(small(ct), small(mr), seed=3) for _ in range(2))
    assert (first.matrix_moving_to_reference == second.matrix_moving_to_reference).all()


def test_keeps_the_given_position_when_the_optimizer_ends_worse(ct, mr, monkeypatch):
    wrong = sitk.Euler3DTransform()
    wrong.SetTranslation((0.0, 25.0, 0.0))
    monkeypatch.setattr(register, "_optimise", lambda *_: (wrong, 7))
    kept = register_rigid(small(ct), mr)
    assert (kept.matrix_moving_to_reference == np.eye(4)).all()
    assert kept.mutual_information == pytest.approx(mutual_information(small(ct), mr), abs=1e-6)
    assert "kept" in kept.notes[0]


def two_halves():
    """Half the voxels 0, half 100: one bit, ln 2 nats."""
    array = np.zeros((16, 16, 16), dtype=np.float32)
    array[:, :, 8:] = 100
    return Volume(array, Grid((16, 16, 16)), "PET")


def test_mutual_information_of_a_fair_coin_with_itself_is_ln_2():
    # A little less: Mattes' estimate smooths the histogram, never more.
    assert mutual_information(two_halves(), two_halves()) == pytest.approx(np.log(2), abs=0.02)


def test_mutual_information_is_blind_to_an_inverted_scale_and_zero_for_independent_images():
    volume = two_halves()
    inverted = volume.with_array(100 - volume.array)
    other_axis = volume.with_array(volume.array.transpose(2, 1, 0).copy())
    assert mutual_information(volume, inverted) == pytest.approx(np.log(2), abs=0.02)
    assert mutual_information(volume, other_axis) == pytest.approx(0, abs=1e-3)


def test_mutual_information_counts_only_the_mask():
    volume = two_halves()
    wrong_above = volume.with_array(np.where(np.indices(volume.array.shape)[0] < 8, volume.array, volume.array.T))
    below = np.indices(volume.array.shape)[0] < 8
    assert mutual_information(volume, wrong_above) < 0.5
    assert mutual_information(volume, wrong_above, mask=below) == pytest.approx(np.log(2), abs=0.02)


def test_a_constant_image_shares_nothing_and_cannot_be_registered():
    volume = two_halves()
    constant = volume.with_array(np.full_like(volume.array, 7))
    assert mutual_information(volume, constant) == 0
    with pytest.raises(InputError, match="single value"):
        register_rigid(volume, constant)


def test_mutual_information_without_overlap_is_not_a_number(ct, mr):
    away = moved(mr, motion(mr, (0, 0, 0), (2000, 0, 0)))
    assert np.isnan(mutual_information(ct, away))


def test_refuses_images_too_small_to_compare():
    tiny = Volume(np.ones((2, 2, 2), dtype=np.float32), Grid((2, 2, 2)), "PET")
    with pytest.raises(InputError, match="common region"):
        register_rigid(tiny, tiny)


def test_a_large_image_is_thinned_out_and_its_fit_told_nearly_the_same(ct, mr, monkeypatch):
    whole = mutual_information(ct, mr)
    monkeypatch.setattr(register, "MOST_MEASURED", ct.array.size // 20)
    measured = []
    monkeypatch.setattr(register._Pair, "is_constant", lambda pair: measured.append(pair.fixed.GetNumberOfPixels()))
    assert mutual_information(ct, mr) == pytest.approx(whole, abs=0.02)
    assert measured[0] <= ct.array.size // 20


def test_masks_that_are_known_are_not_looked_for_again(ct, mr, monkeypatch):
    known = register.valid_mask(ct), register.valid_mask(mr)
    whole = mutual_information(ct, mr)
    monkeypatch.setattr(register, "valid_mask", None)
    assert mutual_information(ct, mr, valid=known) == whole
