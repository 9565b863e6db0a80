"""The Frechet distance: worked out by hand, 0 for the same, and refused where it means nothing."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.frechet import frechet_distance


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((400, 5)) @ np.random.default_rng(1).standard_normal((5, 5))


def test_a_set_is_at_no_distance_from_itself_and_both_ways_are_alike(features):
    other = 2 * features[:300] + 1
    assert frechet_distance(features, features[::-1]) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(features, other) == pytest.approx(frechet_distance(other, features))


def test_a_shift_counts_as_its_squared_length(features):
    shift = np.array([1.0, -2.0, 0.0, 0.5, 3.0])
    assert frechet_distance(features, features + shift) == pytest.approx((shift**2).sum())


def test_in_one_dimension_it_is_that_of_means_and_deviations():
    one, other = np.array([[-1.0], [1.0]]), np.array([[2.0], [8.0]])
    wanted = 5**2 + (np.std([-1, 1], ddof=1) - np.std([2, 8], ddof=1)) ** 2
    assert frechet_distance(one, other) == pytest.approx(wanted)


def test_uncorrelated_features_add_up():
    rng = np.random.default_rng(2)
    one = rng.standard_normal((5000, 2))
    one = (one - one.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(one.T))).T  # exactly white
    assert frechet_distance(one, one * [2, 3]) == pytest.approx((2 - 1) ** 2 + (3 - 1) ** 2)


def test_fewer_places_than_features_are_no_obstacle():
    rng = np.random.default_rng(3)
    one, other = rng.standard_normal((2, 4, 30))
    assert 0 <= frechet_distance(one, other) < np.inf


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros((1, 3)), np.zeros((4, 3))),
        (np.zeros((4, 3)), np.zeros((4, 2))),
        (np.zeros(4), np.zeros(4)),
        (np.full((4, 3), np.nan), np.zeros((4, 3))),
    ],
)
def test_what_has_no_distance_is_refused(one, other):
    with pytest.raises(InputError, match="two or more rows of the same finite features"):
        frechet_distance(one, other)
