import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics import mean_interval


def test_the_interval_is_near_the_normal_one_for_many_normal_values():
    values = np.random.default_rng(3).normal(0.7, 0.1, 400)
    mean, low, high = mean_interval(values)
    half = 1.96 * values.std(ddof=1) / np.sqrt(values.size)
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((mean - half, mean + half), abs=1e-3)


def test_the_same_seed_gives_the_same_interval_and_a_higher_level_a_wider_one():
    values = [0.2, 0.5, 0.9, 0.7, 0.4]
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1, resamples=500) != mean_interval(values, seed=2, resamples=500)
    _, low, high = mean_interval(values)
    _, lower, higher = mean_interval(values, level=0.99)
    assert lower < low < high < higher


def test_values_that_all_agree_have_an_interval_of_no_width():
    assert mean_interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("values", [[], [0.5], [0.5, float("nan")], [[0.1, 0.2]]])
def test_refuses_too_few_values_and_values_that_are_not_finite(values):
    with pytest.raises(InputError, match="finite value"):
        mean_interval(values)


def test_the_ends_are_percentiles_of_the_means_and_lie_among_the_values():
    """Of five values, one of them 1, the mean of a resample is a fifth of a binomial count (5, 0.2)."""
    assert mean_interval([0.0, 0.0, 0.0, 0.0, 1.0]) == pytest.approx((0.2, 0.0, 0.6))
