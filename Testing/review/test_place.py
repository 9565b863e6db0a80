"""Words for where a region lies: the patient's directions, whichever way the image was cut."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.review.place import Landmarks

SIZE, RADIUS_MM = 61, 20.0


def ball(grid, center_lps=(0.0, 0.0, 0.0), radius_mm=RADIUS_MM):
    k, j, i = np.indices(grid.shape)
    points = grid.to_physical(np.stack([i, j, k], axis=-1))
    return np.linalg.norm(points - np.array(center_lps), axis=-1) < radius_mm


def centered(direction=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)):
    """1 mm voxels whose middle is at the origin of LPS."""
    origin = -(np.reshape(direction, (3, 3)) @ np.full(3, SIZE // 2))
    return Grid((SIZE,) * 3, (1.0, 1.0, 1.0), tuple(origin), direction)


TURN = np.deg2rad(30)
GRIDS = {
    "straight": centered(),
    "coronal, from the feet": centered((1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0)),
    "flipped": centered((-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)),
    "oblique": centered((np.cos(TURN), 0.0, np.sin(TURN), 0.0, 1.0, 0.0, -np.sin(TURN), 0.0, np.cos(TURN))),
}
PLACES = {
    (20, 0, 0): "left border",
    (-20, 0, 0): "right border",
    (0, 20, 0): "posterior border",
    (0, -20, 0): "anterior border",
    (0, 0, 20): "upper border",
    (0, 0, -20): "lower border",
    (14, 0, 14): "upper left border",
    (0, -14, -14): "lower anterior border",
    (0, 11, 0): "inside, posterior",
    (0, 0, 0): "inside, central",
    (-19, 0, -19): "outside, lower right",
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_the_words_are_those_of_the_patient(grid):
    landmarks = Landmarks(ball(grid), grid, grid)
    said = {at: landmarks.place(np.argwhere(ball(grid, at, 3.0))) for at in PLACES}
    assert said == PLACES


def test_a_region_that_holds_the_lesion_is_about_the_whole_of_it():
    grid = centered()
    landmarks = Landmarks(ball(grid, radius_mm=6), grid, grid)
    assert landmarks.place(np.argwhere(ball(grid, radius_mm=8))) == "whole lesion"
    assert landmarks.place(np.argwhere(ball(grid, radius_mm=3))) == "central border"


def test_a_separate_part_is_said_to_be_one_and_where():
    grid = centered()
    main, part = ball(grid, (-10, 0, 0), 14), ball(grid, (24, 0, 0), 4)
    landmarks = Landmarks(main | part, grid, grid)
    assert landmarks.place(np.argwhere(part)) == "whole separate part, left"
    # Beside the main part, not beside the middle of both.
    assert landmarks.place(np.argwhere(ball(grid, (-24, 0, 0), 2))) == "right border"


def test_without_a_lesion_the_place_is_that_in_the_image():
    grid = centered()
    landmarks = Landmarks(np.zeros(grid.shape, bool), grid, grid)
    assert landmarks.place(np.argwhere(ball(grid, (0, 0, -24), 3))) == "no lesion called, lower"


def test_a_lesion_that_fills_the_image_has_only_an_inside():
    grid = centered()
    landmarks = Landmarks(np.ones(grid.shape, bool), grid, grid)
    assert landmarks.place(np.argwhere(ball(grid, (0, 0, 20), 3))) == "inside, upper"
