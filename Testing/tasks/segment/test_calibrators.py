"""What corrections are compared on: the band of a case, and each patient without itself."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.metrics.detection import auroc
from DiffuFuseMedLib.preprocessing.likeness import distance, features, usual
from DiffuFuseMedLib.tasks.segment import calibrators
from DiffuFuseMedLib.tasks.segment.calibrators import band_of, left_out, numbers
from DiffuFuseMedLib.tasks.segment.predict import Drawn
from DiffuFuseMedLib.uncertainty.calibrators import Band

SHAPE = (32, 32, 32)
GRID = Grid(SHAPE, (3.0, 3.0, 3.0))


def ball(radius, center=15.5):
    return np.linalg.norm(np.indices(SHAPE) - center, axis=0) < radius


@pytest.fixture
def case():
    there = np.ones(SHAPE, bool)
    ct = np.where(ball(14), 40, -1000) + np.random.default_rng(0).normal(0, 5, SHAPE)
    volumes = {"CT": Volume(ct.astype(np.float32), GRID, "CT"), "PET": Volume(ball(15) * np.float32(3.0), GRID, "PET")}
    drawn = Volume(ball(5).astype(np.uint8), GRID, "GTV")
    return Case("ball", GRID, "CT", volumes, {"CT": there, "PET": there}, reference_mask=drawn)


def drawn_of(*radii):
    return Drawn(GRID, np.stack([np.where(ball(r), 0.97, 0.03) for r in radii]).astype(np.float32), {}, {})


def test_the_band_lies_round_the_drawn_border_and_knows_how_far_the_predicted_one_is(case, a_model):
    found = band_of(case, drawn_of(7, 7), a_model.record)
    assert found.name == "ball"
    assert found.probability.size < ball(5).size  # the far corners are left out
    assert found.reference.sum() == ball(5).sum()
    inside = found.probability > 0.5
    assert (found.distance_mm[inside] < 0).all() and (found.distance_mm[~inside] > 0).all()
    assert found.distance_mm.max() == pytest.approx(
        18.0, abs=3
    )  # 20 mm beyond radius 5 is 14 mm beyond radius 7, in corners more


def test_a_case_is_told_by_its_prediction_and_images_alone(case, a_model):
    told = numbers(case, drawn_of(6, 8), a_model.record)
    mask = ball(6) | (ball(8) & (np.float32(0.5) > 0.5))
    assert told["size"] == pytest.approx(log(mask.sum() * 27 / 1000), abs=0.2)
    assert told["samples' spread"] == pytest.approx(np.log([ball(6).sum(), ball(8).sum()]).std())
    assert told["uptake"] == pytest.approx(log(3.0), abs=1e-3)
    assert told == numbers(replace(case, reference_mask=None), drawn_of(6, 8), a_model.record)
    assert "uptake" not in numbers(case.only(("CT",)), drawn_of(6, 8), a_model.record)


def test_with_a_domain_the_least_usual_image_counts(case, a_model):
    look = {key: features(case.volumes[key], case.valid[key]) for key in ("CT", "PET")}
    apart = {"CT": 1, "PET": 9}
    known = {
        key: {**usual([seen, {name: value + apart[key] for name, value in seen.items()}]), "threshold": 1.0}
        for key, seen in look.items()
    }
    record = replace(a_model.record, domain={"likeness": known})
    assert "distance from the training data" not in numbers(case, drawn_of(6, 6), a_model.record)
    told = numbers(case, drawn_of(6, 6), record)["distance from the training data"]
    assert told == max(distance(look[key], known[key])[0] for key in known)


def band(name, n=300, **case):
    rng = np.random.default_rng(len(name))
    p = rng.uniform(0.01, 0.99, n)
    return Band(name, p, rng.uniform(size=n) < p**2, rng.normal(0, 10, n), case or {"size": 0.0})


def test_each_patient_is_corrected_by_the_others(monkeypatch):
    asked = []

    def fit(bands):
        told = [one.name for one in bands]
        return lambda one: asked.append((one.name, told)) or one.probability**3

    monkeypatch.setattr(calibrators, "kinds", lambda names: {"kept": fit})
    bands = [band("a"), band("bb"), band("ccc")]
    scores = left_out(bands)["kept"]
    assert asked == [("a", ["bb", "ccc"]), ("bb", ["a", "ccc"]), ("ccc", ["a", "bb"])]
    for one, row in zip(bands, scores, strict=True):
        corrected, label = one.probability**3, one.probability > 0.5
        assert row["brier"] == pytest.approx(np.mean((corrected - one.reference) ** 2))
        assert row["auroc"] == auroc(np.abs(label - corrected), label != one.reference)
        assert row["ece"] > 0.05


def test_what_corrects_has_a_lower_error_than_nothing():
    scores = left_out([band(name, 3000) for name in ("a", "bb", "ccc", "dddd")])
    mean = {kind: np.mean([row["ece"] for row in rows]) for kind, rows in scores.items()}
    assert mean["Platt"] < 0.5 * mean["none"]


def test_what_not_every_case_has_is_left_out():
    bands = [band("a", size=1.0, uptake=1.0), band("bb", size=2.0, uptake=0.0), band("ccc", size=0.0)]
    assert [kind for kind in left_out(bands) if "size" in kind or "uptake" in kind or "all" in kind] == ["Platt, size"]


def test_two_patients_are_too_few():
    with pytest.raises(InputError, match="2 patients"):
        left_out([band("a"), band("bb")])


def test_an_empty_prediction_and_a_full_one_have_a_far_border(case, a_model):
    for value, sign in ((0.1, 1), (0.9, -1)):
        drawn = Drawn(GRID, np.full((1, *SHAPE), value, np.float32), {}, {})
        assert (sign * band_of(case, drawn, a_model.record).distance_mm == np.inf).all()
