import numpy as np
import pytest
from DiffuFuseMedLib.core.mask_edits import adding, keeping_largest, odd_voxels, smoothing

SHAPE = (5, 6, 7)


def boxed(*ranges):
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(*r) for r in ranges)] = True
    return mask


@pytest.fixture
def values():
    return np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


def test_a_threshold_adds_what_lies_within_its_ends_and_takes_nothing_away(values):
    mask = boxed((0, 1), (0, 1), (0, 1))
    assert np.flatnonzero(adding(values, 10, 12)(mask, None)).tolist() == [0, 10, 11, 12]
    assert mask.sum() == 1


def test_a_threshold_stays_inside_what_may_be_edited(values):
    where = boxed((0, 1), (1, 2), (4, 6))  # values 11 and 12
    assert np.flatnonzero(adding(values, 10, 30)(boxed((0, 0)), where)).tolist() == [11, 12]
    assert not adding(values, 10, 30)(boxed((0, 0)), np.zeros(SHAPE, bool)).any()


def test_the_largest_piece_is_of_the_whole_mask_and_voxels_that_touch_by_a_corner_are_two_pieces():
    large, small, corner = boxed((1, 3), (1, 3), (1, 3)), boxed((1, 2), (5, 6), (5, 7)), boxed((3, 4), (3, 4), (3, 4))
    assert (keeping_largest(large | small | corner, None) == large).all()
    assert (keeping_largest(large | small | corner, small) == large | corner).all()
    assert (keeping_largest(large | small, large) == large | small).all()
    assert not keeping_largest(boxed((0, 0)), None).any()


def test_a_median_fills_a_hole_and_takes_a_speck_away_inside_what_may_be_edited():
    hole, speck = boxed((2, 3), (2, 3), (2, 3)), boxed((4, 5), (5, 6), (6, 7))
    block = boxed((1, 4), (1, 4), (1, 4))
    found = smoothing((3, 3, 3))(block & ~hole | speck, None)
    assert found[2, 2, 2] and not found[4, 5, 6]
    assert not found[1, 1, 1]  # 7 of 27
    assert (smoothing((3, 3, 3))(block & ~hole | speck, hole) == block | speck).all()


@pytest.mark.parametrize(("size_mm", "voxels"), [(3.0, (1, 3, 3)), (9.0, (3, 9, 7)), (0.1, (1, 1, 1))])
def test_a_length_is_the_nearest_odd_number_of_voxels(size_mm, voxels):
    assert odd_voxels(size_mm, (3.27, 1.0, 1.2)) == voxels
