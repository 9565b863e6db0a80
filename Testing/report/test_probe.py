"""What a probe found, as a page and in a case's report: the curve, every number, and that the tumors are made up."""

import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.probed import ModelName, Probed, ProbeRecord
from DiffuFuseMedLib.report.probe import curve, interval, write_probe

ROWS = [(15.0, 1.0, 1, 4), (15.0, 0.5, 0, 4), (30.0, 1.0, 4, 4), (30.0, 0.5, 2, 4)]
TUMORS = tuple(
    Probed(d, c, 1.8, 4.0 if c == 1 else None, 0.3 if n < found else 0.05, 0.55, 0.6 if n == 3 else 0.1, 7 + n)
    for d, c, found, tried in reversed(ROWS)
    for n in range(tried)
)
BY = ModelName("a-segmenter", "a1" * 32), ModelName("a-synthesizer", "b2" * 32)
RECORD = ProbeRecord("<thigh>", Grid((4, 4, 4)), *BY, ("CT", "PET"), TUMORS, ("The case's own lesion is out.",), 3.5)


def test_the_page_tells_what_was_found_of_each_kind_and_that_it_is_synthetic(tmp_path, page_of):
    write_probe(RECORD, tmp_path / "probe.html")
    page = page_of(tmp_path / "probe.html")
    assert "15 1 1 of 4 25% [5%, 70%]" in page.text and "30 0.5 2 of 4 50% [15%, 85%]" in page.text
    assert "15 1 1.8 4.0 0.30 55% 10% 7" in page.text and "30 0.5 1.8 no PET 0.05 55% 60% 10" in page.text
    assert page.text.index("15 1 1 of 4") < page.text.index("15 0.5 0 of 4") < page.text.index("30 1 4 of 4")
    assert "These tumors are synthetic: a-synthesizer (sha256 b2b2b2b2b2b2)" in page.text
    for told in ("3.5 mL lesion", "own lesion is out", "4 of 16 lie where", "<thigh>", "IoU of 0.1"):
        assert told in page.text
    assert len(page.images) == 1 and "<thigh>" not in page.source


def test_the_curve_is_a_picture_and_the_interval_wilsons():
    assert curve(ROWS).startswith(b"\x89PNG")
    assert interval(0, 4) == (pytest.approx(0.0), pytest.approx(0.4899, abs=1e-3))
