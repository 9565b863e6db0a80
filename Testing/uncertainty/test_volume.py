"""The lesion volume with its interval, by hand."""

import numpy as np
import pytest
from DiffuFuseMedLib.uncertainty import log_ratio_errors, volume_interval

T_95_9 = 2.2621571628  # Student's t, 9 degrees of freedom, two-sided 95 %: any printed table


def test_errors_are_the_mean_and_spread_of_the_log_ratio():
    # ln 2 and ln 8 about their mean ln 4: each ln 2 away, and one degree of freedom
    errors = log_ratio_errors([20.0, 80.0], [10.0, 10.0])
    assert errors == pytest.approx({"mean": np.log(4), "sd": np.sqrt(2) * np.log(2), "patients": 2})


def test_an_empty_prediction_does_not_divide_by_zero():
    assert np.isfinite(list(log_ratio_errors([20.0, 80.0], [0.0, 10.0]).values())).all()


def test_the_interval_is_students_about_the_log_ratio():
    """Ten patients: half-width t * sd * sqrt(1 + 1/10), no spread among the samples."""
    interval = volume_interval(100.0, [100.0, 100.0], {"mean": 0.0, "sd": 0.2, "patients": 10})
    reach = T_95_9 * 0.2 * np.sqrt(1.1)
    assert (interval.low, interval.high) == pytest.approx((100 * np.exp(-reach), 100 * np.exp(reach)))
    assert (interval.value, interval.unit, interval.level) == (100.0, "mL", 0.95)


def test_what_is_usually_missed_moves_the_interval():
    errors = {"mean": np.log(1.5), "sd": 0.3, "patients": 10}
    interval = volume_interval(100.0, [100.0], errors)
    assert interval.low * interval.high == pytest.approx(150.0**2)


def test_samples_that_disagree_widen_the_interval():
    errors = {"mean": 0.0, "sd": 0.2, "patients": 10}
    alike, apart = (volume_interval(100.0, s, errors) for s in ([100.0, 100.0], [50.0, 200.0]))
    # ln 50 and ln 200 lie ln 2 from their mean
    reach = T_95_9 * np.sqrt(0.2**2 * 1.1 + np.log(2) ** 2)
    assert apart.high == pytest.approx(100 * np.exp(reach))
    assert apart.low < alike.low < alike.high < apart.high


def test_the_interval_always_holds_the_value():
    interval = volume_interval(100.0, [100.0], {"mean": 3.0, "sd": 0.01, "patients": 10})
    assert interval.low == 100.0 < interval.high


def test_without_calibration_the_samples_range_is_left():
    interval = volume_interval(100.0, [80.0, 130.0], None)
    assert (interval.low, interval.value, interval.high) == (80.0, 100.0, 130.0)


def test_without_calibration_or_samples_there_is_only_the_value():
    interval = volume_interval(100.0, [], None)
    assert (interval.low, interval.high) == (100.0, 100.0)


def test_no_lesion_is_zero_up_to_the_largest_sample():
    interval = volume_interval(0.0, [0.0, 3.0], {"mean": 0.0, "sd": 0.2, "patients": 10})
    assert (interval.low, interval.value, interval.high) == (0.0, 0.0, 3.0)
