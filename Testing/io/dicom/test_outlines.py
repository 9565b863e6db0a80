"""Outlines of pixels: their corners worked out by hand, their areas, and masks that come back voxel for voxel."""

import numpy as np
import pytest
from DiffuFuseMedLib.io.dicom.contour_fill import filled_plane
from DiffuFuseMedLib.io.dicom.outlines import outlines


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def test_a_pixels_outline_is_its_four_corners():
    mask = np.zeros((4, 5), bool)
    mask[1, 3] = True
    (polygon,) = outlines(mask)
    assert {tuple(p) for p in polygon} == {(2.5, 0.5), (3.5, 0.5), (3.5, 1.5), (2.5, 1.5)}
    assert len(polygon) == 4


def test_a_straight_border_has_no_points_between_its_corners():
    mask = np.zeros((9, 9), bool)
    mask[2:5, 1:8] = True
    (polygon,) = outlines(mask)
    assert sorted(map(tuple, polygon)) == [(0.5, 1.5), (0.5, 4.5), (7.5, 1.5), (7.5, 4.5)]


def test_a_hole_is_joined_to_the_border_by_a_bridge_that_is_run_along_twice():
    mask = np.ones((3, 3), bool)
    mask[1, 1] = False
    (polygon,) = outlines(mask)
    assert area(polygon) == 8
    assert [tuple(p) for p in polygon].count((-0.5, 0.5)) == 2  # the border's point, where the bridge begins and ends


def test_parts_that_touch_at_a_corner_are_two_outlines_and_parts_that_share_an_edge_one():
    touching = np.array([[1, 0], [0, 1]], bool)
    assert len(outlines(touching)) == 2
    assert len(outlines(np.array([[1, 1], [0, 1]], bool))) == 1


def test_a_hole_that_touches_the_outside_at_a_corner_needs_no_bridge():
    mask = np.ones((3, 3), bool)
    mask[1, 1] = mask[2, 2] = False
    (polygon,) = outlines(mask)
    assert np.abs(polygon - np.roll(polygon, 1, axis=0)).sum() == 16  # 12 pixel sides outside, 4 around the hole


def test_nothing_has_no_outline():
    assert outlines(np.zeros((3, 3), bool)) == []


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_mask_is_its_outlines_hold_its_pixels_and_no_others(seed):
    random = np.random.default_rng(seed)
    mask = random.random(random.integers(2, 16, 2)) < random.uniform(0.2, 0.95)
    polygons = outlines(mask)
    np.testing.assert_array_equal(filled_plane([(points, False) for points in polygons], mask.shape, []), mask)
    assert sum(area(p) for p in polygons) == pytest.approx(mask.sum())
