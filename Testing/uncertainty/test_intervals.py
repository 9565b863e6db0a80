"""Intervals of the lesion's numbers, by hand."""

import numpy as np
import pytest
from DiffuFuseMedLib.uncertainty import (
    depends_on_case,
    jackknife_plus,
    level_spread,
    log_ratio_errors,
    log_spread,
    prediction_interval,
)

# sd 0.2 and widths 0.2, 0.2, 0.25 and 0.25: a range of the case's own; residuals of 1, 1, 0 and 1 widths about 0
OWN = {"mean": 0.0, "sd": 0.2, "patients": 4}
OWN |= {"level_spreads": [0.0, 0.0, 0.15, 0.15], "ratios": [0.2, -0.2, 0.0, 0.25]}
T_95_3 = 3.1824463053  # Student's t, 3 degrees of freedom, two-sided 95 %: any printed table


def test_errors_are_the_mean_and_spread_of_the_log_ratio():
    # ln 2 and ln 8 about their mean ln 4: each ln 2 away, and one degree of freedom
    errors = log_ratio_errors([20.0, 80.0], [10.0, 10.0])
    assert errors == pytest.approx({"mean": np.log(4), "sd": np.sqrt(2) * np.log(2), "patients": 2})


def test_an_empty_prediction_does_not_divide_by_zero():
    assert np.isfinite(list(log_ratio_errors([20.0, 80.0], [0.0, 10.0]).values())).all()


def test_the_interval_is_students_of_errors_in_widths_of_their_cases():
    """Three squared residuals of 1 over three degrees of freedom, sqrt(1 + 1/4) for the new case, whose width is 0.25
    for a level spread of 0.15."""
    interval = prediction_interval(100.0, 0.15, OWN)
    reach = T_95_3 * 1.0 * np.sqrt(1.25) * 0.25
    assert (interval.low, interval.high) == pytest.approx((100 * np.exp(-reach), 100 * np.exp(reach)))
    assert (interval.value, interval.unit, interval.level) == (100.0, "mL", 0.95)


def test_what_is_usually_missed_moves_the_interval():
    errors = {**OWN, "mean": np.log(1.5), "ratios": list(np.add(OWN["ratios"], np.log(1.5)))}
    interval = prediction_interval(100.0, 0.0, errors)
    assert interval.low * interval.high == pytest.approx(150.0**2)


def test_the_doubt_of_a_case_widens_its_interval_in_proportion():
    sure, unsure = (prediction_interval(100.0, spread, OWN) for spread in (0.0, 0.15))
    assert np.log(unsure.high / 100) == pytest.approx(np.log(sure.high / 100) * 0.25 / 0.2)


def test_patients_of_whom_the_network_was_unsure_excuse_their_errors():
    """The same errors in patients of larger doubt: a case that is sure may then rely on it."""
    usual, doubted = (
        prediction_interval(100.0, 0.0, {**OWN, "level_spreads": spreads})
        for spreads in ([0.0, 0.0, 0.15, 0.15], [0.6, 0.6, 0.0, 0.9])
    )
    assert usual.low < doubted.low < doubted.high < usual.high


def test_the_interval_always_holds_the_value():
    errors = {**OWN, "mean": 3.0, "sd": 0.01, "ratios": [3.0, 3.01, 2.99, 3.0]}
    interval = prediction_interval(100.0, 0.0, errors)
    assert interval.low == 100.0 < interval.high


@pytest.mark.parametrize(
    ("volume_ml", "errors", "why"),
    [
        (100.0, None, "were not measured"),
        (100.0, {"mean": 0.0, "sd": 0.2, "patients": 10}, "the same factor for every case"),
        (
            100.0,
            {**OWN, "level_spreads": [0.01, 0.02, 0.01, 0.02, 0.01, 0.25], "ratios": [0.0] * 6},
            "the same factor",
        ),
        (0.0, OWN, "nothing was found"),
        (100.0, {"mean": 0.0, "sd": 0.2, "patients": 2, "spreads": [0.0, 0.9], "ratios": [0.1, 0.2]}, "once more"),
    ],
    ids=["no errors", "no spreads", "spreads all alike but one", "nothing found", "calibrated by 0.1"],
)
def test_an_interval_that_cannot_be_stood_for_is_withheld_with_a_sentence(volume_ml, errors, why):
    interval = prediction_interval(volume_ml, 0.2, errors)
    assert (interval.value, interval.low, interval.high, interval.ends) == (volume_ml, None, None, None)
    assert interval.withheld.startswith("No range of the volume is shown: ")
    assert why in interval.withheld


