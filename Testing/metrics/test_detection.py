"""How a map of uncertainty is judged, by hand."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.detection import auroc, error_map, s_ncc, uncertainty_map


def test_auroc_is_the_chance_that_a_wrong_voxel_scores_higher():
    """Of four pairs of a wrong and a right voxel three are in order and one is a tie."""
    assert auroc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False])) == pytest.approx(3.5 / 4)


@pytest.mark.parametrize(("sign", "expected"), [(1, 1.0), (-1, 0.0)])
def test_auroc_of_a_perfect_map_and_of_its_opposite(sign, expected):
    assert auroc(sign * np.arange(6.0), np.arange(6) >= 4) == expected


@pytest.mark.parametrize("wrong", [True, False])
def test_auroc_needs_wrong_and_right_voxels(wrong):
    assert np.isnan(auroc(np.arange(4.0), np.full(4, wrong)))


def test_s_ncc_by_hand():
    """Two samples that differ in the last voxel only, which is also where their error lies."""
    samples = np.array([[0.9, 0.9, 0.9], [0.9, 0.9, 0.2]])
    reference, everywhere = np.array([True, True, True]), np.ones(3, bool)
    mean = samples.mean(axis=0)
    gamma = -(mean * np.log(samples) + (1 - mean) * np.log(1 - samples)).mean(axis=0)
    error = -np.log(samples).mean(axis=0)
    assert s_ncc(samples, [reference], everywhere) == pytest.approx(np.corrcoef(gamma, error)[0, 1])
    assert s_ncc(samples, [reference], everywhere) > 0.99


def test_s_ncc_is_a_mean_over_the_references():
    rng = np.random.default_rng(0)
    samples, everywhere = rng.uniform(0.05, 0.95, (4, 50)), np.ones(50, bool)
    references = [rng.random(50) > 0.5 for _ in range(2)]
    each = [s_ncc(samples, [y], everywhere) for y in references]
    assert s_ncc(samples, references, everywhere) == pytest.approx(np.mean(each))


def test_s_ncc_looks_inside_the_mask_alone():
    rng = np.random.default_rng(0)
    samples, reference = rng.uniform(0.05, 0.95, (4, 50)), rng.random(50) > 0.5
    half = np.arange(50) < 25
    changed = samples.copy()
    changed[:, ~half] = 0.5
    assert s_ncc(samples, [reference], half) == s_ncc(changed, [reference], half)


def test_s_ncc_of_samples_that_say_the_same_everywhere_is_nothing():
    assert np.isnan(s_ncc(np.full((3, 8), 0.7), [np.ones(8, bool)], np.ones(8, bool)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_s_ncc_of_one_mask_that_is_sure_everywhere_is_nothing_whatever_rounding_makes_of_it(dtype):
    mask = np.arange(8) < 3
    assert np.isnan(s_ncc(mask[None].astype(dtype), [np.arange(8) < 4], np.ones(8, bool)))


def test_the_uncertainty_map_is_the_cross_entropy_of_samples_with_their_mean():
    """In the first voxel both say 1/2; in the second 0.9 and 0.1 have the mean 1/2."""
    samples = np.array([[0.5, 0.9], [0.5, 0.1]])
    sides = -(0.5 * np.log(0.9) + 0.5 * np.log(0.1))
    np.testing.assert_allclose(uncertainty_map(samples), [np.log(2), sides])


def test_the_error_map_is_the_cross_entropy_with_every_reference():
    """One reader drew the voxel, the other did not, and the samples say 0.8 and 0.4."""
    samples = np.array([[[0.8]], [[0.4]]])
    drawn = -(np.log(0.8) + np.log(0.4)) / 2
    left = -(np.log(0.2) + np.log(0.6)) / 2
    found = error_map(samples, [np.array([[True]]), np.array([[False]])])
    np.testing.assert_allclose(found, [[(drawn + left) / 2]])


def test_the_error_of_a_certain_sample_is_that_of_the_clip():
    certain, nothing = np.array([[1.0, 0.0]]), np.array([False, False])
    np.testing.assert_allclose(error_map(certain, [nothing]), [-np.log(1e-6), 1e-6], rtol=1e-5)


def test_an_empty_reference_has_an_error_map_and_no_reference_has_none():
    samples = np.full((2, 3), 0.25)
    np.testing.assert_allclose(error_map(samples, [np.zeros(3, bool)]), -np.log(0.75))
    with pytest.raises(InputError, match="an error map without a reference"):
        error_map(samples, [])
