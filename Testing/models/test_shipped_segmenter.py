"""The weights that ship, on the real patient that ships: the promises hold for them, not only for toys."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.metrics import score_case
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.preprocessing.domain import before_run
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.tasks.segment.corruptions import corrupt
from DiffuFuseMedLib.tasks.segment.predict import draw, predict
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.tasks.segment.trivial import centre_ellipsoid

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model():
    return zoo.load("sts-diffufusemed")


@pytest.fixture(scope="module")
def case():
    return load_case(ROOT / "Resources" / "SampleData" / "STS_010")


@pytest.fixture(scope="module")
def prediction(case, model):
    return predict(case, model, Settings(samples=2))


@pytest.fixture(scope="module")
def scores(case, prediction):
    return score_case(prediction, case)


def test_the_patient_that_ships_was_neither_trained_nor_calibrated_on(model):
    record = model.record
    patients = set(record.training["patients"])
    assert "STS_010" not in patients | set(record.calibration["patients"])
    assert not patients & set(record.calibration["patients"])
    assert "STS_010" not in record.training.get("started_from", {}).get("training", {}).get("patients", ())


def test_finds_the_lesion(scores):
    assert scores["dice"] > 0.6


def test_beats_an_ellipsoid_that_never_looks_at_a_voxel(case, scores):
    mask, reference = centre_ellipsoid(case.grid.shape, 0.29), case.reference_mask.array > 0
    assert scores["dice"] > 2 * (mask & reference).sum() / (mask.sum() + reference.sum())


def test_its_volume_range_is_one_factor_for_every_case_and_so_is_not_shown(prediction, scores):
    assert "the same factor for every case" in prediction.volume_ml.withheld
    assert "volume_hit" not in scores


def test_the_patient_that_ships_is_one_of_those_that_the_model_is_for(prediction):
    assert prediction.outside == ()


@pytest.mark.parametrize("spoil", ["noise", "a modality too few", "a head"])
def test_a_case_that_it_is_not_for_is_said_to_be_none(case, model, spoil):
    rng = np.random.default_rng(0)
    noisy = {m: v.with_array(rng.normal(300, 150, v.array.shape).astype(np.float32)) for m, v in case.volumes.items()}
    headed = {m: v.with_array(v.array, body_part="head") for m, v in case.volumes.items()}
    cases = {"noise": replace(case, volumes=noisy), "a modality too few": case.only(("CT", "MR_T1"))}
    spoilt = {**cases, "a head": replace(case, volumes=headed)}[spoil]
    words = {"noise": "PET is unlike", "a modality too few": "missing: PET", "a head": "are of the head"}[spoil]
    found = before_run(spoilt, model.record.domain, model.modalities, spoilt.modalities)
    assert any(words in sentence for sentence in found.outside)


def test_the_contours_hold_most_of_the_drawn_border(scores):
    assert scores["coverage"] > 0.8


def test_doubt_is_higher_where_the_prediction_is_wrong(case, prediction):
    uncertainty = prediction.uncertainty["predictive_entropy"]
    wrong = (prediction.labels > 0) != (case.reference_mask.array > 0)
    inside = prediction.outer
    assert uncertainty[wrong].mean() > 1.5 * uncertainty[inside & ~wrong].mean()


def test_the_same_seed_gives_the_same_result(case, model, prediction):
    again = predict(case, model, Settings(samples=2))
    np.testing.assert_array_equal(again.probability, prediction.probability)


@pytest.mark.parametrize(
    ("modality", "corruption"),
    [
        ("CT", "motion blur strong"),
        ("PET", "gaussian noise 0.5"),
        ("MR_T1", "gaussian noise 0.5"),
        ("MR_T1", "motion blur strong"),
    ],
)
def test_the_gate_of_a_corrupted_modality_falls(case, model, modality, corruption):
    """CT noise and PET blur are missing: their gates do not answer reliably, which docs/results.md prints."""
    settings = Settings(samples=1)
    clean = draw(case, model, settings).gates[modality]
    corrupted = draw(corrupt(case, corruption, 0, [modality]), model, settings).gates[modality]
    assert corrupted < 0.95 * clean
