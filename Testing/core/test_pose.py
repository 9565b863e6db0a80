"""A pose as six numbers, as a matrix, and in words."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.pose import Pose, check_poses

GRID = Grid((11, 21, 31), (1.0, 2.0, 3.0), (-50.0, 20.0, 7.0))
MIDDLE = (-45.0, 40.0, 52.0)


def at(matrix, point):
    return (matrix @ [*point, 1.0])[:3]


def test_a_shift_moves_every_point_by_as_much_to_the_left_the_back_and_the_head():
    matrix = Pose(3, -4, 5).matrix(GRID)
    np.testing.assert_allclose(at(matrix, (10, 20, 30)), (13, 16, 35))


def test_a_turn_leaves_the_middle_of_the_grid_where_it_is():
    matrix = Pose(about_head_degrees=90).matrix(GRID)
    np.testing.assert_allclose(at(matrix, MIDDLE), MIDDLE, atol=1e-12)
    np.testing.assert_allclose(at(matrix, (-35, 40, 52)), (-45, 50, 52), atol=1e-12)  # its left turns to its back


def test_a_pose_comes_back_from_its_matrix():
    pose = Pose(3.5, -20, 8, 12, -5, 40)
    np.testing.assert_allclose(Pose.of_matrix(pose.matrix(GRID), GRID).numbers, pose.numbers, atol=1e-9)


def test_words_say_sides_and_leave_out_what_is_nothing():
    assert Pose(-12, 0, 3).words() == "12.0 mm to the right, 3.0 mm to the head"
    assert Pose(about_back_degrees=-5).words() == "turned -5.0 degrees about the axis to the back"
    assert Pose().words() == "" and Pose().is_still and not Pose(0.1).is_still


@pytest.mark.parametrize("wrong", [(1, 2, 3), "abcdef", (0, 0, 0, 0, 0, float("nan")), (501, 0, 0, 0, 0, 0), None])
def test_what_is_no_pose_is_refused_in_a_sentence(wrong):
    with pytest.raises(InputError, match="the pose"):
        Pose.of(wrong)


def test_poses_of_no_modality_are_refused():
    check_poses({"PET": (0, 0, 0, 0, 0, 0)}, ("PET",))
    with pytest.raises(InputError, match="the poses"):
        check_poses({"XX": (0, 0, 0, 0, 0, 0)}, ("PET",))
    with pytest.raises(InputError, match="the poses"):
        check_poses([1], ("PET",))
