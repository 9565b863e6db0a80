"""Paired comparisons: differences, p values and Holm's correction, worked out by hand."""

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.significance import compare, holm, least_p


def test_five_patients_that_are_all_better_give_the_least_p_there_is():
    """All 32 sign patterns alike: 2 of them are as extreme."""
    found = compare([0.6, 0.7, 0.8, 0.9, 1.0], [0.5, 0.5, 0.5, 0.5, 0.5])
    assert found.difference == pytest.approx(0.3)
    assert found.p == pytest.approx(2 / 32) == least_p(5)
    assert (found.pairs, found.low > 0, found.low < 0.3 < found.high) == (5, True, True)


def test_one_of_four_patients_that_is_worse():
    """Differences 1, 2, 3, -4: the smaller rank sum is 4; of 16 patterns 7 have at most 4 ({}, 1, 2, 3, 4, 12, 13)."""
    assert compare([1, 2, 3, 0], [0, 0, 0, 4]).p == pytest.approx(2 * 7 / 16)


def test_the_sign_is_that_of_the_first():
    assert compare([0.5, 0.5], [0.6, 0.8]).difference == pytest.approx(-0.2)


def test_equal_values_are_no_difference():
    found = compare([0.5, 0.6], [0.5, 0.6])
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


@pytest.mark.parametrize(("one", "other"), [([1, 2], [1]), ([1], [1]), ([1, float("nan")], [1, 2])])
def test_values_that_cannot_be_compared_are_refused(one, other):
    with pytest.raises(InputError):
        compare(one, other)


def test_holm_by_hand():
    """0.01 x 3 = 0.03; 0.03 x 2 = 0.06; 0.04 x 1 = 0.04, but never below the one before it."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_least_p_of_few_patients():
    assert [least_p(n) for n in (1, 2, 9)] == [1.0, 0.5, 2 / 512]
