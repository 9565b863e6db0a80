"""What the table of numbers says of a range."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from DiffuFuseMedLib.core.prediction import Interval
from DiffuFuseMedLib.core.suv_units import BODY_WEIGHT
from DiffuFuseMedLib.session.numbers import number_rows, quantified


def rows_of(sarcoma, ends):
    lesion = np.asarray(sarcoma.volumes["PET"].array > 3)
    return {row["label"]: row for row in number_rows(lesion, sarcoma, None, ends)}


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(0.0, 1e6, "0.0 to 1000000.0"), (1e6, 0.0, "0.0 to 1000000.0"), (1e5, 1e6, ""), (0.0, 0.01, ""), (0.0, 0.0, "")],
)
def test_a_range_that_leaves_out_its_own_value_is_not_shown(sarcoma, low, high, shown):
    row = rows_of(sarcoma, [{"suv_max": low}, {"suv_max": high}])["SUVmax"]
    assert (row["range"], row["value"] != "none") == (shown, True)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (1.0, 2.0), (1.0, 1.0), (0.9999, 1.0001)])
def test_a_range_that_ends_at_its_own_value_is_not_shown(sarcoma, ends):
    value = quantified(np.asarray(sarcoma.volumes["PET"].array > 3), sarcoma)["suv_max"]
    row = rows_of(sarcoma, [{"suv_max": value * end} for end in ends])["SUVmax"]
    assert row["range"] == ""


def test_without_contours_there_is_no_range(sarcoma):
    assert {row["range"] for row in rows_of(sarcoma, []).values()} == {""}


def rows_with(sarcoma, uptake, suv=BODY_WEIGHT, outside=()):
    lesion = np.asarray(sarcoma.volumes["PET"].array > 3)
    volume = Interval(1.0, None, None, "mL", withheld="why")
    prediction = SimpleNamespace(uptake=uptake, volume_ml=volume, outside=outside)
    ends = [
        {"suv_mean": 0.0, "mtv_ml": 0.0, "suv_max": 0.0, "volume_ml": 0.0},
        {"suv_mean": 1e6, "mtv_ml": 1e6, "suv_max": 1e6, "volume_ml": 1e6},
    ]
    return {row["label"]: row["range"] for row in number_rows(lesion, sarcoma, prediction, ends, suv)}


def test_where_errors_in_pet_were_measured_the_range_is_the_calibrated_one(sarcoma):
    told = rows_with(sarcoma, {"suv_mean": Interval(4.0, 1.0, 90.0, "g/mL")})
    assert told["SUVmean"] == "1.0 to 90.0"
    assert told["SUVmax"] == "0.0 to 1000000.0"  # inside the contours
    assert told["MTV (41 %)"] == told["Volume"] == ""  # which are no interval of a number that could have one


def test_a_calibrated_range_goes_with_the_unit_of_suv(sarcoma):
    twice = replace(BODY_WEIGHT, factor=2.0)
    told = rows_with(sarcoma, {n: Interval(4.0, 1.0, 9e5, "") for n in ("suv_mean", "mtv_ml", "tlg_g")}, twice)
    ends = {label.split()[-1] if "TLG" in label else label: span for label, span in told.items() if span}
    assert ends["SUVmean"] == "2.0 to 1800000.0" and ends["MTV (41 %)"] == "1.0 to 900000.0"
    assert ends["TLG"] == "2 to 1800000"


def test_a_calibrated_range_that_leaves_out_the_number_is_not_shown_nor_contours_for_one_that_is_withheld(sarcoma):
    assert rows_with(sarcoma, {"suv_mean": Interval(4.0, 1e4, 2e4, "g/mL")})["SUVmean"] == ""
    told = rows_with(sarcoma, {"suv_mean": Interval(4.0, None, None, "g/mL", withheld="why")})
    assert told["SUVmean"] == ""
    assert told["Volume"] == ""  # of which nothing but the calibrated range is a range
