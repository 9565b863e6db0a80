import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.fusion import entropy, mutual_information

HALVES = np.array([[0.0, 0.0], [255.0, 255.0]])
SIDES = np.array([[0.0, 255.0], [0.0, 255.0]])


def test_four_equally_frequent_gray_values_are_two_bits():
    assert entropy(np.array([[0.0, 80.0], [160.0, 255.0]])) == pytest.approx(2)


def test_one_value_in_four_that_differs_is_less_than_a_bit():
    # -3/4 log2 3/4 - 1/4 log2 1/4
    assert entropy(np.array([[9.0, 9.0], [9.0, 200.0]])) == pytest.approx(0.8112781)


def test_entropy_counts_gray_values_not_floats():
    assert entropy(np.array([[9.6, 10.0], [10.4, 10.1]])) == 0


def test_a_picture_shares_its_whole_entropy_with_itself_and_none_with_an_independent_one():
    assert mutual_information(HALVES, HALVES, SIDES) == pytest.approx(np.log(2))
    assert mutual_information(HALVES, HALVES, HALVES) == pytest.approx(2 * np.log(2))


def test_information_does_not_care_how_gray_values_are_named():
    assert mutual_information(HALVES, 255 - HALVES, SIDES) == pytest.approx(np.log(2))


def test_refuses_pictures_of_two_shapes():
    with pytest.raises(InputError, match="2D pictures of one shape"):
        mutual_information(HALVES, HALVES, np.zeros((2, 3)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -3.0, 300.0])
def test_refuses_what_is_no_gray_value(value):
    with pytest.raises(InputError, match="finite gray values from 0 to 255"):
        entropy(np.array([[0.0, value]]))


def test_refuses_a_volume():
    with pytest.raises(InputError, match="2D pictures"):
        entropy(np.zeros((3, 3, 3)))
