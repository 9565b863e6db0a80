"""How the contours of one plane make one shape."""

import time

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.contour_fill import MOST_CONTOURS, filled_plane

SHAPE = (12, 12)


def square(low, high):
    """(4, 2): its corners, in voxels; it holds the centers from low to high - 1 along both axes."""
    a, b = low - 0.5, high - 0.5
    return np.array([(a, a), (b, a), (b, b), (a, b)])


def voxels(*contours, xor=False):
    notes = []
    return int(filled_plane([(c, xor) for c in contours], SHAPE, notes).sum()), notes


def test_a_contour_inside_another_is_a_hole_and_one_inside_that_is_an_island():
    assert voxels(square(1, 11), square(3, 9)) == (100 - 36, [])
    assert voxels(square(3, 9), square(1, 11)) == (100 - 36, [])
    assert voxels(square(1, 11), square(3, 9), square(5, 7)) == (100 - 36 + 4, [])


def test_contours_that_overlap_are_united():
    count, notes = voxels(square(0, 6), square(3, 9))
    assert count == 36 + 36 - 9
    assert notes == ["Contours that overlap in one plane were united."]


def test_contours_apart_stay_apart():
    assert voxels(square(0, 3), square(6, 9)) == (18, [])


@pytest.mark.parametrize("copies", [2, 3])
def test_a_contour_that_is_there_twice_counts_once(copies):
    count, notes = voxels(*[square(2, 7)] * copies)
    assert count == 25
    assert notes == ["Contours that are in the file twice were taken once."]


def test_the_xor_type_is_combined_as_it_says():
    assert voxels(square(0, 6), square(3, 9), xor=True) == (36 + 36 - 18, [])
    assert voxels(square(2, 7), square(2, 7), xor=True) == (0, [])


def test_a_keyhole_is_one_contour_with_a_hole():
    a, b = square(1, 11), square(3, 9)
    keyhole = np.array([*a, a[0], b[0], b[3], b[2], b[1], b[0], a[0]])
    assert voxels(keyhole) == (100 - 36, [])


def test_nothing_but_specks_is_nothing():
    assert voxels(np.array([(1.1, 1.1), (1.2, 1.1), (1.2, 1.2)])) == (0, [])


def test_a_multitude_of_contours_or_points_is_refused_at_once():
    """Each contour of a plane is held against each other, each point against each voxel."""
    began = time.process_time()
    with pytest.raises(InputError, match="20000 contours in one plane"):
        voxels(*[square(1, 9)] * 20_000)
    with pytest.raises(InputError, match="a contour of 1000000 points"):
        voxels(np.zeros((1_000_000, 2)))
    many = [np.add(square(0, 1), (n % 12, n // 12)) for n in range(MOST_CONTOURS + 1)]
    with pytest.raises(InputError, match="101 contours in one plane"):
        voxels(*many)
    assert voxels(*many[:-1], *many[:-1]) == (100, ["Contours that are in the file twice were taken once."])
    assert time.process_time() - began < 2
