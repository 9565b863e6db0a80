"""Simulated readers: smooth, of the stated size, around the drawn border."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.uncertainty.readers import ReaderModel, ball_radius_mm, redrawn, smooth_field

SPACING = (3.0, 2.0, 2.0)


def fields(count, reach_mm):
    return np.stack([smooth_field((12, 16, 16), SPACING, reach_mm, np.random.default_rng(s)) for s in range(count)])


def test_the_field_has_unit_variance_everywhere():
    spread = fields(600, 6.0).std(axis=0)
    assert 0.8 < spread.min() < spread.max() < 1.2


@pytest.mark.parametrize("reach", [4.0, 8.0])
def test_the_field_is_as_smooth_as_its_reach_says(reach):
    drawn = fields(600, reach)
    for steps in (1, 3):
        correlation = (drawn[..., 8] * drawn[..., 8 - steps]).mean()
        assert correlation == pytest.approx(np.exp(-((2 * steps) ** 2) / (2 * reach) ** 2), abs=0.06)


def test_bias_and_local_part_have_the_sizes_that_the_model_states():
    model = ReaderModel(bias_mm=1.0, bias_power=0.5, local_mm=2.0, local_power=0.0, reach=0.3)
    rng = np.random.default_rng(0)
    moves = np.stack([model.displacement_mm((12, 16, 16), SPACING, 16.0, rng) for _ in range(300)])
    assert model.deviations_mm(16.0) == (4.0, 2.0)
    assert moves.std() == pytest.approx(np.hypot(4, 2), rel=0.1)
    assert moves.mean(axis=(1, 2, 3)).std() == pytest.approx(4, rel=0.2)


def test_of_a_lesion_of_few_voxels_neighbors_move_together_all_the_same():
    """Its reach would be a quarter of a voxel, and the border would be noise; a voxel is the least."""
    model = ReaderModel(bias_mm=0.0, local_mm=1.0, local_power=0.0)
    moves = np.stack(
        [model.displacement_mm((6, 6, 6), (2.0, 2.0, 2.0), 2.0, np.random.default_rng(s)) for s in range(400)]
    )
    assert (moves[..., 3] * moves[..., 2]).mean() == pytest.approx(np.exp(-1 / 4), abs=0.1)


def test_a_voxel_that_the_border_cuts_is_a_share_of_an_edge_of_its_volume():
    """3 x 1 x 1 mm: as a cube it is 1.44 mm wide, half of it lesion at the border, a fifth less 0.3 mm out."""
    drawn = STILL.draws(np.full((2, 2, 2), 0.3), (3.0, 1.0, 1.0), 8.0, np.random.default_rng(0))
    np.testing.assert_allclose(drawn, 0.5 - 0.3 / 3 ** (1 / 3), rtol=1e-5)


def test_larger_lesions_are_drawn_with_larger_differences_that_are_a_smaller_share():
    small, large = (np.hypot(*ReaderModel().deviations_mm(r)) for r in (4.0, 40.0))
    assert small < large < 10 * small


def test_a_border_that_is_moved_outwards_holds_the_ball_of_the_larger_radius():
    at = np.indices((40, 40, 40)) - 19.5
    signed = np.linalg.norm(at, axis=0) - 12
    moved = redrawn(signed, np.full(signed.shape, 3.0), 1.0)
    assert ball_radius_mm(moved.sum()) == pytest.approx(15, abs=0.1)
    assert ball_radius_mm(redrawn(signed, np.zeros(signed.shape), 1.0).sum()) == pytest.approx(12, abs=0.1)


BALL = np.linalg.norm(np.indices((24, 24, 24)) - 11.5, axis=0) - 8
STILL = ReaderModel(bias_mm=0.0, local_mm=0.0, missed_radii=0.5)


def test_a_reader_who_moves_no_border_draws_the_lesion():
    drawn = STILL.draws(BALL, (1.0, 1.0, 1.0), 8.0, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, redrawn(BALL, np.zeros(BALL.shape), 1.0))


def test_readers_miss_a_part_as_often_as_the_model_states():
    """A ball of 4 mm around a point of the border, of which somewhat less than half lies in the lesion of 8 mm."""
    rng, whole = np.random.default_rng(0), redrawn(BALL, np.zeros(BALL.shape), 1.0)
    model = replace(STILL, missed=0.3)
    lost = np.array([(whole - model.draws(BALL, (1.0, 1.0, 1.0), 8.0, rng)).sum() for _ in range(200)])
    assert (lost > 0).mean() == pytest.approx(0.3, abs=0.1)
    ball = 4 / 3 * np.pi * 4**3
    assert 0.2 * ball < lost[lost > 0].mean() < 0.6 * ball


def test_the_missed_part_is_measured_in_mm():
    """Voxels twice as long along k: the ball is as long in mm, so it is half as many voxels."""
    signed = np.linalg.norm((np.indices((12, 24, 24)) - 11.5) * np.array([2, 1, 1])[:, None, None, None], axis=0) - 100
    signed[6, 12, 12] = 0.0  # the one point of the border
    part = replace(STILL, missed=1.0)._missed_part(signed, (2.0, 1.0, 1.0), 8.0, np.random.default_rng(0))
    assert np.ptp(np.argwhere(part), axis=0).tolist() == [2, 6, 6]


def test_where_no_border_is_in_view_nothing_is_missed():
    model = replace(STILL, missed=1.0)
    assert model.draws(np.full((4, 4, 4), -50.0), (1.0, 1.0, 1.0), 8.0, np.random.default_rng(0)).all()
