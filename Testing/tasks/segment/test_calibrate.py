"""Calibration fitted on patients not trained on, and once more without each of them."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.lesion import OF_PET, uptake_totals
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.metrics import coverage
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.tasks.segment import calibrate as module
from DiffuFuseMedLib.tasks.segment.calibrate import calibrate, gather, on_network
from DiffuFuseMedLib.tasks.segment.predict import draw, labels_and_uncertainty, predict
from DiffuFuseMedLib.tasks.segment.settings import Settings

FITTED = {"scale", "offset", "contour_width", "volume", "uptake"}


@pytest.fixture(scope="module")
def cases(a_case):
    """Three patients of other size, place and noise."""
    shapes = {"one": (12, 36, 32), "second": (14, 34, 36), "patient 3": (13, 40, 30)}
    return [a_case(shape, name, (6, 20 - 2 * n, 14 + n)) for n, (name, shape) in enumerate(shapes.items())]


@pytest.fixture(scope="module")
def a_record(cases, a_model):
    return calibrate(a_model, cases, Settings(samples=2))


def test_writes_everything_that_predict_wants(a_record, a_model):
    fitted = a_record.calibration
    assert set(fitted) == {"level", "samples", "patients", "all", "without"}
    assert (fitted["level"], fitted["samples"]) == (0.95, 2)
    assert fitted["patients"] == list(fitted["without"]) == ["one", "second", "patient 3"]
    assert all(set(f) == FITTED for f in (fitted["all"], *fitted["without"].values()))
    assert fitted["all"]["volume"]["patients"] == 3
    assert {name: errors["patients"] for name, errors in fitted["all"]["uptake"].items()} == dict.fromkeys(OF_PET, 3)
    assert replace(a_record, calibration={}) == replace(a_model.record, calibration={})


def test_survives_the_way_through_model_json(a_record, tmp_path):
    zoo.write_record(a_record, tmp_path)
    assert zoo.read_record(tmp_path).calibration == a_record.calibration
    json.dumps(asdict(a_record), allow_nan=False)


def test_each_patient_is_left_out_of_its_own_fit(a_record, a_model, cases):
    fitted = a_record.calibration
    values = [f["scale"] for f in (fitted["all"], *fitted["without"].values())]
    assert len(set(values)) == 4
    assert fitted["without"]["one"]["volume"]["patients"] == 2
    two = calibrate(a_model, cases, Settings(samples=2, seed=0))
    assert two.calibration == fitted
    loud = replace(cases[0], reference_mask=cases[0].reference_mask.with_array(1 - cases[0].reference_mask.array))
    other = calibrate(a_model, [loud, *cases[1:]], Settings(samples=2)).calibration
    assert other["without"]["one"] == fitted["without"]["one"]
    assert other["all"] != fitted["all"]


def test_the_contours_cover_what_they_promise_on_these_patients(a_record, a_model, cases):
    plain = replace(a_record, calibration={"all": a_record.calibration["all"]})
    covered = []
    for case in cases:
        found = predict(case, replace(a_model, record=plain), Settings(samples=2))
        covered.append(coverage(case.reference_mask.array > 0, found.inner, found.outer, case.grid.spacing_kji_mm))
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_the_band_of_evidence_is_20_mm_around_the_border(cases, a_model, monkeypatch):
    monkeypatch.setattr(module, "MOST_VOXELS", 10**6)
    """The ball's radius is 24 mm: what lies deeper than 20 mm, or further out, takes no part."""
    drawn = draw(cases[0], a_model, Settings(samples=2))
    evidence = gather(cases[0], drawn)
    reference = on_network(cases[0], drawn.grid)
    assert evidence.samples_in_band.shape == (2, evidence.reference_in_band.size)
    assert 0.9 * reference.sum() < evidence.reference_in_band.sum() < reference.sum()
    assert evidence.reference_in_band.size < reference.size


