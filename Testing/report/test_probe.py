"""The probe's page: the curve, every number as it was found, and that the tumors are made up."""

import pytest
from DiffuFuseMedLib.report.probe import curve, interval, write_probe

ROWS = [(15.0, 1.0, 1, 4), (15.0, 0.5, 0, 4), (30.0, 1.0, 4, 4), (30.0, 0.5, 2, 4)]
PAGE = {
    "case": "<thigh>",
    "model": "a-segmenter",
    "synthesizer": "a-synthesizer",
    "false_ml": "3.5",
    "notes": ("The case's own lesion was taken out.",),
    "misfits": ["2 of 60 mm and contrast 1 found no room in the case."],
    "tumors": [("15", "1", "1.8", "4.0", "0.30", "55%", "7")],
}


def test_the_page_tells_what_was_found_of_each_kind_and_that_it_is_synthetic(tmp_path, page_of):
    write_probe(PAGE, ROWS, tmp_path / "probe.html")
    page = page_of(tmp_path / "probe.html")
    assert "15 1 1 of 4 25% [5%, 70%]" in page.text and "30 0.5 2 of 4 50% [15%, 85%]" in page.text
    for told in ("These tumors are synthetic", "3.5 mL lesion", "own lesion was taken out", "found no room", "<thigh>"):
        assert told in page.text
    assert len(page.images) == 1 and "<thigh>" not in page.source


def test_the_curve_is_a_picture_and_the_interval_wilsons():
    assert curve(ROWS).startswith(b"\x89PNG")
    assert interval(0, 4) == (pytest.approx(0.0), pytest.approx(0.4899, abs=1e-3))
