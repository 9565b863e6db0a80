"""The lesion's border between the voxels: no staircase of the mask, the same in every plane, nothing far away."""

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.systems.clin_fusediff import LARGEST_ACCENT, Components
from DiffuFuseMedLib.tasks.fuse.lesion_border import REACH_VOXELS, accent, border_of, profile

SHAPE, CENTER, RADIUS = (40, 48, 44), np.array([20.0, 24.0, 22.0]), 11.3


def ball(spacing=(1.0, 1.0, 1.0)):
    at = np.moveaxis(np.indices(SHAPE), 0, -1) - CENTER
    return np.sqrt(((at * spacing) ** 2).sum(-1))


def components(picture):
    """A case in which every form of the picture is this one."""
    shown, nothing = torch.from_numpy(picture)[None, None], torch.zeros(1, 1, *picture.shape)
    return Components(shown, shown, shown, nothing, nothing, nothing, nothing)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0)])
def test_the_distance_is_that_of_the_ball_to_a_part_of_a_voxel(spacing):
    away = ball(spacing)
    border = border_of(away < RADIUS, spacing)
    found = np.full(SHAPE, np.nan)
    found[border.box] = border.distance * REACH_VOXELS
    near = np.abs(away - RADIUS) < 2
    assert np.abs(found - (RADIUS - away))[near].max() < 0.75  # the mask itself is off by up to 1 voxel


def test_every_plane_sees_the_same_distance():
    border = border_of(ball() < RADIUS, (1.0, 1.0, 1.0))
    axial, coronal, sagittal = (border.slices(p, [n]) for p, n in (("axial", 21), ("coronal", 30), ("sagittal", 19)))
    assert axial[0, 0, 30, 19] == coronal[0, 0, 21, 19] == sagittal[0, 0, 21, 30] != 0


def test_a_lesion_that_is_not_there_or_far_from_the_slice_has_no_border():
    assert border_of(np.zeros(SHAPE, bool), (1.0, 1.0, 1.0)) is None
    small = np.zeros(SHAPE, bool)
    small[30:33, 30:33, 30:33] = True
    assert border_of(small, (1.0, 1.0, 1.0)).slices("axial", [2]) is None
    assert border_of(np.ones((8, 8), bool), (1.0, 1.0)).picture().min() == 1


def test_the_profile_is_odd_smooth_and_at_most_one():
    t = torch.linspace(-1, 1, 2001, dtype=torch.float64)
    p = profile(t)
    assert torch.allclose(p, -p.flip(0)) and p.abs().max() == pytest.approx(1, abs=1e-5)
    assert p[[0, 1000, 2000]].abs().max() < 1e-12
    assert (p[1] - p[0]).abs() < 1e-4  # it leaves zero without a kink


def test_the_accent_has_no_step_where_the_mask_has_one():
    """A smooth tumor border: across it the accent rises over several pixels, from the lowest to the highest."""
    away = ball()[20]
    picture = (0.3 + 0.4 / (1 + np.exp((away - RADIUS) / 1.5))).astype(np.float32)
    lesion = away < RADIUS
    added = accent(components(picture), border_of(lesion, (1.0, 1.0)).picture())[0, 0].numpy()
    assert added[lesion].max() > 0.04 and added[~lesion].min() < -0.04
    steps = [np.abs(np.diff(added, axis=axis)).max() for axis in (0, 1)]
    assert max(steps) < 0.6 * (added.max() - added.min())
    rim = np.abs(away - RADIUS) < 0.35
    assert np.abs(added[rim]).max() < 0.5 * added.max()  # on the border itself hardly anything is changed


def test_along_a_straight_oblique_border_no_staircase_is_left():
    """Along a line parallel to the border, which crosses the mask's stairs, the accent stays the same."""
    y, x = np.indices((96, 96))
    away = (y - 48 - 0.3 * (x - 48)) / np.hypot(1, 0.3)
    picture = (0.5 - 0.2 * np.tanh(away / 2)).astype(np.float32)
    added = accent(components(picture), border_of(away < 0, (1.0, 1.0)).picture())[0, 0].numpy()
    band = (away > 1.5) & (away < 2.0) & (x > 20) & (x < 76)
    assert added[band].std() < 0.12 * np.abs(added[band]).mean()
    assert np.abs(np.diff(added, axis=0)).max() < np.abs(added).max()  # a cut mask: twice as much


def test_the_accent_is_bounded_and_ends_within_its_reach():
    away = ball()[20]
    lesion = away < RADIUS
    picture = np.where(lesion, 1, 0).astype(np.float32)
    added = accent(components(picture), border_of(lesion, (1.0, 1.0)).picture())[0, 0].numpy()
    assert np.abs(added).max() <= LARGEST_ACCENT
    assert not added[np.abs(away - RADIUS) > REACH_VOXELS + 1.5].any()


def test_where_both_sides_look_alike_nothing_is_drawn():
    even = np.full(SHAPE[1:], 0.4, np.float32)
    added = accent(components(even), border_of(ball()[20] < RADIUS, (1.0, 1.0)).picture())
    assert added.abs().max() < 1e-6
