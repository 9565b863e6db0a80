"""Corrections of a probability: each mends what it is for, and no patient outweighs another."""

import numpy as np
import pytest
from DiffuFuseMedLib.uncertainty.calibrators import VOXELS, Band, kinds
from scipy.special import expit

NONE = {"size": 0.0}


def patient(truth, z, distance=0.0, case=None, seed=0):
    """truth: the probability behind the labels, (n,); z: the logit that the network gives."""
    labels = np.random.default_rng(seed).uniform(size=len(z)) < truth
    return Band("one", expit(z), labels, np.broadcast_to(distance, len(z)), case or NONE)


def loss(corrected, truth):
    """Mean square distance from the probability that is behind the labels."""
    return float(np.mean((corrected - truth) ** 2))


@pytest.fixture
def z():
    return np.random.default_rng(1).normal(0, 3, 4000)


def error(kind, fitted_on, asked, truth, names=("size",)):
    return loss(kinds(names)[kind](fitted_on)(asked), truth)


def test_without_a_correction_nothing_changes(z):
    band = patient(expit(z), z)
    assert np.array_equal(kinds(["size"])["none"]([band])(band), band.probability)


@pytest.mark.parametrize("kind", ["temperature", "Platt", "beta", "isotonic"])
def test_what_is_too_sure_is_mended(z, kind):
    truth = expit(0.4 * z)
    assert error(kind, [patient(truth, z), patient(truth, z, seed=2)], patient(truth, z), truth) < 5e-4
    assert error("none", [], patient(truth, z), truth) > 0.01


@pytest.mark.parametrize(("kind", "mends"), [("temperature", False), ("Platt", True), ("beta", True)])
def test_a_bias_takes_an_offset(z, kind, mends):
    truth = expit(z - 1.5)
    assert (error(kind, [patient(truth, z)], patient(truth, z), truth) < 1e-3) is mends


@pytest.mark.parametrize(("kind", "mends"), [("Platt", False), ("beta", True), ("isotonic", True)])
def test_another_slope_at_either_end_takes_two(z, kind, mends):
    p = np.clip(expit(z), 1e-4, 1 - 1e-4)
    truth = expit(2.0 * np.log(p) - 0.3 * np.log(1 - p))
    assert (error(kind, [patient(truth, z)], patient(truth, z), truth) < 1e-3) is mends


def test_what_changes_with_the_distance_to_the_border_takes_the_distance(z):
    distance = np.random.default_rng(9).uniform(-30, 30, len(z))
    truth = expit((0.2 + np.abs(distance) / 20) * z - distance / 10)
    bands = [patient(truth, z, distance), patient(truth, z, distance, seed=2)]
    near, without = (error(kind, bands, bands[0], truth) for kind in ("Platt, distance to the border", "Platt"))
    assert near < 1e-3 < 0.01 < without


@pytest.mark.parametrize(("slope", "offset"), [(0.5, 0.0), (0.0, 1.0)])
def test_what_changes_with_the_case_takes_the_case(z, slope, offset):
    behind = lambda size: expit((0.7 + slope * size) * z + offset * size)  # noqa: E731
    told = lambda size: {"size": size, "other": 0.0}  # noqa: E731
    bands = [patient(behind(size), z, case=told(size), seed=n) for n, size in enumerate(np.linspace(-1, 1, 12))]
    asked, names = patient(behind(1.0), z, case=told(1.0)), ("size", "other")
    found = {kind: error(kind, bands, asked, behind(1.0), names) for kind in kinds(names)}
    assert max(found["Platt, size"], found["Platt, all of the case"]) < 0.5 * found["Platt"]
    assert found["Platt, other"] == pytest.approx(found["Platt"], rel=0.01)


def test_a_few_patients_move_the_correction_by_a_part_of_what_they_show(z):
    bands = [patient(expit(z + size), z, case={"size": size}, seed=n) for n, size in enumerate((-1.0, 1.0))]
    moved = kinds(["size"])["Platt, size"](bands)(bands[1]) - kinds(["size"])["Platt"](bands)(bands[1])
    shown = expit(z + 1) - expit(z)
    assert 0.2 < moved.mean() / shown.mean() < 0.8


def test_a_case_beyond_the_others_is_taken_for_one_at_their_edge(z):
    bands = [patient(expit(z + size), z, case={"size": size}, seed=n) for n, size in enumerate((-1.0, 0.0, 1.0))]
    fitted = kinds(["size"])["Platt, size"](bands)
    far, farther = (fitted(patient(expit(z), z, case={"size": size})) for size in (10.0, 1e6))
    assert np.array_equal(far, farther)


@pytest.mark.parametrize("kind", ["Platt", "beta", "isotonic"])
def test_every_patient_weighs_the_same_however_large(z, kind):
    one, other = patient(expit(z), z), patient(expit(z - 2), z)
    many = Band("many", *(np.tile(x, 10) for x in (other.probability, other.reference, other.distance_mm)), NONE)
    fit = kinds(["size"])[kind]
    np.testing.assert_allclose(fit([one, many])(one), fit([one, other])(one), atol=2e-3)
    assert np.abs(fit([one])(one) - fit([one, other])(one)).max() > 0.1


def test_certain_probabilities_stay_finite(z):
    band = patient(expit(z), z)
    sure = Band("sure", np.array([0.0, 1.0]), np.array([False, True]), np.array([np.inf, -np.inf]), NONE)
    for fit in kinds(["size"]).values():
        assert np.isfinite(fit([band, band])(sure)).all()


def test_some_voxels_stand_for_all_and_a_small_patient_for_itself(z):
    band = patient(expit(z), z, distance=np.arange(len(z)))
    some = band.some(np.random.default_rng(0))
    at = some.distance_mm.astype(int)
    assert len(set(at)) == VOXELS and np.array_equal(some.probability, band.probability[at])
    assert np.array_equal(some.reference, band.reference[at])
    assert some.some(np.random.default_rng(0)) is some


def test_one_number_of_the_case_has_no_all_of_them():
    assert "Platt, all of the case" not in kinds(["size"])
    assert [kind for kind in kinds([]) if kind.startswith("Platt, ")] == ["Platt, distance to the border"]
