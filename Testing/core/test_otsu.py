import numpy as np
import pytest
from DiffuFuseMedLib.core.otsu import otsu


def test_two_values_are_parted_in_the_middle():
    assert otsu(np.array([[0.0, 10.0, 0.0], [10.0, 0.0, 10.0]])) == pytest.approx(5.0, abs=0.1)


def test_two_bells_are_parted_where_they_meet():
    noise = np.random.default_rng(1).normal(0, 5, 40_000)
    assert otsu(np.concatenate([noise - 100, noise + 100])) == pytest.approx(0, abs=90)
    assert np.mean(noise - 100 > otsu(np.concatenate([noise - 100, noise + 100]))) < 0.001


def test_a_large_array_is_looked_at_in_part_and_an_even_one_has_no_two_classes():
    assert otsu(np.repeat([1.0, 3.0], 1_000_000).reshape(100, 100, 200)) == pytest.approx(2.0, abs=0.1)
    assert otsu(np.full((4, 4), 7.0)) == 7.0
    assert otsu(np.array([np.nan, np.inf])) == 0.0
