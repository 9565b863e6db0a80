import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics import band, calibration_scores, coverage, reliability_curve
from monai.metrics.calibration import calibration_binning
from scipy.ndimage import binary_dilation, binary_erosion


@pytest.fixture
def a_box():
    mask = np.zeros((14, 24, 24), bool)
    mask[4:10, 7:17, 7:17] = True
    return mask


def row(*values):
    return np.array(values)[None, None]


def test_the_band_reaches_as_far_in_millimeters_along_every_axis():
    reference = np.zeros((41, 41, 41), bool)
    reference[20, 20, 20] = True
    near = band(reference, (3.0, 1.0, 2.0), width_mm=7.0)
    assert np.flatnonzero(near[:, 20, 20]).tolist() == [18, 19, 20, 21, 22]
    assert np.flatnonzero(near[20, :, 20]).tolist() == list(range(13, 28))
    assert np.flatnonzero(near[20, 20, :]).tolist() == list(range(17, 24))


def test_the_band_leaves_out_the_deep_inside_and_the_far_outside():
    reference = np.zeros((1, 1, 30), bool)
    reference[..., 10:21] = True
    # Centers at most 3 mm from the nearest center across the border: 7-9, 10-12 | 18-20, 21-23.
    near = band(reference, (1, 1, 1), width_mm=3.0)
    assert np.flatnonzero(near).tolist() == [7, 8, 9, 10, 11, 12, 18, 19, 20, 21, 22, 23]


def test_a_reference_without_a_border_has_no_band():
    assert not band(np.zeros((3, 3, 3), bool), (1, 1, 1)).any()
    assert not band(np.ones((3, 3, 3), bool), (1, 1, 1)).any()


def test_scores_are_those_worked_out_by_hand():
    p = row(0.1, 0.1, 0.1, 0.1, 0.9, 0.9)
    y = row(0, 0, 0, 1, 1, 1) > 0
    scores = calibration_scores(p, y, np.ones_like(y))
    assert scores["ece"] == pytest.approx((4 * 0.15 + 2 * 0.1) / 6)
    assert scores["ace"] == pytest.approx((0.15 + 0.1) / 2)
    assert scores["brier"] == pytest.approx((3 * 0.01 + 0.81 + 2 * 0.01) / 6)
    assert scores["nll"] == pytest.approx(-(5 * np.log(0.9) + np.log(0.1)) / 6)


def test_certainty_that_is_wrong_costs_the_clipped_likelihood():
    scores = calibration_scores(row(1.0), row(0) > 0, row(1) > 0)
    assert scores["nll"] == pytest.approx(-np.log(1e-6))
    assert scores["ece"] == 1


def test_only_the_mask_counts():
    p, y = row(0.2, 1.0), row(0, 0) > 0
    assert calibration_scores(p, y, row(1, 0) > 0)["brier"] == pytest.approx(0.04)


def test_an_empty_mask_has_no_calibration():
    y = row(0, 1) > 0
    assert all(np.isnan(v) for v in calibration_scores(row(0.2, 0.3), y, np.zeros_like(y)).values())


def test_refuses_what_is_no_probability_and_another_shape():
    y = row(0, 1) > 0
    with pytest.raises(InputError, match="sigmoid"):
        calibration_scores(row(-2.0, 3.0), y, np.ones_like(y))
    with pytest.raises(InputError, match="sigmoid"):
        calibration_scores(row(np.nan, 0.3), y, np.ones_like(y))
    with pytest.raises(InputError, match="shape"):
        calibration_scores(row(0.5), y, np.ones_like(y))


def test_labels_drawn_from_the_probability_are_calibrated_and_sharpened_ones_are_not():
    rng = np.random.default_rng(0)
    p = rng.random((30, 40, 50))
    y = rng.random(p.shape) < p
    everywhere = np.ones_like(y)
    assert calibration_scores(p, y, everywhere)["ece"] < 0.01
    assert calibration_scores(p**3, y, everywhere)["ece"] > 0.2


def test_the_reliability_curve_agrees_with_monai_bins():
    rng = np.random.default_rng(1)
    p = rng.random((5, 6, 7)) ** 2
    y = rng.random(p.shape) < 0.4
    confidence, frequency, voxels = calibration_binning(torch.tensor(p)[None, None], torch.tensor(y)[None, None], 15)
    occupied = voxels[0, 0] > 0
    curve = reliability_curve(p, y, np.ones_like(y))
    assert curve["confidence"] == pytest.approx(confidence[0, 0][occupied].numpy(), abs=1e-5)
    assert curve["frequency"] == pytest.approx(frequency[0, 0][occupied].numpy(), abs=1e-5)
    assert curve["voxels"].tolist() == voxels[0, 0][occupied].int().tolist()


