import numpy as np
import pytest
import surface_distance
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics import overlap_scores

SPACING_MM = (3.27, 0.98, 0.98)


def box(shape, *ranges):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, b) for a, b in ranges)] = True
    return mask


@pytest.fixture
def a_box():
    return box((12, 24, 24), (3, 8), (6, 16), (6, 16))


def test_counts_overlap_as_worked_out_by_hand():
    reference = box((4, 4, 4), (1, 3), (1, 3), (1, 3))  # 8 voxels
    prediction = box((4, 4, 4), (1, 3), (1, 3), (1, 2))  # 4 of them
    scores = overlap_scores(prediction, reference, (1, 1, 1))
    assert scores["dice"] == pytest.approx(8 / 12)
    assert scores["iou"] == pytest.approx(4 / 8)
    assert scores["precision"] == 1
    assert scores["recall"] == 0.5


def test_tells_precision_from_recall(a_box):
    bigger = box(a_box.shape, (3, 8), (6, 16), (6, 20))
    scores = overlap_scores(bigger, a_box, SPACING_MM)
    assert scores["precision"] == pytest.approx(10 / 14)
    assert scores["recall"] == 1


def test_a_mask_agrees_with_itself(a_box):
    scores = overlap_scores(a_box, a_box, SPACING_MM)
    assert scores == {"dice": 1, "iou": 1, "precision": 1, "recall": 1, "hd95_mm": 0, "nsd_2mm": 1}


@pytest.mark.parametrize(("axis", "expected_mm"), [(0, 3.27), (1, 0.98), (2, 0.98)])
def test_a_shift_by_one_voxel_is_as_far_as_the_voxel_is_long(axis, expected_mm, a_box):
    scores = overlap_scores(np.roll(a_box, 1, axis), a_box, SPACING_MM)
    assert scores["hd95_mm"] == pytest.approx(expected_mm, abs=1e-4)


def test_a_shift_under_the_tolerance_keeps_the_surface_and_one_over_it_does_not(a_box):
    assert overlap_scores(np.roll(a_box, 1, 1), a_box, SPACING_MM)["nsd_2mm"] == 1
    assert overlap_scores(np.roll(a_box, 1, 0), a_box, SPACING_MM)["nsd_2mm"] < 0.9


@pytest.mark.parametrize("axis", range(3))
def test_in_a_single_slice_distances_are_those_of_outlines(axis):
    """A square of 4 pixels in the middle of one of 10, with 2 mm to a pixel: 6 mm between sides, 8.5 between
    corners. The faces of the slice, one within the other, are no part of it, however thick it is."""
    spacing = [2.0, 2.0, 2.0]
    spacing[axis] = 50.0
    large, small = np.zeros((14, 20), bool), np.zeros((14, 20), bool)
    large[2:12, 2:12], small[5:9, 5:9] = True, True
    found = overlap_scores(np.expand_dims(large, axis), np.expand_dims(small, axis), spacing)
    assert found["dice"] == pytest.approx(32 / 116)
    assert 6 <= found["hd95_mm"] < 8.5
    assert found["nsd_2mm"] == 0
    assert overlap_scores(np.expand_dims(large, axis), np.expand_dims(large, axis), spacing)["nsd_2mm"] == 1


def test_two_empty_masks_agree():
    nothing = np.zeros((3, 4, 5), bool)
    scores = overlap_scores(nothing, nothing, SPACING_MM)
    assert scores == {"dice": 1, "iou": 1, "precision": 1, "recall": 1, "hd95_mm": 0, "nsd_2mm": 1}


@pytest.mark.parametrize("prediction_is_empty", [True, False])
def test_one_empty_mask_scores_zero_and_the_diagonal_of_the_image(prediction_is_empty):
    masks = [np.zeros((3, 4, 12), bool), box((3, 4, 12), (0, 1), (0, 1), (0, 1))]
    scores = overlap_scores(*(masks if prediction_is_empty else masks[::-1]), (1, 1, 1))
    assert scores == {"dice": 0, "iou": 0, "precision": 0, "recall": 0, "hd95_mm": 13, "nsd_2mm": 0}


def test_refuses_masks_of_different_shapes_and_masks_that_are_not_bool():
    with pytest.raises(InputError, match="one shape"):
        overlap_scores(np.zeros((2, 2, 2), bool), np.zeros((2, 2, 3), bool), (1, 1, 1))
    with pytest.raises(InputError, match="float64"):
        overlap_scores(np.zeros((2, 2, 2)), np.zeros((2, 2, 2), bool), (1, 1, 1))


# The package is older than numpy 2 and scipy's flat ndimage namespace; it still computes.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("shift", [(1, 3, 2), (0, -7, 5), (-2, 0, 0), (40, 0, 0)])
def test_agrees_with_deepminds_surface_distance_on_a_real_lesion(shift, a_real_case):
    """To 1e-3 mm and 1e-5: both use the same surface elements, MONAI in float32."""
    reference = a_real_case.reference_mask.array > 0
    prediction, spacing_mm = np.roll(reference, shift, (0, 1, 2)), a_real_case.grid.spacing_kji_mm
    theirs = surface_distance.compute_surface_distances(reference, prediction, spacing_mm)
    ours = overlap_scores(prediction, reference, spacing_mm)
    assert ours["hd95_mm"] == pytest.approx(surface_distance.compute_robust_hausdorff(theirs, 95), abs=1e-3)
    expected = surface_distance.compute_surface_dice_at_tolerance(theirs, 2.0)
    assert ours["nsd_2mm"] == pytest.approx(expected, abs=1e-5)
