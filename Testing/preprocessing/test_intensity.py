"""Intensities as the networks see them."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.modalities import MODALITIES
from DiffuFuseMedLib.core.resampling import onto
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.intensity import CURVES, body_mask, n4, normalise

STS_010 = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


def row(values, modality):
    array = np.array(values, dtype=np.float32).reshape(1, 1, -1)
    return Volume(array, Grid(array.shape[::-1]), modality)


def everywhere(volume):
    return np.ones(volume.grid.shape, dtype=bool)


def real(key):
    return Volume.from_sitk(sitk.ReadImage(str(STS_010 / f"{key}.nii.gz"), sitk.sitkFloat32), key)


def test_every_scale_of_the_table_has_its_curve():
    assert {spec.scale for spec in MODALITIES.values()} == set(CURVES)


def test_ct_maps_its_window_to_minus_one_and_one_and_clips_beyond():
    volume = row([-1000, -200, 50, 175, 300, 2000], "CT")
    np.testing.assert_allclose(normalise(volume, everywhere(volume)).ravel(), [-1, -1, 0, 0.5, 1, 1], atol=1e-6)


def test_pet_maps_suv_0_and_10_to_minus_and_plus_a_half_whatever_else_is_in_the_image():
    alone, with_bladder = row([-1, 0, 10], "PET"), row([-1, 0, 10, 120], "PET")
    np.testing.assert_allclose(normalise(alone, everywhere(alone)).ravel(), [-0.5, -0.5, 0.5], atol=1e-6)
    same = normalise(with_bladder, everywhere(with_bladder)).ravel()
    np.testing.assert_allclose(same[:3], [-0.5, -0.5, 0.5], atol=1e-6)
    assert same[3] == pytest.approx(np.log(121) / np.log(11) - 0.5, abs=1e-5)


def test_mr_maps_the_body_percentiles_to_minus_one_and_one_and_ignores_the_air():
    body = np.arange(100, 301)  # 1st percentile 102, 99th percentile 298
    volume = row([*np.zeros(500), *body], "MR_T1")
    result = normalise(volume, everywhere(volume)).ravel()
    assert result[500 + 2] == pytest.approx(-1, abs=1e-5)
    assert result[500 + 100] == pytest.approx(0, abs=1e-5)
    assert result[500 + 198] == pytest.approx(1, abs=1e-5)
    assert result.min() == -1.5


def test_mr_does_not_depend_on_the_scanner_gain():
    volume = row([0, 1, 80, 100, 150, 200, 300], "MR_T2")
    brighter = volume.with_array(volume.array * 7)
    valid = everywhere(volume)
    np.testing.assert_allclose(normalise(volume, valid), normalise(brighter, valid), atol=1e-5)


@pytest.mark.parametrize("modality", MODALITIES)
def test_invalid_and_non_finite_voxels_are_zero(modality):
    volume = row([5, np.nan, 40, np.inf, 100, 60, -2000], modality)
    valid = np.array([True, True, False, True, True, True, False]).reshape(1, 1, -1)
    result = normalise(volume, valid)
    assert result.dtype == np.float32
    assert result.ravel()[[1, 2, 3, 6]].tolist() == [0, 0, 0, 0]
    assert np.isfinite(result).all()
    assert np.count_nonzero(result.ravel()[[0, 4, 5]]) == 3


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_volume_without_valid_voxels_is_all_zero(modality):
    volume = row([1, 2, 3], modality)
    assert not normalise(volume, np.zeros((1, 1, 3), dtype=bool)).any()


def test_body_mask_fills_a_dark_hole_but_not_the_air_around():
    array = np.zeros((2, 7, 7), dtype=np.float32)
    array[:, 1:6, 1:6] = 500
    array[:, 3, 3] = 0
    volume = Volume(array, Grid((7, 7, 2)), "MR_T1")
    expected = np.zeros((2, 7, 7), dtype=bool)
    expected[:, 1:6, 1:6] = True
    assert (body_mask(volume, everywhere(volume)) == expected).all()


def test_body_masks_of_the_real_ct_and_mr_agree():
    ct = real("CT")
    mr, valid = onto(real("MR_T1"), ct.grid)
    ct_body, mr_body = body_mask(ct, valid), body_mask(mr, valid)
    dice = 2 * (ct_body & mr_body).sum() / (ct_body.sum() + mr_body.sum())
    assert dice > 0.95


@pytest.mark.parametrize("key", ["CT", "PET", "MR_T1"])
def test_real_volumes_are_normalised_within_range_and_alike_twice(key):
    volume = real(key)
    first = normalise(volume, everywhere(volume))
    assert -1.5 <= first.min() < -0.4
    assert 0.4 < first.max() <= 1.5
    assert (first == normalise(volume, everywhere(volume))).all()


def test_n4_flattens_a_known_bias_field_over_uniform_tissue():
    _, j, i = np.indices((12, 48, 48))
    tissue = np.where((j - 24) ** 2 + (i - 24) ** 2 < 400, 500.0, 0.0)
    noise = np.random.default_rng(0).normal(1, 0.01, tissue.shape)
    biased = (tissue * noise * np.exp(0.4 * (i - 24) / 24)).astype(np.float32)
    volume = Volume(biased, Grid((48, 48, 12), (4.0, 4.0, 4.0)), "MR_T1")
    corrected = n4(volume, everywhere(volume))
    inside = tissue > 0

    def spread(a):
        return a[inside].std() / a[inside].mean()

    assert spread(volume.array) > 0.15
    assert spread(corrected.array) < 0.5 * spread(volume.array)
    assert corrected.meta["bias_corrected"] == "N4"


def test_n4_leaves_an_empty_volume_as_it_is():
    volume = row([0, 0, 0], "MR_T1")
    assert n4(volume, everywhere(volume)) is volume