def test_the_two_ends_of_the_scale_fall_into_the_first_and_the_last_bin():
    curve = reliability_curve(row(0.0, 1.0), row(0, 1) > 0, row(1, 1) > 0)
    assert curve["voxels"].tolist() == [1, 1]
    assert curve["confidence"].tolist() == [0, 1]


def test_contours_on_either_side_and_contours_on_the_surface_itself_cover_it(a_box):
    assert coverage(a_box, binary_erosion(a_box), binary_dilation(a_box), (3, 1, 1)) == 1
    assert coverage(a_box, a_box, a_box, (3, 1, 1)) == 1
    assert coverage(a_box, np.zeros_like(a_box), np.ones_like(a_box), (3, 1, 1)) == 1


def test_contours_that_are_both_too_large_or_both_too_small_cover_nothing(a_box):
    cube = np.ones((3, 3, 3), bool)
    larger, smaller = binary_dilation(a_box, cube, 2), binary_erosion(a_box, cube, 2)
    assert coverage(a_box, larger, np.ones_like(a_box), (3, 1, 1)) == 0
    assert coverage(a_box, np.zeros_like(a_box), smaller, (3, 1, 1)) == 0


def test_coverage_weighs_faces_by_their_area_in_millimeters():
    reference = np.zeros((24, 44, 44), bool)
    reference[2:22, 2:42, 2:42] = True  # 20 x 40 x 40 voxels
    inner = np.zeros_like(reference)
    inner[0:24, 4:40, 4:40] = True  # swallows most of the two k faces, and no j or i face
    spacing_mm = (3.0, 1.0, 1.0)
    # Faces: 2 x 40 x 40 mm2 along k, 4 x 40 x 60 mm2 along j and i; swallowed: elements strictly inside, 35 x 35 mm2.
    expected = 1 - 2 * 35 * 35 / (2 * 40 * 40 + 4 * 40 * 60)
    assert coverage(reference, inner, np.ones_like(reference), spacing_mm) == pytest.approx(expected, abs=0.03)


def test_a_lesion_at_the_border_of_the_image_has_its_surface_there_too():
    reference = np.zeros((4, 6, 6), bool)
    reference[:2] = True
    assert coverage(reference, reference, reference, (1, 1, 1)) == 1
    assert coverage(reference, np.zeros_like(reference), np.zeros_like(reference), (1, 1, 1)) == 0
    # An inner contour round the whole image swallows only the 5 x 5 elements within the face at k = 2, of some 120.
    everywhere = np.ones_like(reference)
    assert coverage(reference, everywhere, everywhere, (1, 1, 1)) == pytest.approx(1 - 25 / 120, abs=0.04)


@pytest.mark.parametrize("axis", range(3))
def test_of_a_single_slice_the_outline_is_covered_not_its_faces(axis):
    """The band holds the first columns of a square, and with them one of its sides and a part of two others."""
    square, band = np.zeros((14, 14), bool), np.zeros((14, 14), bool)
    square[2:12, 2:12], band[:, :4] = True, True
    inner, outer = (np.expand_dims(m, axis) for m in (square & ~band, square | band))
    reference = np.expand_dims(square, axis)
    nothing = np.zeros_like(reference)
    assert coverage(reference, nothing, nothing, (1, 1, 1)) == 0
    assert coverage(reference, nothing, np.ones_like(nothing), (1, 1, 1)) == 1
    assert coverage(reference, inner, outer, (1, 1, 1)) == 1  # contours that lie on the border hold it
    larger = np.expand_dims(binary_dilation(square, np.ones((3, 3))) & ~band, axis)
    corner = np.sqrt(0.5)  # nine elements of 1 mm a side, and one across each corner
    expected = (9 + 2 * 2 + 2 * corner) / (4 * 9 + 4 * corner)
    assert coverage(reference, larger, np.ones_like(nothing), (1, 1, 1)) == pytest.approx(expected)


def test_no_reference_no_coverage():
    nothing = np.zeros((3, 3, 3), bool)
    assert np.isnan(coverage(nothing, nothing, nothing, (1, 1, 1)))
