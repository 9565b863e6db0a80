"""How often a reader tells synthetic from real, beside guessing."""

import math

import pytest
from DiffuFuseMedLib.metrics.reader_study import reader_score


def test_by_hand():
    synthetic = [True, True, True, False, False]
    said = [True, True, False, False, True]
    score = reader_score(synthetic, said, [3, 1, 2, 3, 1])
    assert (score.answered, score.right) == (5, 3)
    assert (score.sensitivity, score.specificity) == (pytest.approx(2 / 3), 0.5)
    # suspicion 3, 1, -2 of the synthetic, -3, 1 of the real ones: of six pairs 3 > -3, 3 > 1, 1 > -3, 1 = 1, -2 > -3
    assert score.auroc == pytest.approx(4.5 / 6)
    assert score.p == pytest.approx(1.0)  # three or two of five are as likely as it gets
    # Wilson, z = 1.96: (0.6 + 0.3842 -+ 0.5532) / 1.7683
    assert (score.low, score.high) == (pytest.approx(0.2307, abs=1e-3), pytest.approx(0.8824, abs=1e-3))


def test_all_of_ten_right_is_no_guessing():
    score = reader_score([True] * 5 + [False] * 5, [True] * 5 + [False] * 5, [1] * 10)
    assert score.p == pytest.approx(2 / 2**10) and score.auroc == 1.0
    assert (score.sensitivity, score.specificity) == (1.0, 1.0)


def test_of_one_kind_there_is_no_specificity_and_no_curve():
    score = reader_score([True, True], [True, False], [1, 1])
    assert score.sensitivity == 0.5 and math.isnan(score.specificity) and math.isnan(score.auroc)
