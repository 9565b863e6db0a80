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
from DiffuFuseMedLib.tasks.segment.calibrate import calibrate, drawn_by_hand, fit_all, gather, on_network
from DiffuFuseMedLib.tasks.segment.fitted import calibration_for
from DiffuFuseMedLib.tasks.segment.levels import level_outlines, volume_spread
from DiffuFuseMedLib.tasks.segment.predict import _resting_on, draw, labels_and_uncertainty, predict
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.tasks.segment.uptake_intervals import measured
from scipy.ndimage import gaussian_filter

KNOWN = ("CT", "PET", "MR_T1")
OWN = {"scale", "offset", "contour_width"}
FITTED = {*OWN, "volume", "uptake"}


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
    assert set(fitted["all"]) == FITTED and all(set(f) == OWN for f in fitted["without"].values())
    assert fitted["all"]["volume"]["patients"] == 3
    assert {name: errors["patients"] for name, errors in fitted["all"]["uptake"].items()} == dict.fromkeys(OF_PET, 3)
    assert replace(a_record, calibration={}) == replace(a_model.record, calibration={})


def sees_the_lesion(case, model, settings, *more):
    """In place of draw(), whose untrained network tells nothing: noisier the fewer modalities there are."""
    drawn = draw(case, model, settings)
    noise = np.random.default_rng(sum(map(ord, case.name))).normal(0, 6 / len(case.modalities), drawn.samples.shape)
    logit = np.where(on_network(case, drawn.grid), 2, -2) + gaussian_filter(noise, (0, 1, 1, 1))
    return replace(drawn, samples=(1 / (1 + np.exp(-logit))).astype(np.float32))


@pytest.fixture(scope="module")
def with_subsets(cases, a_model):
    """The second patient has no PET."""
    some = [cases[0], cases[1].only(["CT", "MR_T1"]), cases[2], replace(cases[0], name="last")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "draw", sees_the_lesion)
        record = calibrate(a_model, some, Settings(samples=2), subsets=True)
    alone = [case.only(["MR_T1"]) for case in some]
    return record, fit_all([gather(case, sees_the_lesion(case, a_model, Settings(samples=2))) for case in alone])


def test_each_choice_of_modalities_has_a_calibration_of_the_patients_that_have_them(with_subsets, a_model):
    record, only_t1 = with_subsets
    fitted = record.calibration
    assert list(fitted["given"]) == ["CT PET", "CT MR_T1", "PET MR_T1", "CT", "PET", "MR_T1"]
    assert fitted["given"]["CT MR_T1"]["patients"] == ["one", "second", "patient 3", "last"]
    assert (
        fitted["patients"]
        == fitted["given"]["CT PET"]["patients"]
        == fitted["given"]["PET"]["patients"]
        == ["one", "patient 3", "last"]
    )
    assert fitted["given"]["MR_T1"]["all"] == only_t1
    assert fitted["given"]["MR_T1"]["all"]["uptake"] == {} != fitted["given"]["PET"]["all"]["uptake"]


def test_who_lacks_a_modality_takes_no_part_where_all_are_asked_for(with_subsets):
    fitted = with_subsets[0].calibration
    assert fitted["patients"] == list(fitted["without"]) == ["one", "patient 3", "last"]
    assert set(fitted["all"]["uptake"]) == set(OF_PET)  # one patient without PET had left all without


def test_refuses_fewer_than_three_patients_with_all_modalities(cases, a_model):
    some = [cases[0].only(["CT"]), cases[1], cases[2]]
    with pytest.raises(InputError, match=r"^Given 2 patients with all of CT, PET, MR T1, wanted at least 3"):
        calibrate(a_model, some, Settings(samples=1), subsets=True)


def test_a_choice_with_which_the_network_tells_nothing_is_left_out(cases, a_model, monkeypatch):
    """Without CT the drawn lesion is darker than its surroundings."""

    def upside_down(case, model, settings):
        drawn = sees_the_lesion(case, model, settings)
        return drawn if "CT" in case.modalities else replace(drawn, samples=1 - drawn.samples)

    monkeypatch.setattr(module, "draw", upside_down)
    record = calibrate(a_model, cases, Settings(samples=1), subsets=True)
    assert list(record.calibration["given"]) == ["CT PET", "CT MR_T1", "CT"]


def test_subsets_survive_the_way_through_model_json(with_subsets, tmp_path):
    zoo.write_record(with_subsets[0], tmp_path)
    assert zoo.read_record(tmp_path).calibration == with_subsets[0].calibration


def a_model_of_two(a_model, record):
    """The model, calibrated on other patients, whose range of the volume depends on the case with CT and PET alone."""
    errors = {"mean": 0.0, "sd": 0.2, "patients": 3, "level_spreads": [0.0, 0.1, 0.6], "ratios": [0.2, -0.2, 0.0]}
    of_two = {"all": {**record.calibration["given"]["CT PET"]["all"], "volume": errors}}
    alike = {**record.calibration["all"], "volume": {**errors, "level_spreads": [0.1, 0.1, 0.1]}}
    return replace(a_model, record=replace(record, domain={}, calibration={"all": alike, "given": {"CT PET": of_two}}))


