"""Curves of counted voxels, by hand."""

import numpy as np
import pytest
from DiffuFuseMedLib.benchmark.curves import GRID, Counts, mean_precision, mean_roc, pooled, reliability
from DiffuFuseMedLib.metrics import auroc

COUNTS = Counts(np.array([0, 1, 3]), np.array([4, 1, 0]))  # 4 lesion voxels, 5 others, three bins


def test_voxels_are_counted_by_probability():
    probability, reference = np.array([0.0, 0.49, 0.5, 1.0]), np.array([False, True, False, True])
    counts = Counts.of(probability, reference, bins=2)
    assert (counts.lesion.tolist(), counts.other.tolist()) == ([1, 1], [1, 1])
    assert Counts.from_json(counts.as_json()).other.tolist() == [1, 1]


def test_the_roc_curve_and_its_area_by_hand():
    false, true = COUNTS.roc()
    assert false == pytest.approx([0, 0, 0.2, 1])
    assert true == pytest.approx([0, 0.75, 1, 1])
    assert COUNTS.area() == pytest.approx(0.2 * 1.75 / 2 + 0.8)


def test_the_area_is_the_chance_that_a_lesion_voxel_has_the_higher_probability():
    probability = np.random.default_rng(0).integers(0, 10, 400) / 10 + 0.05
    reference = np.random.default_rng(1).random(400) < probability
    assert Counts.of(probability, reference, 10).area() == pytest.approx(auroc(probability, reference))


def test_precision_and_recall_by_hand():
    precision, recall = COUNTS.precision_recall()
    assert precision == pytest.approx([1, 4 / 5, 4 / 9])
    assert recall == pytest.approx([0.75, 1, 1])
    assert COUNTS.average_precision() == pytest.approx(0.75 + 0.25 * 0.8)


def test_where_nothing_is_found_precision_is_one_and_adds_nothing():
    counts = Counts(np.array([0, 2, 0]), np.array([3, 0, 0]))
    assert counts.precision_recall()[0] == pytest.approx([1, 1, 2 / 5])
    assert counts.average_precision() == 1


def test_no_lesion_has_no_area():
    empty = Counts(np.zeros(3, int), np.array([4, 1, 0]))
    assert np.isnan(empty.area()) and np.isnan(empty.average_precision())
    assert np.isnan(Counts(np.array([4, 1, 0]), np.zeros(3, int)).area())


def test_a_mean_curve_counts_every_case_once():
    chance = Counts(np.array([10, 10]), np.array([10, 10]))  # however many voxels it has
    perfect = Counts(np.array([0, 1]), np.array([1, 0]))
    assert mean_roc([chance])[50] == pytest.approx(0.5)
    assert mean_roc([chance, perfect])[50] == pytest.approx(0.75)
    assert mean_precision([chance, perfect])[100] == pytest.approx((0.5 + 1) / 2)


def test_precision_at_a_recall_is_the_best_that_reaches_it():
    counts = Counts(np.array([2, 1, 1]), np.array([0, 6, 1]))  # precision 1/2, 2/9, 4/11 at recall 1/4, 1/2, 1
    values = mean_precision([counts])
    assert values[GRID.searchsorted(0.25)] == pytest.approx(1 / 2)
    assert values[GRID.searchsorted(0.3)] == pytest.approx(4 / 11)
    assert values[0] == pytest.approx(1 / 2)


def test_reliability_curves_are_pooled_by_their_voxels():
    one = {"confidence": [0.25, 0.75], "frequency": [0.0, 1.0], "voxels": [10, 4]}
    other = {"confidence": [0.3], "frequency": [0.5], "voxels": [30]}
    found = pooled([one, other], bins=2)
    assert found["voxels"].tolist() == [40, 4]
    assert found["confidence"] == pytest.approx([(2.5 + 9) / 40, 0.75])
    assert found["frequency"] == pytest.approx([15 / 40, 1.0])


def test_a_reliability_curve_is_kept_as_lists():
    near = np.array([[[True, True, True, False]]])
    found = reliability(np.array([[[0.01, 0.99, 0.99, 0.5]]]), np.array([[[False, True, False, True]]]), near)
    assert found == {"confidence": pytest.approx([0.01, 0.99]), "frequency": [0, 0.5], "voxels": [1, 2]}
