import numpy as np
import pytest
from DiffuFuseMedLib.metrics.fusion import scd, spatial_frequency, standard_deviation

A = np.array([[0.0, 0.0], [100.0, 100.0]])
B = np.array([[0.0, 100.0], [0.0, 100.0]])


def test_standard_deviation_of_two_halves_is_half_their_difference():
    assert standard_deviation(A) == 50


def test_spatial_frequency_adds_the_squared_steps_of_both_directions():
    assert spatial_frequency(A) == 100
    assert spatial_frequency(np.array([[0.0, 30.0], [40.0, 70.0]])) == pytest.approx(50)
    # horizontal steps 3 and 0, vertical 0 and 4 and ... of a wider picture: sqrt((9 + 0 + 9 + 16) / 4 + 16 / 3)
    assert spatial_frequency(np.array([[0.0, 3.0, 3.0], [0.0, 3.0, 7.0]])) == pytest.approx(np.sqrt(34 / 4 + 16 / 3))


def test_a_single_row_has_only_horizontal_steps():
    assert spatial_frequency(np.array([[0.0, 5.0, 0.0]])) == 5


def test_the_sum_of_both_sources_has_the_best_scd():
    # F - B = A and F - A = B
    assert scd(A + B, A, B) == pytest.approx(2)


def test_scd_of_the_average_of_unrelated_pictures():
    # F - B = (A - B) / 2; A and B are uncorrelated with equal variance, so r = 1 / sqrt(2), twice.
    assert scd((A + B) / 2, A, B) == pytest.approx(np.sqrt(2))


def test_scd_of_a_copy_is_undefined():
    assert np.isnan(scd(A, A, B))
    assert np.isnan(scd((A / 255).astype(np.float32) * np.float32(255), A, B))  # a copy but for rounding
