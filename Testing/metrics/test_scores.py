from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.lesion import uptake_totals
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.metrics import band, calibration_scores, overlap_scores, score_case, score_mask, score_set
from scipy.ndimage import binary_dilation, binary_erosion


def predict(case, mask, volume_ml):
    """A prediction of `mask`, 0.9 sure, with contours one voxel in and out."""
    probability = np.where(mask, 0.9, 0.1).astype(np.float32)
    inner, outer = binary_erosion(mask), binary_dilation(mask)
    return Prediction(case.grid, probability, mask.astype(np.uint8), {}, inner, outer, {}, volume_ml)


@pytest.fixture
def a_lesion(a_tiny_case):
    return a_tiny_case.reference_mask.array > 0  # 4 x 6 x 6 voxels of 12 mm3: 1.728 mL


def test_a_perfect_prediction_scores_perfectly(a_tiny_case, a_lesion):
    scores = score_case(predict(a_tiny_case, a_lesion, Interval(1.7, 1.5, 1.9, "mL")), a_tiny_case)
    assert scores["dice"] == scores["nsd_2mm"] == scores["coverage"] == 1
    assert scores["hd95_mm"] == 0
    assert scores["ece"] == pytest.approx(0.1, abs=1e-6)
    assert scores["brier"] == pytest.approx(0.01, abs=1e-6)
    assert (scores["volume_ml"], scores["volume_low_ml"], scores["volume_high_ml"]) == (1.7, 1.5, 1.9)
    assert scores["reference_volume_ml"] == pytest.approx(1.728)
    assert scores["volume_hit"] is True
    assert scores["volume_high_to_low"] == pytest.approx(1.9 / 1.5)


def test_an_interval_from_nothing_on_has_no_width_as_a_ratio(a_tiny_case, a_lesion):
    scores = score_case(predict(a_tiny_case, a_lesion, Interval(1.7, 0.0, 1.9, "mL")), a_tiny_case)
    assert scores["volume_hit"] is True
    assert "volume_high_to_low" not in scores


@pytest.mark.parametrize(("low", "high", "hit"), [(1.8, 2.0, False), (1.0, 1.7, False), (1.728, 2.0, True)])
def test_the_volume_interval_holds_or_not(low, high, hit, a_tiny_case, a_lesion):
    scores = score_case(predict(a_tiny_case, a_lesion, Interval(1.7, low, high, "mL")), a_tiny_case)
    assert scores["volume_hit"] is hit


def test_the_intervals_of_numbers_in_pet_hold_or_not(a_tiny_case, a_lesion):
    drawn = uptake_totals(a_lesion, a_tiny_case)
    around = {name: Interval(value, 0.9 * value, 1.1 * value, "") for name, value in drawn.items()}
    made = predict(a_tiny_case, a_lesion, Interval(1.7, 1.5, 1.9, "mL"))
    scores = score_case(replace(made, uptake=around), a_tiny_case)
    assert (scores["suv_mean_hit"], scores["mtv_hit"], scores["tlg_hit"]) == (True, True, True)
    low = {name: Interval(value, 0.1 * value, 0.9 * value, "") for name, value in drawn.items()}
    told = {**around, "suv_mean": low["suv_mean"], "mtv_ml": around["mtv_ml"].without_ends("why")}
    scores = score_case(replace(made, uptake=told), a_tiny_case)
    assert scores["suv_mean_hit"] is False and scores["tlg_hit"] is True and "mtv_hit" not in scores


def test_a_prediction_elsewhere_is_not_covered(a_tiny_case, a_lesion):
    moved = np.roll(a_lesion, (6, 6), axis=(1, 2))
    scores = score_case(predict(a_tiny_case, moved, Interval(1.7, 1.5, 1.9, "mL")), a_tiny_case)
    assert scores["dice"] == 0
    assert scores["coverage"] < 0.2


def test_is_made_of_the_parts_on_a_real_case(a_real_case):
    case, reference = a_real_case, a_real_case.reference_mask.array > 0
    mask = np.roll(reference, (1, 4, 0), (0, 1, 2))
    prediction, spacing_mm = predict(case, mask, Interval(1.0, 0.5, 2.0, "mL")), case.grid.spacing_kji_mm
    scores = score_case(prediction, case)
    near = band(reference, spacing_mm)
    expected = {
        **overlap_scores(mask, reference, spacing_mm),
        **calibration_scores(prediction.probability, reference, near),
    }
    assert {k: scores[k] for k in expected} == expected
    assert 0 < scores["coverage"] < 1
    assert {type(v) for v in scores.values()} == {float, bool}  # what JSON can hold


def test_a_trivial_row_without_a_probability_has_no_calibration(a_tiny_case, a_lesion):
    assert list(score_mask(a_lesion, a_tiny_case)) == ["dice", "iou", "precision", "recall", "hd95_mm", "nsd_2mm"]


def test_refuses_another_grid_no_reference_and_another_unit(a_tiny_case, a_lesion):
    prediction = predict(a_tiny_case, a_lesion, Interval(1.7, 1.5, 1.9, "mL"))
    with pytest.raises(InputError, match="reference mask"):
        score_case(prediction, replace(a_tiny_case, reference_mask=None))
    with pytest.raises(InputError, match="grid"):
        score_case(replace(prediction, grid=Grid((20, 20, 12))), a_tiny_case)
    with pytest.raises(InputError, match="mL"):
        score_case(replace(prediction, volume_ml=Interval(1700, 1500, 1900, "mm3")), a_tiny_case)


def several(case, lesion):
    """The case drawn by two: as it was, and one voxel less wide."""
    mask = case.reference_mask
    masks = {"reader 1": lesion, "reader 2": binary_erosion(lesion)}
    return case.with_references({name: mask.with_array(drawn.astype(np.uint8)) for name, drawn in masks.items()})


def test_a_prediction_is_scored_against_every_annotator(a_tiny_case, a_lesion):
    case = several(a_tiny_case, a_lesion)
    prediction = replace(predict(case, a_lesion, Interval(1.7, 1.5, 1.9, "mL")), sample_volumes_ml=(1.728, 1.728))
    found = score_set(prediction, case)
    assert found.names == ("reader 1", "reader 2")
    assert found.lesion["reader 1"]["dice"] == 1
    assert found.lesion["reader 2"]["dice"] == found.dice[0, 1] == pytest.approx(2 * 32 / (144 + 32))
    # the volumes of both are 0 and 112 voxels of 12 mm3 away
    assert found.of_set["crps_ml"] == pytest.approx(0.112 * 12 / 2)
    assert found.of_set["ece"] > 0


def test_a_case_with_one_reference_has_no_set(a_tiny_case, a_lesion):
    assert score_set(predict(a_tiny_case, a_lesion, Interval(1.7, 1.5, 1.9, "mL")), a_tiny_case) is None
