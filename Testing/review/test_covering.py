"""Which few outlines stand for many, by hand, on rows of voxels."""

import numpy as np
from DiffuFuseMedLib.review.covering import covering


def up_to(*ends, length=20):
    return np.array([np.arange(length) < end for end in ends])


def test_the_one_that_leaves_least_to_all_others_comes_first():
    """Beside a lesion of nothing: 4, 6 and 8 are 0 + 2 + 4, 2 + 0 + 2 and 4 + 2 + 0 away from each other."""
    assert covering(up_to(4, 6, 8), [1, 1, 1], up_to(0)[0], most=1, least=1) == [1]
    assert covering(up_to(4, 6, 8), [1, 1, 9], up_to(0)[0], most=1, least=1) == [2]


def test_each_next_one_is_for_what_those_before_leave():
    """After 6 of 5, 6, 7 and 16 it is 16 that most is left of."""
    assert covering(up_to(5, 6, 7, 16), [1, 1, 1, 1], up_to(0)[0], most=2, least=1) == [1, 3]


def test_the_lesion_covers_what_is_like_it():
    assert covering(up_to(10, 12), [9, 1], up_to(10)[0], most=4, least=1) == [1]
    assert covering(up_to(10), [1], up_to(10)[0], most=4, least=0) == []


def test_what_nobody_would_tell_apart_is_not_offered():
    """11 is one voxel from the lesion, and 15 and 16 are one from each other."""
    found = covering(up_to(11, 15, 16), [9, 2, 1], up_to(10)[0], most=4, least=2)
    assert found == [1]
    assert covering(up_to(11, 15, 16), [9, 2, 1], up_to(10)[0], most=4, least=1) == [1, 0, 2]


def test_what_is_not_plausible_at_all_is_not_offered():
    assert covering(up_to(4, 16), [1, 0], up_to(0)[0], most=4, least=1) == [0]