def test_a_width_that_differs_by_a_tenth_between_the_quartiles_is_the_cases_own():
    """sd 1: widths sqrt(1 + s^2) of 1 and 1.118 for spreads of 0 and 0.5, 1.044 for 0.3."""
    assert depends_on_case({"sd": 1.0, "level_spreads": [0.0, 0.0, 0.5, 0.5]})
    assert not depends_on_case({"sd": 1.0, "level_spreads": [0.0, 0.0, 0.3, 0.3]})


@pytest.mark.parametrize(
    ("value", "wide", "narrow", "ratio"),
    [
        (100.0, 120.0, 80.0, 1.5),
        (8.0, 6.0, 12.0, 2.0),
        (100.0, 120.0, 0.0, 12.0),
        (100.0, 120.0, 5.0, 12.0),
        (0.0, 0.0, 0.0, 1.0),
    ],
    ids=["volume", "SUVmean of a wide outline is less", "narrow is empty", "less than a tenth", "nothing found"],
)
def test_how_far_a_number_reaches_between_two_levels(value, wide, narrow, ratio):
    assert level_spread(value, wide, narrow) == pytest.approx(np.log(ratio) / 2)


def test_the_spread_of_samples_is_that_of_their_logarithms():
    assert log_spread([50.0, 200.0]) == pytest.approx(np.log(2))
    assert log_spread([]) == 0.0


def measured_errors(count, seed=0, sd=0.3):
    """Errors of so many patients, the larger to be expected the more the network doubts."""
    rng = np.random.default_rng(seed)
    spreads = rng.uniform(0.0, 1.0, count)
    ratios = rng.normal(0, 1, count) * np.hypot(sd, spreads)
    return log_ratio_errors(np.exp(ratios), np.ones(count), spreads)


def test_each_patients_ratio_is_kept_beside_its_spread():
    errors = log_ratio_errors([20.0, 5.0], [10.0, 10.0], [0.1, 0.2])
    assert errors["ratios"] == pytest.approx([np.log(2), -np.log(2)], abs=1e-5)
    assert errors["level_spreads"] == [0.1, 0.2]


def test_nothing_drawn_does_not_divide_by_zero():
    assert np.isfinite(log_ratio_errors([0.0, 80.0], [10.0, 10.0], [0.1, 0.2])["ratios"]).all()


def test_jackknife_plus_by_hand():
    """Three patients, level 1/2: rank 2 of 3 from below for either end; widths cancel where no doubts differ."""
    ratios, spreads = np.array([0.0, 1.0, 4.0]), np.zeros(3)
    # the others' mean +- the residual of whoever is left out: 2.5 +- 2.5, 2 +- 1, 0.5 +- 3.5
    assert jackknife_plus(ratios, spreads, 0.0, 0.5) == pytest.approx((0.0, 4.0))


def test_residuals_are_measured_in_widths_of_the_case():
    """A patient of whom the network was unsure tells less of a case of which it is sure."""
    ratios, apart = np.array([0.0, 1.0, 2.0]), np.array([10.0, 10.0, 10.0])
    low, high = jackknife_plus(ratios, apart, 0.0, 0.5)
    alike = jackknife_plus(ratios, np.zeros(3), 0.0, 0.5)
    assert high - low < 0.5 * (alike[1] - alike[0])
    assert jackknife_plus(ratios, np.zeros(3), 10.0, 0.5)[1] > 5 * alike[1]


@pytest.mark.parametrize(("count", "free"), [(18, False), (19, True), (35, True)])
def test_from_19_patients_on_no_distribution_is_taken_for_granted(count, free):
    interval = prediction_interval(100.0, 0.2, measured_errors(count))
    assert interval.ends
    assert interval.basis == (
        f"from the errors on {count} patients whatever their distribution: in 90 % of cases like these at least"
        if free
        else f"from the errors on {count} patients, taken as log-normal"
    )


def test_of_many_new_cases_so_many_are_held_as_was_promised():
    """35 patients, 400 cases of each of 20 draws: near 95 %, whatever guarantee there is besides; and skewed errors."""
    rng = np.random.default_rng(1)
    held = []
    for seed in range(20):
        errors = measured_errors(35, seed)
        ratios, spreads = (np.array(errors[name]) for name in ("ratios", "level_spreads"))
        for spread in rng.uniform(0.0, 1.0, 400 // 20):
            low, high = jackknife_plus(ratios, spreads, float(spread), 0.95)
            truth = rng.normal(0, 1, 20) * np.hypot(0.3, spread)
            held.append(np.mean((low <= truth) & (truth <= high)))
    assert 0.93 < np.mean(held) < 0.99


def test_an_interval_is_of_its_own_unit_and_is_called_by_its_name():
    interval = prediction_interval(4.0, 0.2, measured_errors(9), unit="g/mL", name="SUVmean")
    assert interval.unit == "g/mL" and interval.low < 4.0 < interval.high
    assert "range of SUVmean is shown" in prediction_interval(0.0, 0.0, None, name="SUVmean").withheld
