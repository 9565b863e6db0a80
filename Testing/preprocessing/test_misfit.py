"""Images that lie beside each other are told of, those that fit are not."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.case import Alignment, Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.resampling import onto, valid_mask
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.misfit import Nearby, nearby, with_misfits
from DiffuFuseMedLib.preprocessing.quality import doubts, quality_report
from scipy import ndimage

GRID = Grid((40, 40, 30), (4.0, 4.0, 4.0))


def noise(seed, smooth=3.0):
    values = np.random.default_rng(seed).normal(size=GRID.shape)
    return ndimage.gaussian_filter(values, smooth).astype(np.float32) * 1000


@pytest.fixture(scope="module")
def ct():
    return Volume(noise(1), GRID, "CT")


def moved(volume, shift_mm, degrees=0.0):
    """Another look at the same anatomy, `shift_mm` (LPS) away and turned about the middle."""
    there = sitk.Euler3DTransform()
    there.SetCenter(GRID.to_physical((np.array(GRID.size) - 1) / 2))
    there.SetRotation(0, 0, float(np.radians(degrees)))
    there.SetTranslation([-mm for mm in shift_mm])
    on, valid = onto(volume, GRID, there, np.ones(GRID.shape, bool))
    return Volume(np.abs(on.array) + 1, GRID, "PET"), valid


def found(ct, shift_mm, degrees=0.0):
    other, valid = moved(ct, shift_mm, degrees)
    return nearby(ct, other, (np.ones(GRID.shape, bool), valid))


def a_case(ct, other, valid):
    everywhere = np.ones(GRID.shape, bool)
    lies = Alignment(False, np.eye(4), 1.0, 1.0)
    volumes, masks = {"CT": ct, "PET": other}, {"CT": everywhere, "PET": valid}
    return Case("case", GRID, "CT", volumes, masks, {"CT": lies, "PET": lies})


def test_an_image_in_its_place_is_no_misfit(ct):
    assert not found(ct, (0, 0, 0)).is_misfit


def test_a_shift_is_found_with_the_way_back(ct):
    best = found(ct, (20, -12, 8))
    assert best.is_misfit and not best.turned
    np.testing.assert_allclose(best.move_mm, (-20, 12, -8), atol=0.5)
    assert best.distance_mm == pytest.approx(24.7, abs=0.5)


def test_the_way_back_follows_the_directions_of_the_grid(ct):
    mirrored = replace(GRID, direction=(-1, 0, 0, 0, -1, 0, 0, 0, 1))
    other, valid = moved(ct, (20, 0, 0))
    on = (replace(volume, grid=mirrored) for volume in (ct, other))
    best = nearby(*on, (np.ones(GRID.shape, bool), valid))
    np.testing.assert_allclose(best.move_mm, (20, 0, 0), atol=0.5)


def test_a_turn_is_found(ct):
    best = found(ct, (0, 0, 0), degrees=6)
    assert best.turned and best.gain > 0.3


@pytest.mark.parametrize(("distance_mm", "there", "told"), [(8, 1.16, True), (7.9, 2.0, False), (15, 1.14, False)])
def test_only_what_is_far_and_fits_much_better_is_told_of(distance_mm, there, told):
    assert Nearby(np.zeros(3), False, distance_mm, (1.0, there)).is_misfit == told


def test_the_same_images_give_the_same_answer(ct):
    first, second = found(ct, (8, 0, 0)), found(ct, (8, 0, 0))
    assert first.mutual_information == second.mutual_information and first.distance_mm == second.distance_mm


def test_too_little_in_common_says_nothing(ct):
    sliver = np.zeros(GRID.shape, bool)
    sliver[0, 0, :] = True
    assert nearby(ct, ct, (np.ones(GRID.shape, bool), sliver)) is None


def test_the_case_and_its_report_tell_of_the_image_the_way_and_what_to_do(ct):
    case = with_misfits(a_case(ct, *moved(ct, (20, 0, 0))))
    [sentence] = doubts(case)
    start = "PET does not seem to lie on CT: it would fit better about 20 mm away (20.0 mm to the right; mutual "
    assert sentence.startswith(start)
    assert sentence.endswith("then register PET or move it by hand.")
    assert f"Warning: {sentence}" in quality_report(case)


def test_a_case_that_fits_has_nothing_to_tell(ct):
    case = with_misfits(a_case(ct, *moved(ct, (0, 0, 0))))
    assert doubts(case) == [] and not any("seem" in line for line in quality_report(case))


def test_a_constant_image_is_no_misfit(ct):
    flat = Volume(np.zeros(GRID.shape, np.float32), GRID, "PET")
    assert doubts(with_misfits(a_case(ct, flat, valid_mask(flat)))) == []


@pytest.mark.parametrize(
    ("distance_mm", "there", "told"), [(16.0, 1.04, True), (16.0, 1.02, False), (15.9, 1.1, False)]
)
def test_far_away_a_smaller_gain_is_told_of(distance_mm, there, told):
    assert Nearby(np.zeros(3), False, distance_mm, (1.0, there)).is_misfit is told
