"""Several annotators of one lesion: how far they agree, their consensus, and a prediction against all of them."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.agreement import agreement_rows, agreement_words, colors_of, pair_rows, set_rows
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics import band, calibration_scores, overlap_scores
from DiffuFuseMedLib.metrics.agreement import (
    agreement,
    calibration_of_set,
    majority,
    staple,
    volume_crps,
    with_lesion,
)

SPACING = (3.0, 2.0, 2.0)


def box(k, j, i, shape=(6, 20, 20)):
    mask = np.zeros(shape, bool)
    mask[slice(*k), slice(*j), slice(*i)] = True
    return mask


A, B = box((1, 5), (5, 15), (5, 15)), box((1, 5), (5, 15), (6, 16))  # 400 voxels each, 360 of both
SMALL, EMPTY = box((1, 5), (5, 15), (5, 10)), box((0, 0), (0, 0), (0, 0))


@pytest.fixture
def three():
    return agreement({"reader 1": A, "reader 2": B, "reader 3": SMALL}, SPACING)


def test_every_pair_is_compared(three):
    """Dice of A and B is 360 / 400, of A and the half of it 400 / 600, of B and that half 2 * 160 / 600."""
    np.testing.assert_allclose(three.dice, [[1, 0.9, 2 / 3], [0.9, 1, 320 / 600], [2 / 3, 320 / 600, 1]])
    assert three.nsd[0, 1] == three.nsd[1, 0] == overlap_scores(A, B, SPACING)["nsd_2mm"] == 1  # moved by 2 mm
    assert three.nsd[0, 2] < 1
    assert three.mean_dice == pytest.approx((0.9 + 2 / 3 + 320 / 600) / 3)
    assert three.with_others(three.dice)[0] == pytest.approx((0.9 + 2 / 3) / 2)


def test_volumes_are_in_ml_and_their_spread_a_share(three):
    assert three.volumes_ml == pytest.approx((4.8, 4.8, 2.4))  # voxels of 12 mm3
    assert three.volume_spread == pytest.approx(np.std([4.8, 4.8, 2.4], ddof=1) / 4)


def test_the_majority_is_what_more_than_half_drew(three):
    np.testing.assert_array_equal(majority([A, B, SMALL]), (A & B) | (A & SMALL))
    assert three.majority_ml == pytest.approx(4.8)  # 360 of both, and 40 that A shares with the small one alone


def test_of_two_annotators_the_majority_is_what_both_drew():
    np.testing.assert_array_equal(majority([A, B]), A & B)


def test_staple_trusts_those_who_agree_more_than_one_who_stands_alone():
    wide = box((0, 6), (0, 20), (0, 20))
    consensus = staple([A, A.copy(), B, wide], SPACING)
    assert consensus[A & B].all()
    assert not consensus[~(A | B)].any()


def test_the_consensus_is_what_is_more_probable_than_not():
    """Three readers who err in a quarter of the voxels: STAPLE calls some of them lesion with a fifth to a fourth."""
    rng, drawn = np.random.default_rng(1), box((0, 1), (1, 5), (1, 5), (1, 6, 6))
    masks = [drawn ^ (rng.random(drawn.shape) < 0.25) for _ in range(3)]
    probability = sitk.GetArrayFromImage(sitk.STAPLE([sitk.GetImageFromArray(m.astype(np.uint8)) for m in masks], 1.0))
    doubtful = (probability > 0.2) & (probability < 0.5)
    assert doubtful.any()
    np.testing.assert_array_equal(staple(masks, SPACING), probability > 0.5)


def test_staple_does_not_depend_on_how_much_background_there_is():
    large = [np.pad(mask, ((0, 0), (40, 40), (40, 40))) for mask in (A, B, SMALL)]
    np.testing.assert_array_equal(staple(large, SPACING)[:, 40:-40, 40:-40], staple([A, B, SMALL], SPACING))


@pytest.mark.parametrize("masks", [(EMPTY, EMPTY), (A, A.copy())], ids=["empty", "equal"])
def test_masks_that_are_all_the_same_are_their_own_consensus(masks):
    np.testing.assert_array_equal(staple(masks, SPACING), masks[0])


def test_one_who_drew_nothing_counts():
    found = agreement({"a": A, "b": EMPTY, "c": EMPTY}, SPACING)
    assert found.dice.tolist() == [[1, 0, 0], [0, 1, 1], [0, 1, 1]]
    assert found.nsd[1, 2] == 1
    assert found.majority_ml == 0
    assert np.isnan(agreement({"b": EMPTY, "c": EMPTY}, SPACING).volume_spread)


@pytest.mark.parametrize("given", [{}, {"a": A}])
def test_one_annotator_agrees_with_nobody(given):
    with pytest.raises(InputError, match=f"Given the masks of {len(given)} annotators, wanted at least two"):
        agreement(given, SPACING)


def test_a_lesion_is_scored_against_each_and_against_both_consensuses(three):
    found = with_lesion(three, A, {"reader 1": A, "reader 2": B, "reader 3": SMALL}, SPACING).lesion
    assert list(found) == ["reader 1", "reader 2", "reader 3", "majority", "STAPLE"]
    assert found["reader 2"]["dice"] == pytest.approx(0.9)
    assert found["reader 3"]["recall"] == 1
    assert found["majority"]["dice"] == 1
    assert found["STAPLE"]["dice"] > 0.8


def test_what_is_shown_of_them_is_words(three):
    """Reader 1 agrees by (0.9 + 2/3) / 2 = 0.78 with the others; volumes differ by 1.386 / 4 of their mean."""
    rows = agreement_rows(three)
    assert [row["name"] for row in rows] == [*three.names, "majority", "STAPLE"]
    assert (rows[0]["volume"], rows[0]["dice"], rows[0]["lesion_dice"]) == ("4.80 mL", "0.78", "")
    assert rows[3]["dice"] == ""
    assert agreement_words(three).startswith("3 annotators: mean pairwise Dice 0.70, surface Dice at 2 mm 0.")
    assert agreement_words(three).endswith("; their volumes differ by 35 % (SD / mean).")
    names, cells = zip(*pair_rows(three), strict=True)
    assert names == three.names
    assert cells[0][:2] == ["", "0.90"]
    assert cells[1][0] == "1.00"  # the surface Dice of the same two
    shown = with_lesion(three, A, {"reader 1": A, "reader 2": B, "reader 3": SMALL}, SPACING)
    assert agreement_rows(shown)[1]["lesion_dice"] == "0.90"
    assert agreement_rows(shown)[0]["lesion_hd95"] == "0.0 mm"


def test_what_is_said_of_all_at_once_has_its_unit(three):
    assert set_rows(replace(three, of_set={"crps_ml": 1.25, "ece": 0.0625})) == [
        ("ECE in the band", "0.062"),
        ("CRPS of the volume", "1.2 mL"),
    ]


def test_nine_annotators_have_eight_colors():
    colors = list(colors_of([f"reader {n}" for n in range(9)]).values())
    assert len(set(colors)) == 8
    assert colors[8] == colors[0]


def test_a_probability_is_right_where_it_is_the_share_of_annotators():
    """Two drew A, one drew B: a voxel of A alone is lesion to two of three, and always to the first."""
    probability = (2 * A.astype(float) + B) / 3
    assert calibration_of_set(probability, [A, A, B], SPACING)["ece"] == pytest.approx(0)
    alone = calibration_scores(probability, A, band(A, SPACING))
    assert calibration_of_set(probability, [A], SPACING) == alone
    assert alone["ece"] > 0


def test_an_annotator_without_a_border_has_no_band():
    probability = np.where(A, 0.9, 0.1)
    assert calibration_of_set(probability, [A, EMPTY], SPACING) == calibration_of_set(probability, [A], SPACING)
    assert all(np.isnan(x) for x in calibration_of_set(probability, [EMPTY], SPACING).values())


def test_volumes_are_scored_against_every_annotator():
    """8 and 12 mL against 10: 1 mL; against 20: 10 - 1."""
    assert volume_crps([8.0, 12.0], [10.0, 20.0]) == pytest.approx((1 + 9) / 2)
