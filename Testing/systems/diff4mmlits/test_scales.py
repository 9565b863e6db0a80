"""Scales: what is written back is what was read, and soft tissue is told apart."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.systems.diff4mmlits.scales import Scale, scale_of


@pytest.mark.parametrize(
    ("scale", "values"),
    [
        (Scale("HU"), [-1000, -100, 0, 40, 300, 1500]),
        (Scale("SUV"), [0, 0.3, 2.5, 12, 40]),
        (Scale("relative", 250, 200), [0, 40, 250, 500, 800]),
    ],
)
def test_the_way_back_gives_the_same_values(scale, values):
    values = np.array(values, np.float32)
    there = scale.forward(values)
    assert there.dtype == np.float32 and (np.diff(there) > 0).all() and np.abs(there).max() < 3.5
    assert np.allclose(scale.inverse(there), values, atol=1e-2, rtol=1e-4)


def test_fat_and_muscle_lie_far_apart_and_bone_is_not_clipped():
    fat, muscle, bone = Scale("HU").forward(np.array([-100, 60, 1200]))
    assert muscle - fat > 0.9 and bone - muscle > 1.5


def test_what_no_image_holds_is_not_written():
    assert Scale("SUV").inverse(np.float32(-0.9)) == 0
    assert Scale("relative", 250, 200).inverse(np.float32(-1.5)) == 0


def test_mr_is_scaled_by_its_own_body_where_it_is_valid():
    grid = Grid((20, 20, 4))
    array = np.linspace(100, 500, 1600).reshape(4, 20, 20).astype(np.float32)
    valid = np.ones(array.shape, bool)
    valid[3] = False
    array[3] = 9000
    scale = scale_of(Volume(array, grid, "MR_T1"), valid)
    low, high = np.percentile(array[valid], (1, 99))
    assert scale.forward(np.array([low, high])) == pytest.approx([-1, 1], abs=1e-4)


def test_an_image_without_a_body_has_a_scale_all_the_same():
    grid = Grid((4, 4, 2))
    scale = scale_of(Volume(np.zeros(grid.shape, np.float32), grid, "MR_T1"), np.ones(grid.shape, bool))
    assert np.isfinite(scale.forward(np.zeros(3))).all()
    assert scale_of(Volume(np.zeros(grid.shape, np.float32), grid, "CT"), np.ones(grid.shape, bool)) == Scale("HU")
