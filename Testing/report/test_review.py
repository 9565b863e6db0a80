"""The report's review: what was decided where, before and after, what is left open, and whose numbers are whose."""

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.lesion import quantify
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.report import ReviewSection, review_figures, write_report
from DiffuFuseMedLib.report import review as section
from DiffuFuseMedLib.report.planes import AXIAL, CORONAL
from DiffuFuseMedLib.report.scene import Scene
from DiffuFuseMedLib.report.words import number
from DiffuFuseMedLib.review import Decision, Progress, Region, Review, Worklist, worklist
from matplotlib.image import imread
from scipy.ndimage import gaussian_filter

START = datetime(2025, 1, 2, 10, 0, tzinfo=UTC)
GRID = Grid((60, 60, 30), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0))


def box(k, j, i):
    """bool [k, j, i] on GRID, True in the box."""
    mask = np.zeros(GRID.shape, bool)
    mask[slice(*k), slice(*j), slice(*i)] = True
    return mask


@pytest.fixture(scope="module")
def a_case():
    ct = np.full(GRID.shape, 40, np.float32)
    return Case("c", GRID, "CT", {"CT": Volume(ct, GRID, "CT")}, {"CT": np.ones(GRID.shape, bool)})


@pytest.fixture(scope="module")
def a_prediction():
    """A soft box of 40 x 40 x 40 mm: 64 mL drawn."""
    lesion = box((5, 25), (10, 50), (10, 50))
    p = np.clip(gaussian_filter(lesion.astype(np.float32), (1.5, 3, 3)), 1e-4, 1 - 1e-4)
    entropy = {"predictive_entropy": (-p * np.log(p) - (1 - p) * np.log1p(-p)).astype(np.float32)}
    volume = Interval(64.0, 55.0, 75.0, "mL")
    return Prediction(GRID, p, lesion.astype(np.uint8), entropy, p > 0.95, p > 0.05, {"CT": 1.0}, volume)


@pytest.fixture(scope="module")
def a_reviewed_case(a_prediction):
    """The review and the lesion as it stands: region 1 accepted in 75 s, 2 corrected by -0.2 mL in 9 s, 3 skipped."""
    review, before = Review(worklist(a_prediction)), a_prediction.labels == 1
    at = before & (review.worklist.labels == 2)
    removed = np.zeros(GRID.shape, bool)
    removed.ravel()[np.flatnonzero(at)[:100]] = True  # 100 voxels of 2 mm3
    after, now = before & ~removed, START
    for region_id, status, mask, seconds in (
        (1, "accepted", before, 75),
        (2, "corrected", after, 9),
        (3, "skipped", after, 2),
    ):
        review.start(region_id, now)
        now += timedelta(seconds=seconds)
        review.decide(region_id, status, before if region_id < 3 else after, mask, now)
    return review, after


@pytest.fixture(scope="module")
def the_page(a_case, a_prediction, a_reviewed_case, page_of, tmp_path_factory):
    review, drawn = a_reviewed_case
    return reported(
        a_case, a_prediction, ReviewSection(review, drawn, a_prediction.labels == 1), page_of, tmp_path_factory
    )


