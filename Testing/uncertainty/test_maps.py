"""Entropy of samples, by hand."""

import numpy as np
import pytest
from DiffuFuseMedLib.uncertainty import binary_entropy, uncertainty_maps

LN_2 = 0.6931471805599453


def test_entropy_is_ln_2_at_a_half_and_nothing_when_sure():
    # 0.25: -(0.25 ln 0.25 + 0.75 ln 0.75) = 0.34657 + 0.21576
    assert binary_entropy(np.array([0.0, 0.25, 0.5, 0.75, 1.0])) == pytest.approx(
        [0, 0.56234, LN_2, 0.56234, 0], abs=1e-5
    )


def test_samples_that_are_sure_of_opposites_are_all_mutual_information():
    maps = uncertainty_maps(np.array([[[[0.0]]], [[[1.0]]]]))
    values = {name: float(value.item()) for name, value in maps.items()}
    assert values == pytest.approx(
        {"predictive_entropy": LN_2, "expected_entropy": 0, "mutual_information": LN_2}, abs=1e-5
    )


def test_samples_that_agree_hold_no_mutual_information():
    samples = np.repeat(np.random.default_rng(0).uniform(size=(1, 3, 4, 5)), 6, axis=0)
    maps = uncertainty_maps(samples)
    np.testing.assert_allclose(maps["mutual_information"], 0, atol=1e-7)
    np.testing.assert_allclose(maps["expected_entropy"], binary_entropy(samples[0]), atol=1e-6)
    assert maps["expected_entropy"].max() > 0.5


def test_predictive_entropy_is_the_sum_of_the_other_two():
    maps = uncertainty_maps(np.random.default_rng(1).uniform(size=(5, 3, 4, 5)))
    total = maps["expected_entropy"] + maps["mutual_information"]
    np.testing.assert_allclose(maps["predictive_entropy"], total, atol=1e-6)
    assert maps["mutual_information"].min() > 0
    assert {(m.dtype, m.shape) for m in maps.values()} == {(np.dtype("float32"), (3, 4, 5))}
