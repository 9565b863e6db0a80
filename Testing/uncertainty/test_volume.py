"""The lesion volume with its interval, by hand."""

import numpy as np
import pytest
from DiffuFuseMedLib.uncertainty import depends_on_case, log_ratio_errors, log_spread, volume_interval

OWN = {"spreads": [0.0, 0.1, 0.6, 0.9]}  # samples of some patients disagree: a range of the case's own
T_95_9 = 2.2621571628  # Student's t, 9 degrees of freedom, two-sided 95 %: any printed table


def test_errors_are_the_mean_and_spread_of_the_log_ratio():
    # ln 2 and ln 8 about their mean ln 4: each ln 2 away, and one degree of freedom
    errors = log_ratio_errors([20.0, 80.0], [10.0, 10.0])
    assert errors == pytest.approx({"mean": np.log(4), "sd": np.sqrt(2) * np.log(2), "patients": 2})


def test_an_empty_prediction_does_not_divide_by_zero():
    assert np.isfinite(list(log_ratio_errors([20.0, 80.0], [0.0, 10.0]).values())).all()


def test_the_interval_is_students_about_the_log_ratio():
    """Ten patients: half-width t * sd * sqrt(1 + 1/10), no spread among the samples."""
    interval = volume_interval(100.0, [100.0, 100.0], {"mean": 0.0, "sd": 0.2, "patients": 10, **OWN})
    reach = T_95_9 * 0.2 * np.sqrt(1.1)
    assert (interval.low, interval.high) == pytest.approx((100 * np.exp(-reach), 100 * np.exp(reach)))
    assert (interval.value, interval.unit, interval.level) == (100.0, "mL", 0.95)


def test_what_is_usually_missed_moves_the_interval():
    errors = {"mean": np.log(1.5), "sd": 0.3, "patients": 10, **OWN}
    interval = volume_interval(100.0, [100.0], errors)
    assert interval.low * interval.high == pytest.approx(150.0**2)


def test_samples_that_disagree_widen_the_interval():
    errors = {"mean": 0.0, "sd": 0.2, "patients": 10, **OWN}
    alike, apart = (volume_interval(100.0, s, errors) for s in ([100.0, 100.0], [50.0, 200.0]))
    # ln 50 and ln 200 lie ln 2 from their mean
    reach = T_95_9 * np.sqrt(0.2**2 * 1.1 + np.log(2) ** 2)
    assert apart.high == pytest.approx(100 * np.exp(reach))
    assert apart.low < alike.low < alike.high < apart.high


def test_the_interval_always_holds_the_value():
    interval = volume_interval(100.0, [100.0], {"mean": 3.0, "sd": 0.01, "patients": 10, **OWN})
    assert interval.low == 100.0 < interval.high


@pytest.mark.parametrize(
    ("volume_ml", "errors", "why"),
    [
        (100.0, None, "were not measured"),
        (100.0, {"mean": 0.0, "sd": 0.2, "patients": 10}, "the same factor for every case"),
        (
            100.0,
            {"mean": 0.0, "sd": 0.2, "patients": 10, "spreads": [0.01, 0.02, 0.01, 0.02, 0.01, 0.25]},
            "the same factor",
        ),
        (0.0, {"mean": 0.0, "sd": 0.2, "patients": 10, **OWN}, "nothing was found"),
    ],
    ids=["no errors", "no spreads", "spreads all alike but one", "nothing found"],
)
def test_an_interval_that_cannot_be_stood_for_is_withheld_with_a_sentence(volume_ml, errors, why):
    interval = volume_interval(volume_ml, [80.0, 130.0], errors)
    assert (interval.value, interval.low, interval.high, interval.ends) == (volume_ml, None, None, None)
    assert interval.withheld.startswith("No range of the volume is shown: ")
    assert why in interval.withheld


def test_a_width_that_differs_by_a_tenth_between_the_quartiles_is_the_cases_own():
    """sd 1 of very many patients: widths sqrt(1 + s^2) of 1 and 1.118 for spreads of 0 and 0.5, 1.044 for 0.3."""
    errors = {"mean": 0.0, "sd": 1.0, "patients": 10**6}
    assert depends_on_case({**errors, "spreads": [0.0, 0.0, 0.5, 0.5]})
    assert not depends_on_case({**errors, "spreads": [0.0, 0.0, 0.3, 0.3]})


def test_the_spread_of_samples_is_that_of_their_logarithms():
    assert log_spread([50.0, 200.0]) == pytest.approx(np.log(2))
    assert log_spread([]) == 0.0
