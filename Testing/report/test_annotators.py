"""The report of a case that several annotators drew: their outlines, how far they agree, and the lesion with each."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.agreement import COLORS, Agreement
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.report import figures, write_report
from DiffuFuseMedLib.report.planes import AXIAL
from DiffuFuseMedLib.report.scene import scene_of
from matplotlib.colors import to_rgb
from matplotlib.image import imread

GRID = Grid((48, 48, 12), (4.0, 4.0, 4.0))


def box(j, i):
    mask = np.zeros(GRID.shape, np.uint8)
    mask[4:8, slice(*j), slice(*i)] = 1
    return mask


@pytest.fixture(scope="module")
def a_case():
    ct = np.full(GRID.shape, -1000.0, np.float32)
    ct[2:10, 6:42, 6:42] = 40
    case = Case("two readers", GRID, "CT", {"CT": Volume(ct, GRID, "CT")}, {"CT": np.ones(GRID.shape, bool)})
    drawn = {"reader 1": box((10, 38), (10, 20)), "reader 2": box((10, 38), (24, 38))}
    return case.with_references({name: Volume(mask, GRID) for name, mask in drawn.items()})


@pytest.fixture(scope="module")
def a_prediction():
    found = box((14, 30), (14, 30))
    p = np.where(found, 0.9, 0.1).astype(np.float32)
    volume, made = Interval(4.1, None, None, "mL", withheld="none"), {"model": "m", "notes": []}
    return Prediction(GRID, p, found, {"predictive_entropy": p}, found > 0, found > 0, {}, volume, (), made)


@pytest.fixture(scope="module")
def an_agreement():
    pairs = np.array([[1.0, 0.62], [0.62, 1.0]])
    scores = {"dice": 0.51, "nsd_2mm": 0.43, "hd95_mm": 12.3}
    lesion = dict.fromkeys(("reader 1", "reader 2", "majority", "STAPLE"), scores)
    return Agreement(("reader 1", "reader 2"), pairs, pairs / 2, (17.9, 25.1), 0.0, 21.0, lesion, {"ece": 0.123})


@pytest.fixture(scope="module")
def the_page(a_case, a_prediction, an_agreement, page_of, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(a_prediction, a_case, path, [], {}, {"dice": 0.5}, annotators=an_agreement)
    return page_of(path)


def test_says_how_far_they_agree_and_how_the_lesion_stands_to_each(the_page):
    text = " ".join(the_page.text.split())
    assert "2 annotators: mean pairwise Dice 0.62, surface Dice at 2 mm 0.31; their volumes differ by 24 %" in text
    for shown in ("reader 1", "17.9 mL", "majority", "0.00 mL", "STAPLE", "21.0 mL", "0.51", "0.43", "12.3 mm"):
        assert shown in text
    assert "Against all annotators at once: ECE in the band 0.123." in text


def test_the_scores_are_said_to_be_against_the_majority(the_page):
    assert "Against the majority of the annotators" in the_page.text
    assert "Against the reference mask" not in the_page.text


def test_each_ones_outline_has_its_color_in_picture_and_key(a_case, a_prediction, the_page, tmp_path):
    scene = scene_of(a_prediction, a_case)
    (tmp_path / "panel.png").write_bytes(figures.image_panel(scene, "CT", AXIAL))
    panel = imread(tmp_path / "panel.png")[..., :3]
    for color in COLORS[:2]:
        near = np.abs(panel - np.array(to_rgb(color))).max(axis=-1) < 0.1
        assert near.sum() > 100
        assert color in the_page.source


def test_a_case_of_one_annotator_has_no_such_section(a_case, a_prediction, page_of, tmp_path):
    case = a_case.with_references({})
    write_report(a_prediction, case, tmp_path / "r.html", [], {})
    assert "annotators" not in page_of(tmp_path / "r.html").text