def test_of_a_large_band_some_voxels_stand_for_all(cases, a_model, monkeypatch):
    drawn = draw(cases[0], a_model, Settings(samples=2))
    monkeypatch.setattr(module, "MOST_VOXELS", 10**6)
    every = gather(cases[0], drawn)
    monkeypatch.setattr(module, "MOST_VOXELS", 200)
    some, again = (gather(cases[0], drawn) for _ in range(2))
    assert some.samples_in_band.shape == (2, 200) and some.reference_in_band.shape == (200,)
    assert np.array_equal(some.samples_in_band, again.samples_in_band)
    pairs = {(*p, y) for p, y in zip(every.samples_in_band.T, every.reference_in_band, strict=True)}
    assert {(*p, y) for p, y in zip(some.samples_in_band.T, some.reference_in_band, strict=True)} <= pairs
    assert some.reference_in_band.mean() == pytest.approx(every.reference_in_band.mean(), abs=0.1)
    assert np.array_equal(some.critical, every.critical)  # the border is all there


def test_numbers_in_pet_are_of_what_was_predicted_and_of_what_was_drawn(cases, a_model):
    evidence = gather(cases[0], drawn := draw(cases[0], a_model, Settings(samples=2)))
    labels = labels_and_uncertainty(cases[0], drawn)[0]
    found, by_hand = (uptake_totals(mask, cases[0]) for mask in (labels, cases[0].reference_mask.array > 0))
    assert found != by_hand
    assert {name: told[:2] for name, told in evidence.uptake.items()} == {n: (found[n], by_hand[n]) for n in OF_PET}


def test_the_reference_keeps_its_volume_on_the_networks_grid(cases, a_model):
    grid = draw(cases[0], a_model, Settings(samples=1)).grid
    own_mm3 = cases[0].reference_mask.array.sum() * cases[0].grid.voxel_mm3
    assert on_network(cases[0], grid).sum() * grid.voxel_mm3 == pytest.approx(own_mm3, rel=0.05)


def test_progress_rises(cases, a_model):
    told = []
    calibrate(a_model, cases, Settings(samples=1), lambda share, what: told.append(share))
    assert told == pytest.approx([0, 1 / 3, 2 / 3])


def test_refuses_fewer_than_three_patients(cases, a_model):
    with pytest.raises(InputError, match=r"^Given 2 patients, wanted at least 3"):
        calibrate(a_model, cases[:2], Settings(samples=1))


def test_refuses_a_lesion_that_fills_its_image(cases, a_model):
    full = replace(cases[1], reference_mask=Volume(np.ones(cases[1].grid.shape, np.uint8), cases[1].grid))
    with pytest.raises(InputError, match=r"^Given the case second whose drawn lesion fills its image, .*has no border"):
        calibrate(a_model, [cases[0], full, cases[2]], Settings(samples=1))


def test_a_model_that_finds_nothing_is_calibrated_too(cases, a_model, monkeypatch):
    """Its contours are as wide as they must be, and no range is shown beside what is nothing."""
    silent = lambda case, model, settings: replace(  # noqa: E731
        drawn := draw(case, model, settings), samples=np.full_like(drawn.samples, 0.01)
    )
    monkeypatch.setattr("DiffuFuseMedLib.tasks.segment.calibrate.draw", silent)
    fitted = calibrate(a_model, cases, Settings(samples=2)).calibration["all"]
    assert all(np.isfinite(fitted[name]) for name in ("scale", "offset", "contour_width"))
    assert fitted["contour_width"] == pytest.approx(np.log(99), rel=1e-3)


@pytest.mark.parametrize("drawn", [False, True])
def test_refuses_a_patient_without_a_lesion(cases, a_model, drawn):
    empty = Volume(np.zeros(cases[1].grid.shape, np.uint8), cases[1].grid) if drawn else None
    bare = replace(cases[1], reference_mask=empty)
    with pytest.raises(InputError, match=r"^Given the case second without a drawn lesion"):
        calibrate(a_model, [cases[0], bare, cases[2]], Settings(samples=1))