def reported(case, prediction, part, page_of, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(prediction, case, path, [], quantify(part.drawn, case), review=part)
    return page_of(path)


def test_each_decided_region_says_what_was_done_there(the_page, a_reviewed_case):
    regions = a_reviewed_case[0].worklist.regions
    assert len(regions) > 3
    for region, done in zip(
        regions,
        ("accepted, unchanged, 1 min 15 s", "corrected, -0.20 mL, 9 s", "skipped, unchanged, 2 s"),
        strict=False,
    ):
        assert (
            f"{region.id}: {region.question} {done} Expected error {number(region.expected_error_mm3 / 1000)} mL"
            in the_page.text
        )


def test_the_progress_and_what_is_left_open_are_said(the_page, a_reviewed_case):
    review, _ = a_reviewed_case
    found, count = review.worklist, len(review.worklist.regions)
    share = sum(r.expected_error_mm3 for r in found.regions[:2]) / (found.listed_mm3 + found.left_over_mm3)
    assert (
        f"2 of {count} regions done, 1 skipped, {count - 3} left open: {100 * share:.0f} % of the expected"
        in the_page.text
    )
    left = the_page.text.split("Left open")[1]
    assert all(f"{region.id} {region.question}" in left for region in found.regions[3:])
    assert f"1 {found.regions[0].question}" not in left


def test_an_outline_that_was_taken_is_said(a_case, a_reviewed_case, a_prediction, page_of, tmp_path_factory):
    review, drawn = a_reviewed_case
    taken = replace(review.decisions[2], taken="3 of 8 samples")
    part = ReviewSection(Review(review.worklist, {**review.decisions, 2: taken}), drawn, a_prediction.labels == 1)
    text = reported(a_case, a_prediction, part, page_of, tmp_path_factory).text
    assert "corrected, -0.20 mL, 9 s Taken: 3 of 8 samples. Expected error" in text
    assert text.count("Taken:") == 1


def test_a_decision_that_was_taken_back_is_left_open(a_case, a_reviewed_case):
    review, drawn = a_reviewed_case
    back = Decision(1, "open", 5.0, 0, 0.0, START.isoformat())
    part = ReviewSection(Review(review.worklist, {**review.decisions, 1: back}), drawn, drawn)
    said = section.review_section(part, a_case)
    assert [card["id"] for card in said["decided"]] == ["2", "3"]
    assert said["open"][0]["id"] == "1"


def test_an_open_region_with_outlines_taken_for_some_of_its_parts_is_shown(a_case, a_reviewed_case):
    review, drawn = a_reviewed_case
    begun = Decision(1, "open", 5.0, 9, 90.0, START.isoformat(), "", "part 1 of 3: without PET")
    said = section.review_section(ReviewSection(Review(review.worklist, {1: begun}), drawn, drawn), a_case)
    assert [(card["id"], card["status"], card["taken"]) for card in said["decided"]] == [
        ("1", "open", "Taken: part 1 of 3: without PET")
    ]
    assert "1" not in [row["id"] for row in said["open"]]
    assert said["progress"].startswith("0 of ")


def test_the_numbers_of_a_corrected_lesion_are_told_from_the_predictions(the_page):
    # 64 mL predicted, 0.2 mL taken away
    assert "Volume 63.8 mL as corrected; predicted 64.0 mL, 95 % interval 55.0 to 75.0 mL" in the_page.text
    assert "corrected by hand: volume, SUV, the green contour" in the_page.text


def test_without_a_correction_nothing_is_called_corrected(
    a_case, a_prediction, a_reviewed_case, page_of, tmp_path_factory
):
    same = a_prediction.labels == 1
    page = reported(a_case, a_prediction, ReviewSection(a_reviewed_case[0], same, same), page_of, tmp_path_factory)
    assert "Volume 64.0 mL 95 % interval 55.0 to 75.0 mL" in page.text
    assert "corrected by hand" not in page.text


def test_every_decided_region_has_a_picture_of_its_own_and_none_from_outside(the_page):
    pictures = [a for a in the_page.images if a["alt"].startswith("region ")]
    assert len(pictures) == len({a["alt"] for a in pictures}) == 3
    assert all(base64.b64decode(a["src"].partition(",")[2]).startswith(b"\x89PNG") for a in pictures)
    assert not re.search(r"https?://|url\(|@import|<script", the_page.source)


def test_a_report_without_a_review_has_no_such_section(a_case, a_prediction, page_of, tmp_path):
    write_report(a_prediction, a_case, tmp_path / "r.html", [], {"volume_ml": 64.0})
    assert "Review by the reader" not in page_of(tmp_path / "r.html").text


def scene_of_masks(**masks):
    empty = np.zeros(GRID.shape, bool)
    full = {"region": empty, "lesion": empty, "predicted": empty, **masks}
    return Scene(GRID, "base", {}, {}, full, {}, (0, 0, 0))


def test_a_region_is_cut_where_most_of_it_is_seen():
    # 20 x 4 x 20 mm: flat along j, so the coronal plane shows most of it; 20 mm are 10 slices.
    assert review_figures.best_cut(scene_of_masks(region=box((5, 15), (30, 34), (10, 30)))) == (CORONAL, 30)


def test_a_corrected_region_is_cut_where_most_was_changed():
    region, changed = box((5, 15), (30, 34), (10, 30)), box((12, 13), (31, 34), (10, 30))
    assert review_figures.best_cut(scene_of_masks(region=region, lesion=changed)) == (AXIAL, 12)


def test_before_after_and_region_are_outlined_where_they_are(a_case):
    labels = np.zeros(GRID.shape, np.uint16)
    labels[10, 26:30, 10:50] = 1
    region = Region(1, (0.0, 0.0, 0.0), 320.0, 100.0, 0.5, "border")
    decisions = {1: Decision(1, "corrected", 1.0, 1, 2.0, START.isoformat())}
    review = Review(Worklist((region,), labels, GRID, 100.0, 0.0), decisions)
    part = ReviewSection(review, box((0, 30), (20, 40), (0, 30)), box((0, 30), (20, 40), (0, 20)))
    picture = review_figures.pictures(part, a_case)[1]
    assert picture.where == "Axial S 20 mm"
    rgb = imread(BytesIO(picture.png))[..., :3]
    red, green, blue = np.moveaxis(rgb, -1, 0)
    # 60 mm wide: the borders at 30, 20 and 10 to 50 mm lie at 1/2, 1/3 and 1/6 to 5/6 of the width.
    middle = slice(int(rgb.shape[0] * 0.37), int(rgb.shape[0] * 0.41))  # above the region, inside both lesions
    assert columns(green - red > 0.3, middle) == pytest.approx([1 / 2] * 2, abs=0.02)
    assert columns((red - green > 0.3) & (red - blue > 0.2), slice(None))[1] == pytest.approx(1 / 3, abs=0.02)
    at_region = slice(int(rgb.shape[0] * 0.44), int(rgb.shape[0] * 0.49))
    assert columns(blue - red > 0.4, at_region) == pytest.approx([1 / 6, 5 / 6], abs=0.02)


def columns(mask, rows):
    """First and last column that is True in these rows, as a fraction of the width."""
    found = np.flatnonzero(mask[rows].any(axis=0)) / mask.shape[1]
    return [found.min(), found.max()]


def test_the_fused_image_lies_under_the_contours_when_it_is_given(a_case, a_reviewed_case, a_prediction):
    review, drawn = a_reviewed_case
    fused = np.full(GRID.shape, 0.9, np.float32)
    part = ReviewSection(review, drawn, a_prediction.labels == 1, fused)
    given = review_figures.pictures(part, a_case)
    assert given.caption == "fused image, gray value 0 to 1"
    assert np.median(imread(BytesIO(given[1].png))[..., :3]) == pytest.approx(0.9, abs=0.01)
    ct = review_figures.pictures(ReviewSection(review, drawn, drawn), a_case)
    # 40 HU in a window from -160 to 240
    assert np.median(imread(BytesIO(ct[1].png))[..., :3]) == pytest.approx(0.5, abs=0.01)


def test_an_empty_worklist_is_said():
    assert "The worklist was empty" in section.progress_sentence(Progress(0, 0, 0, 1.0))


def test_seconds_become_minutes():
    assert [section.time_spent(s) for s in (0.4, 59.4, 59.6, 125)] == ["0 s", "59 s", "1 min 00 s", "2 min 05 s"]


def test_masks_of_another_shape_are_refused(a_reviewed_case):
    small = np.zeros((2, 2, 2), bool)
    with pytest.raises(InputError, match="worklist's"):
        ReviewSection(a_reviewed_case[0], small, small)


def test_a_review_of_another_grid_is_refused_and_nothing_written(a_case, a_prediction, a_reviewed_case, tmp_path):
    found = a_reviewed_case[0].worklist
    moved = Worklist(found.regions, found.labels, Grid(GRID.size, GRID.spacing_mm, (9.0, 0.0, 0.0)), 1.0, 0.0)
    mask = a_prediction.labels == 1
    with pytest.raises(InputError, match="another grid"):
        write_report(a_prediction, a_case, tmp_path / "r.html", [], {}, review=ReviewSection(Review(moved), mask, mask))
    assert list(tmp_path.iterdir()) == []
