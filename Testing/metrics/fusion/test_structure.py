import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.fusion import roi_psnr, roi_ssim, ssim_map, ssim_sum


def ones(shape=(64, 64)):
    return np.ones(shape, bool)


def test_two_flat_pictures_differ_in_luminance_alone():
    # (2 * 100 * 200 + 6.5025) / (100^2 + 200^2 + 6.5025), contrast and structure are 1
    similarity = ssim_map(np.full((9, 9), 100.0), np.full((9, 9), 200.0))
    assert similarity == pytest.approx(np.full((9, 9), 40006.5025 / 50006.5025))


def test_ssim_in_the_middle_of_one_window():
    # One bright pixel of 70 in 7 x 7 against the same of 140: means 10/7 and 20/7; sums of squares 4900 and 19600, so
    # sample variances (4900 - 49 * (10/7)^2) / 48 = 100 and 400, covariance 200.
    f, a = np.zeros((2, 7, 7))
    f[3, 3], a[3, 3] = 70, 140
    c1, c2 = 2.55**2, 7.65**2
    luminance = (2 * 200 / 49 + c1) / (500 / 49 + c1)
    assert ssim_map(f, a)[3, 3] == pytest.approx(luminance * (400 + c2) / (500 + c2))
    assert ssim_sum(f, a, a) == pytest.approx(2 * luminance * (400 + c2) / (500 + c2))


def test_the_sum_leaves_out_windows_that_reach_over_the_border(textures):
    f, a, b = textures
    wanted = ssim_map(f, a)[3:-3, 3:-3].mean() + ssim_map(f, b)[3:-3, 3:-3].mean()
    assert ssim_sum(f, a, b) == pytest.approx(wanted)
    assert ssim_sum(a, a, a) == pytest.approx(2)


def test_inside_a_region_only_windows_around_its_pixels_count(textures):
    f, a, _ = textures
    mask = ~ones()
    mask[:, :20] = True
    f = np.where(np.arange(64) < 23, a, f)  # the windows of column 19 reach to column 22
    assert roi_ssim(f, a, mask) == pytest.approx(1)
    mask[:, :21] = True
    assert roi_ssim(f, a, mask) < 0.999


def test_psnr_of_an_error_of_a_tenth_of_white_is_twenty_decibels():
    a = np.full((4, 4), 100.0)
    mask = ones((4, 4))
    assert roi_psnr(a + 25.5, a, mask) == pytest.approx(20)
    mask[0] = False
    a[0] = 0  # wrong outside of the region
    assert roi_psnr(np.full((4, 4), 125.5), a, mask) == pytest.approx(20)


def test_psnr_ends_at_sixty_decibels():
    a = np.full((4, 4), 100.0)
    assert roi_psnr(a, a, ones((4, 4))) == pytest.approx(60)
    assert roi_psnr(a + 0.1, a, ones((4, 4))) == pytest.approx(60)
    assert roi_psnr(a + 0.3, a, ones((4, 4))) == pytest.approx(20 * np.log10(255 / 0.3))


def test_an_empty_region_has_no_score(textures):
    f, a, _ = textures
    assert np.isnan(roi_ssim(f, a, ~ones()))
    assert np.isnan(roi_psnr(f, a, ~ones()))


@pytest.mark.parametrize("mask", [np.ones((64, 64)), np.ones((63, 64), bool)])
def test_refuses_what_is_no_mask_of_the_picture(textures, mask):
    with pytest.raises(InputError, match="bool mask of shape"):
        roi_ssim(*textures[:2], mask)


def test_refuses_a_picture_without_a_window_for_the_sum():
    with pytest.raises(InputError, match="7 x 7 pixels or more"):
        ssim_sum(*np.zeros((3, 6, 20)))
