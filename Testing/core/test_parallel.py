"""Planes worked on at once come back in their places."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.parallel import each, each_plane


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_each_plane_comes_back_in_its_place(axis):
    rng = np.random.default_rng(2)
    first, second = rng.random((19, 70, 131)), rng.random((19, 70, 131))
    found = each_plane(lambda a, b: (a > b) & (a > a.mean()), axis, first, second)
    means = first.mean(axis=tuple(n for n in range(3) if n != axis), keepdims=True)
    np.testing.assert_array_equal(found, (first > second) & (first > means))


def test_what_one_of_them_raises_is_raised():
    def fail(number):
        if number == 3:
            raise ValueError("the third")
        return number

    assert each(fail, [1, 2, 4]) == [1, 2, 4]
    with pytest.raises(ValueError, match="the third"):
        each(fail, range(6))
