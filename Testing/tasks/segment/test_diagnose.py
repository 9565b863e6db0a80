"""diagnose: each figure moves with what it is meant to tell, and the command prints them."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.tasks.segment import diagnose
from DiffuFuseMedLib.tasks.segment.predict import Drawn, assemble
from DiffuFuseMedLib.tasks.segment.settings import Settings

GRID = Grid((24, 24, 24), (3.0, 3.0, 3.0))
PLAIN = {"scale": 1.0, "offset": 0.0, "contour_width": 1.0}


def ball(radius, center=11.5):
    return np.linalg.norm(np.indices((24, 24, 24)) - center, axis=0) < radius


@pytest.fixture
def a_ball():
    ct = Volume(np.zeros((24, 24, 24), np.float32), GRID, "CT")
    drawn = Volume(ball(7).astype(np.uint8), GRID, "GTV")
    return Case("ball", GRID, "CT", {"CT": ct}, {"CT": np.ones((24, 24, 24), bool)}, reference_mask=drawn)


def samples_of(*radii):
    """Drawn samples: balls of these radii, sure of themselves."""
    return Drawn(GRID, np.stack([np.where(ball(r), 0.97, 0.03) for r in radii]).astype(np.float32), {}, {})


def test_samples_that_are_one_sample_have_no_mutual_information(a_ball):
    alike, apart = (diagnose.spread(samples_of(*radii), a_ball) for radii in ((7, 7, 7), (5, 7, 9)))
    assert alike["mutual information / entropy"] < 0.01
    assert alike["pairwise Dice of samples"] == 1
    assert apart["mutual information / entropy"] > 0.2
    assert apart["pairwise Dice of samples"] < 0.8


def test_samples_that_differ_where_they_are_wrong_correlate_with_their_error(a_ball):
    there, elsewhere = (diagnose.spread(samples_of(*radii), a_ball)["S_NCC"] for radii in ((6, 7, 8), (9, 9, 10)))
    assert there > elsewhere


def test_overlap_is_that_of_the_mask_and_tells_what_calibration_doubts(a_ball):
    prediction = assemble(a_ball, samples_of(7, 7), PLAIN)
    assert diagnose.overlap(prediction.labels > 0, a_ball)["Dice"] > 0.99
    doubted = replace(prediction, probability=np.where(ball(3), 0.4, prediction.probability).astype(np.float32))
    share = np.count_nonzero(ball(3)) / np.count_nonzero(ball(7))
    assert diagnose.doubted(doubted)["mask under p 0.5"] == pytest.approx(share)


def test_an_entropy_that_lies_where_the_mask_is_wrong_finds_the_errors(a_ball):
    drawn = samples_of(8, 8)
    prediction = assemble(a_ball, drawn, PLAIN)
    wrong = ball(8) & ~ball(7)
    maps = {**prediction.uncertainty, "predictive_entropy": wrong.astype(np.float32)}
    found = diagnose.found_errors(replace(prediction, uncertainty=maps), drawn, a_ball)
    assert found["error AUROC, entropy"] == 1
    assert 0.5 < found["error AUROC, distance to border"] < 1


def test_the_errors_of_a_case_without_a_prediction_are_not_told(a_ball):
    drawn = samples_of(0, 0)
    assert diagnose.found_errors(assemble(a_ball, drawn, PLAIN), drawn, a_ball) == {}


def test_calibration_on_itself_is_the_best_there_could_be(a_ball):
    ece = diagnose.calibration(samples_of(9, 9), a_ball, {"scale": 3.0, "offset": 0.0})
    assert ece["ECE, calibrated on itself"] < ece["ECE, raw"]
    assert ece["ECE, calibrated on others"] != ece["ECE, raw"]


def test_probabilities_near_one_half_where_the_mask_is_wrong_find_the_errors(a_ball):
    drawn = samples_of(8, 8)
    prediction = assemble(a_ball, drawn, PLAIN)
    unsure = np.where(ball(8) & ~ball(7), 0.55, prediction.probability).astype(np.float32)
    found = diagnose.found_errors(replace(prediction, probability=unsure), drawn, a_ball)
    assert found["error AUROC, raw logit"] == found["error AUROC, expected error"] == 1


def test_a_case_is_also_drawn_through_one_look(a_ball, a_model, monkeypatch):
    asked = []

    def draw(case, model, settings):
        asked.append(settings.looks)
        return samples_of(6, 8) if settings.looks else samples_of(9, 9)

    monkeypatch.setattr(diagnose, "draw", draw)
    monkeypatch.setattr(diagnose, "denoising", lambda *_: {})
    row, _ = diagnose.diagnose_case(a_ball, a_model, Settings(samples=2))
    assert asked == [True, False]
    assert row["pairwise Dice of samples"] < row["pairwise Dice of samples, one look"] == 1
    assert row["Dice, one look"] < row["Dice"] and row["HD95, mm, one look"] > row["HD95, mm"]
    assert "mask under p 0.5" in row