def test_a_case_is_judged_by_the_calibration_of_its_modalities(with_subsets, a_model, cases, monkeypatch):
    monkeypatch.setattr("DiffuFuseMedLib.tasks.segment.predict.draw", sees_the_lesion)
    record, _ = with_subsets
    domain = {"needed": list(KNOWN), "lesion_ml": [0, 1000]}
    model, case = replace(a_model, record=replace(record, domain=domain)), cases[2]
    told, of_two = calibration_for(record, case.name, ["PET", "CT", "SPECT"]), record.calibration["given"]["CT PET"]
    assert {name: told[name] for name in OWN} == of_two["without"][case.name]
    assert told["volume"]["ratios"] == [r for n, r in enumerate(of_two["all"]["volume"]["ratios"]) if n != 1]
    assert calibration_for(record, "new", ["CT"]) == record.calibration["given"]["CT"]["all"]
    assert calibration_for(record, "new", KNOWN) == record.calibration["all"]
    found = predict(case.only(["CT", "PET"]), model, Settings(samples=2))
    assert not any("missing" in sentence for sentence in found.outside)  # two are enough, though the domain needs three
    two = predict(case.only(["CT", "PET"]), a_model_of_two(a_model, record), Settings(samples=2))
    withheld = replace(two.volume_ml, low=None, high=None, withheld="why", basis="")
    only_two = case.only(["CT", "PET"])
    assert _resting_on(replace(two, volume_ml=withheld), record, only_two).volume_ml == withheld
    assert _resting_on(two, record, replace(case, name="new")) == two
    shown = replace(two, volume_ml=replace(two.volume_ml, basis="x"))
    own = _resting_on(shown, record, cases[1].only(["CT", "MR_T1"])).volume_ml.basis
    assert own == "x, each with CT and MR T1 alone, this one left out"
    assert _resting_on(shown, record, cases[1]).volume_ml.basis == "x"  # whom all three were not there of
    assert _resting_on(two, record, case).volume_ml.basis == two.volume_ml.basis + ", this one left out"
    assert two.volume_ml.basis == "from the errors on 3 patients, taken as log-normal, each with CT and PET alone"
    assert predict(case, a_model_of_two(a_model, record), Settings(samples=2)).volume_ml.basis == ""
    none = replace(a_model, record=replace(record, domain=domain, calibration={"all": record.calibration["all"]}))
    assert "together; missing: MR T1" in predict(case.only(["CT", "PET"]), none, Settings(samples=1)).outside[0]


def test_survives_the_way_through_model_json(a_record, tmp_path):
    zoo.write_record(a_record, tmp_path)
    assert zoo.read_record(tmp_path).calibration == a_record.calibration
    json.dumps(asdict(a_record), allow_nan=False)


def test_each_patient_is_left_out_of_its_own_fit(a_record, a_model, cases):
    fitted = a_record.calibration
    values = [f["scale"] for f in (fitted["all"], *fitted["without"].values())]
    assert len(set(values)) == 4
    left_out = calibration_for(a_record, "one", KNOWN)
    assert {key: left_out[key] for key in OWN} == fitted["without"]["one"]
    assert left_out["volume"]["patients"] == left_out["uptake"]["tlg_g"]["patients"] == 2
    assert left_out["volume"]["ratios"] == fitted["all"]["volume"]["ratios"][1:]
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


def test_how_far_numbers_reach_between_two_levels_is_kept(cases, a_model):
    evidence = [gather(case, draw(case, a_model, Settings(samples=2))) for case in cases]
    drawn = draw(cases[1], a_model, Settings(samples=2))
    outlines, labels = level_outlines(drawn, cases[1].grid), labels_and_uncertainty(cases[1], drawn)[0]
    assert evidence[1].spread == volume_spread(evidence[1].volume_ml, outlines, cases[1].grid) > 0.1
    assert evidence[1].uptake == measured(cases[1], labels, drawn_by_hand(cases[1]), outlines)
    fitted = fit_all(evidence)
    assert fitted["volume"]["level_spreads"] == pytest.approx([e.spread for e in evidence], abs=1e-5)
    assert fitted["uptake"]["tlg_g"]["level_spreads"] == pytest.approx(
        [e.uptake["tlg_g"][2] for e in evidence], abs=1e-5
    )


def test_the_reference_keeps_its_volume_on_the_networks_grid(cases, a_model):
    grid = draw(cases[0], a_model, Settings(samples=1)).grid
    own_mm3 = cases[0].reference_mask.array.sum() * cases[0].grid.voxel_mm3
    assert on_network(cases[0], grid).sum() * grid.voxel_mm3 == pytest.approx(own_mm3, rel=0.05)


def test_progress_rises_with_each_choice_of_modalities(cases, a_model, monkeypatch):
    monkeypatch.setattr(module, "draw", sees_the_lesion)
    told = []
    calibrate(a_model, cases, Settings(samples=1), lambda share, what: told.append((share, what)), subsets=True)
    assert [share for share, _ in told] == pytest.approx([n / 21 for n in range(21)])
    assert [what for _, what in told[6:8]] == ["case 1 of 3", "case 2 of 3"]


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
