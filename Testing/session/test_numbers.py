"""What the table of numbers says of a range."""

import numpy as np
import pytest
from DiffuFuseMedLib.session.numbers import number_rows, quantified


def rows_of(sarcoma, ends):
    lesion = np.asarray(sarcoma.volumes["PET"].array > 3)
    return {row["label"]: row for row in number_rows(lesion, sarcoma, None, ends)}


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(0.0, 1e6, "0.0 to 1000000.0"), (1e6, 0.0, "0.0 to 1000000.0"), (1e5, 1e6, ""), (0.0, 0.01, ""), (0.0, 0.0, "")],
)
def test_a_range_that_leaves_out_its_own_value_is_not_shown(sarcoma, low, high, shown):
    row = rows_of(sarcoma, [{"mtv_ml": low}, {"mtv_ml": high}])["MTV (41 %)"]
    assert (row["range"], row["value"] != "none") == (shown, True)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (1.0, 2.0), (1.0, 1.0), (0.9999, 1.0001)])
def test_a_range_that_ends_at_its_own_value_is_not_shown(sarcoma, ends):
    value = quantified(np.asarray(sarcoma.volumes["PET"].array > 3), sarcoma)["mtv_ml"]
    row = rows_of(sarcoma, [{"mtv_ml": value * end} for end in ends])["MTV (41 %)"]
    assert row["range"] == ""


def test_without_contours_there_is_no_range(sarcoma):
    assert {row["range"] for row in rows_of(sarcoma, []).values()} == {""}
