"""The report: what it says, which way up it shows the patient, and that it needs nothing but itself."""

import base64
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.lesion import quantify
from DiffuFuseMedLib.core.maps import of_prediction
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.core.probed import ModelName, Probed, ProbeRecord
from DiffuFuseMedLib.core.suv_units import BODY_WEIGHT, SuvScale
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.report import content, figures, words, write_report
from DiffuFuseMedLib.report.content import model_words, provenance_rows
from DiffuFuseMedLib.report.planes import AXIAL, CORONAL, SAGITTAL
from DiffuFuseMedLib.report.scene import scene_of
from DiffuFuseMedLib.report.window_level import window_of
from matplotlib.image import imread
from scipy.ndimage import distance_transform_edt

SAMPLE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"


@pytest.fixture(scope="module")
def the_sample_case():
    """STS_010 on the CT's grid."""
    reference = sitk.ReadImage(str(SAMPLE / "CT.nii.gz"), sitk.sitkFloat32)
    images = {m: sitk.ReadImage(str(SAMPLE / f"{m}.nii.gz"), sitk.sitkFloat32) for m in ("PET", "CT", "MR_T1")}
    outside = -1e6
    on_grid = {m: sitk.Resample(image, reference, defaultPixelValue=outside) for m, image in images.items()}
    valid = {m: sitk.GetArrayFromImage(image) > outside for m, image in on_grid.items()}
    volumes = {m: Volume.from_sitk(image, m) for m, image in on_grid.items()}
    drawn = Volume.from_sitk(sitk.ReadImage(str(SAMPLE / "GTV.nii.gz")))
    return Case("STS_010", Grid.of(reference), "CT", volumes, valid, reference_mask=drawn)


@pytest.fixture(scope="module")
def a_prediction(the_sample_case):
    """The drawn lesion with a border 3 mm soft: a logistic in the signed distance."""
    grid, drawn = the_sample_case.grid, the_sample_case.reference_mask.array > 0
    inside, beyond = (distance_transform_edt(mask, sampling=grid.spacing_kji_mm) for mask in (drawn, ~drawn))
    p = np.clip(1 / (1 + np.exp(-(inside - beyond) / 3)), 1e-6, 1 - 1e-6).astype(np.float32)
    entropy = -(p * np.log(p) + (1 - p) * np.log1p(-p))
    maps = {"predictive_entropy": entropy, "expected_entropy": 0.8 * entropy, "mutual_information": 0.2 * entropy}
    gates = {"PET": 0.46, "CT": 0.21, "MR_T1": 0.33}
    provenance = {"model": "sts-test", "sha256": "ab" * 32, "seed": 7, "versions": {"torch": "2.8.0"}}
    volume = Interval(182.4, 171.0, 194.0, "mL")
    return Prediction(grid, p, (p > 0.5).astype(np.uint8), maps, p > 0.95, p > 0.05, gates, volume, (), provenance)


@pytest.fixture(scope="module")
def the_page(a_prediction, the_sample_case, page_of, tmp_path_factory):
    """The report of STS_010."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    measures = quantify(a_prediction.labels == 1, the_sample_case)
    write_report(a_prediction, the_sample_case, path, ["MR T1 covers part."], measures, {"dice": 0.8642})
    return page_of(path)


def test_another_suv_names_every_number_window_and_footer(a_prediction, the_sample_case, page_of, tmp_path):
    suv = SuvScale("bsa", 0.25)
    measures = quantify(a_prediction.labels == 1, the_sample_case, suv)
    write_report(a_prediction, the_sample_case, tmp_path / "r.html", [], measures, suv=suv)
    text = page_of(tmp_path / "r.html").text
    assert re.search(r"SUVbsa max 2\.\d+ cm2/mL", text)
    assert re.search(r"TLG [\d.]+ cm2 SUVbsa times MTV", text)
    assert re.search(r"SUVbsa 0 to 2(\.5)? cm2/mL, inverted", text)  # a quarter of 8 or 10 SUVbw
    assert "SUVbsa is SUV by body surface area" in text


def scene_with(grid, lesion, **arrays):
    """The Scene of a lesion [k, j, i] on a CT of zeros, or of `ct`."""
    ct = arrays.get("ct", np.zeros(grid.shape, np.float32))
    case = Case("c", grid, "CT", {"CT": Volume(ct, grid, "CT")}, {"CT": np.ones(grid.shape, bool)})
    entropy = {"predictive_entropy": arrays.get("entropy", np.zeros(grid.shape, np.float32))}
    probability = lesion.astype(np.float32)
    volume = Interval(1.0, 0.5, 2.0, "mL")
    prediction = Prediction(grid, probability, lesion.astype(np.uint8), entropy, lesion, lesion, {}, volume)
    return scene_of(prediction, case)


def decoded(png):
    return imread(BytesIO(png))[..., :3]


def test_says_who_what_and_how_sure(the_page):
    text = the_page.text
    for said in ("STS_010", "sts-test", "Research use only: not a medical device", "MR T1 covers part.", "ab" * 32):
        assert said in text
    assert "182 mL 95 % interval 171 to 194 mL" in text
    assert re.search(r"SUVmax 11\.\d g/mL", text)
    assert re.search(r"PET 0\.46 MR T1 0\.33 CT 0\.21", text)
    assert "Dice 0.864" in text


def test_explains_every_map(the_page):
    text = the_page.text
    assert all(spec.title in text and spec.meaning in text for spec in of_prediction().values())


def test_needs_no_outside_address(the_page):
    addresses = [v for _, a in the_page.tags for k, v in a.items() if k in ("src", "href", "action", "data", "srcset")]
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert not re.search(r"https?://|url\(|@import|<script", the_page.source)
    assert any("default-src 'none'" in attrs.get("content", "") for _, attrs in the_page.tags)


def test_every_image_is_a_png_with_its_own_description(the_page):
    images = the_page.images
    described = [attrs["alt"] for attrs in images]
    # 3 planes of PET, CT, MR T1 and doubt; 3 gray bars, 3 maps, the montage and the color bar.
    assert len(images) == 3 * 4 + 3 + 3 + 1 + 1
    assert len(set(described)) == len(described)
    for attrs in images:
        assert base64.b64decode(attrs["src"].partition(",")[2]).startswith(b"\x89PNG")


def test_suits_light_dark_and_paper(the_page):
    assert "@media (prefers-color-scheme: dark)" in the_page.source
    assert "@media print" in the_page.source


def test_the_names_it_is_given_cannot_become_markup(a_prediction, the_sample_case, tmp_path):
    lesion = np.zeros((4, 4, 4), bool)
    grid = Grid((4, 4, 4))
    case = Case("<b>x</b>", grid, "CT", {"CT": Volume(np.zeros((4, 4, 4), np.float32), grid, "CT")}, {"CT": ~lesion})
    volume = Interval(0.0, 0.0, 0.1, "mL")
    empty = Prediction(
        grid, np.zeros((4, 4, 4), np.float32), np.zeros((4, 4, 4), np.uint8), {}, lesion, lesion, {}, volume
    )
    write_report(empty, case, tmp_path / "r.html", ["<script>"], {"volume_ml": 0.0})
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;x" in text
    assert "<script>" not in text
    assert "No lesion was found" in text


def test_an_axial_slice_shows_the_patients_left_on_the_right_and_anterior_on_top():
    # One bright voxel, far to the left (high L) and to the front (low P) of the patient.
    grid, ct = Grid((40, 40, 4)), np.full((4, 40, 40), -1000, np.float32)
    ct[:, 2:6, 34:38] = 1000
    lesion = np.zeros(grid.shape, bool)
    lesion[1, 18:22, 18:22] = True
    row, column = brightest(figures.image_panel(scene_with(grid, lesion, ct=ct), "CT", AXIAL))
    assert (row < 0.3, column > 0.7) == (True, True)


@pytest.mark.parametrize(
    "direction", [(1, 0, 0, 0, 1, 0, 0, 0, -1), (0, 1, 0, 1, 0, 0, 0, 0, -1), (-1, 0, 0, 0, -1, 0, 0, 0, 1)]
)
def test_coronal_and_sagittal_show_superior_on_top_however_the_array_lies(direction):
    size = 40
    grid = Grid((size,) * 3, direction=tuple(float(d) for d in direction))
    k, j, i = np.indices(grid.shape)
    lps = grid.to_physical(np.stack([i, j, k], -1).astype(float))
    low = lps.reshape(-1, 3).min(axis=0)
    left, posterior, superior = np.moveaxis(lps - low, -1, 0)
    # Bright where superior, left and anterior at once.
    ct = np.where((superior > 34) & (left > 15) & (posterior < 25), 1000, -1000).astype(np.float32)
    lesion = (abs(superior - 20) < 2) & (abs(left - 20) < 2) & (abs(posterior - 20) < 2)
    scene = scene_with(grid, lesion, ct=ct)
    row, column = brightest(figures.image_panel(scene, "CT", CORONAL))
    assert (row < 0.3, column > 0.5) == (True, True)
    row, column = brightest(figures.image_panel(scene, "CT", SAGITTAL))
    assert (row < 0.3, column < 0.5) == (True, True)


def brightest(png):
    """Center of the bright pixels, as fractions of height and width; letters and contours are too small to count."""
    bright = decoded(png).min(axis=-1) > 0.95
    rows, columns = np.nonzero(bright)
    return np.median(rows) / bright.shape[0], np.median(columns) / bright.shape[1]


def test_a_voxel_is_shown_as_tall_and_wide_as_it_is():
    grid = Grid((40, 30, 20), (1.0, 2.0, 5.0))  # 40 mm wide, 60 mm deep, 100 mm high
    lesion = np.zeros(grid.shape, bool)
    lesion[8:12, 10:20, 10:30] = True
    scene = scene_with(grid, lesion)
    for plane, ratio in ((AXIAL, 60 / 40), (CORONAL, 100 / 40), (SAGITTAL, 100 / 60)):
        height, width, _ = decoded(figures.image_panel(scene, "CT", plane)).shape
        assert height / width == pytest.approx(ratio, rel=0.01)


def test_the_slice_goes_through_the_largest_cross_section_and_says_where():
    grid = Grid((20, 20, 20), (1.0, 1.0, 3.0), (0.0, 0.0, -30.0))
    lesion = np.zeros(grid.shape, bool)
    lesion[5, 8:10, 8:10] = True
    lesion[6, 4:16, 4:16] = True
    scene = scene_with(grid, lesion)
    assert scene.center_kji[0] == 6
    assert AXIAL.position(scene.grid, 6) == "I 12 mm"  # -30 + 6 * 3
    assert CORONAL.position(scene.grid, 5) == "P 5 mm"


def test_the_overlay_is_inferno_from_zero_to_ln_2():
    grid = Grid((40, 40, 4))
    lesion = np.zeros(grid.shape, bool)
    lesion[1, 20, 20] = True
    entropy = np.zeros(grid.shape, np.float32)
    entropy[:, :, :16] = np.log(2)
    picture = decoded(figures.uncertainty_panel(scene_with(grid, lesion, entropy=entropy), "predictive_entropy", AXIAL))
    height, width, _ = picture.shape
    certain, even = picture[height // 5, width * 4 // 5], picture[height // 5, width // 5]
    # Inferno's last color (0.988, 0.998, 0.645) at 90 %, over 0 HU at 160 / 400 gray, dimmed to 55 %.
    np.testing.assert_allclose(even, 0.9 * np.array([0.988, 0.998, 0.645]) + 0.1 * 0.55 * 0.4, atol=0.01)
    np.testing.assert_allclose(certain, 0.55 * 0.4, atol=0.01)


def test_outside_the_field_of_view_is_neither_black_nor_white(the_sample_case, a_prediction):
    scene = scene_of(a_prediction, the_sample_case)
    picture = decoded(figures.image_panel(scene, "MR_T1", AXIAL))
    np.testing.assert_allclose(picture[40, 40], figures.OUTSIDE, atol=0.01)


def test_contours_are_drawn_where_the_masks_are():
    grid = Grid((40, 40, 4))
    lesion = np.zeros(grid.shape, bool)
    lesion[1, 10:30, 10:30] = True
    picture = decoded(figures.image_panel(scene_with(grid, lesion), "CT", AXIAL))
    # Green exceeds red and blue by far on the lesion's line only: from 10 to 30 of 40 pixels.
    rows, columns = np.nonzero((picture[..., 1] - picture[..., 0] > 0.3) & (picture[..., 1] - picture[..., 2] > 0.2))
    edges = np.array([rows.min(), rows.max(), columns.min(), columns.max()]) / picture.shape[0]
    np.testing.assert_allclose(edges, [0.25, 0.75, 0.25, 0.75], atol=0.02)


def test_gate_bars_are_ranked_and_fill_the_whole_together():
    rows = content.gate_rows({"CT": 0.25, "PET": 0.75})
    assert [(row["label"], row["percent"]) for row in rows] == [("PET", 75.0), ("CT", 25.0)]


def test_provenance_gives_each_timing_its_row_and_unit_and_leaves_the_settings_out():
    rows = content.provenance_rows({"seed": 7, "timings_s": {"sample": 6.214}, "config": {"width": 32}})
    assert rows == [("Seed", "7"), ("Timings: sample", "6.21 s")]


def test_provenance_says_a_list_in_words():
    rows = content.provenance_rows({"domain": {"outside": []}, "requested_modalities": ["CT", "PET"]})
    assert rows == [("Domain: outside", "none"), ("Requested modalities", "CT, PET")]


def test_a_withheld_range_of_a_corrected_lesion_is_a_sentence_of_its_own():
    volume = Interval(294.0, 200.0, 400.0, "mL").without_ends("No range is shown: why.")
    [tile] = content.corrected_numbers(volume, {"volume_ml": 290.0}, BODY_WEIGHT)
    assert tile["meaning"] == "as corrected; predicted 294 mL. No range is shown: why."


def test_a_tile_whose_range_is_withheld_says_why():
    volume, uptake = (
        Interval(294.0, 200.0, 400.0, "mL"),
        {"suv_mean": Interval(4.0, 3.0, 5.0, "g/mL").without_ends("Why not.")},
    )
    tiles = content.key_numbers(volume, {"volume_ml": 294.0, "suv_mean": 4.0, "suv_max": 9.0}, BODY_WEIGHT, uptake)
    assert [tile["meaning"] for tile in tiles if tile["label"] == "SUVmean"] == ["mean of the lesion, Why not"]
    assert "not" not in next(tile["meaning"] for tile in tiles if tile["label"] == "SUVmax")


def test_tiles_tell_the_intervals_of_numbers_in_pet_in_their_unit():
    volume = Interval(294.0, 200.0, 400.0, "mL", basis="from nine patients")
    uptake = {"suv_mean": Interval(4.0, 3.0, 5.0, "g/mL"), "mtv_ml": Interval(90.0, 95.0, 99.0, "mL")}
    twice = replace(BODY_WEIGHT, factor=2.0)
    measures = {"volume_ml": 290.0, "suv_mean": 8.0, "suv_max": 20.0, "mtv_ml": 90.0}
    tiles = {tile["label"]: tile["meaning"] for tile in content.key_numbers(volume, measures, twice, uptake)}
    assert tiles["Volume"] == "95 % interval 200 to 400 mL, from nine patients"
    assert tiles["SUVmean"] == "mean of the lesion, 95 % interval 6.00 to 10.0"
    assert "interval" not in tiles["SUVmax"] + tiles["MTV"]  # none is known, and one that leaves out its number
    corrected = content.corrected_numbers(volume, {**measures, "suv_mean": 11.0}, twice, uptake)
    assert not any("interval" in tile["meaning"] for tile in corrected[1:])


def test_numbers_have_three_digits_and_no_exponent():
    given = [182.44, 11.72, 5.163, 0.8642, 0.00001, None, float("nan"), True, 7]
    assert [words.number(v) for v in given] == ["182", "11.7", "5.16", "0.864", "0.000", "n/a", "n/a", "yes", "7"]


def test_pet_is_dark_where_it_is_hot_and_as_wide_as_its_own_uptake():
    pet = np.array([0.0, 3.5, 6.9, 6.9])
    window = window_of("PET", pet, np.ones(4, bool))
    assert (window.low, window.high, window.caption) == (0, 8, "SUVbw 0 to 8 g/mL, inverted")
    np.testing.assert_allclose(window.gray(np.array([0.0, 4.0, 8.0, 20.0])), [1, 0.5, 0, 0])


def test_the_bar_over_a_column_has_the_grays_and_the_ends_of_its_window():
    head = content.column("PET", window_of("PET", np.full(9, 4.0), np.ones(9, bool)))
    assert (head["legend"]["low"], head["legend"]["high"]) == ("0", "4 g/mL")
    assert "from 0, white, to 4 g/mL, black" in head["legend"]["alt"]
    png = imread(BytesIO(base64.b64decode(head["legend"]["src"].partition(",")[2])))
    np.testing.assert_allclose(png[5, [0, 128, -1], 0], [1, 0.5, 0], atol=0.01)


def test_refuses_a_prediction_on_another_grid(a_prediction, the_sample_case, tmp_path):
    other = the_sample_case.cropped((0, 0, 0), (9, 9, 9))
    with pytest.raises(InputError, match="another grid"):
        write_report(a_prediction, other, tmp_path / "report.html", [], {})
    assert list(tmp_path.iterdir()) == []


def test_the_page_names_the_images_that_the_model_saw_and_no_others(a_prediction, the_sample_case, tmp_path):
    seen = replace(a_prediction, provenance={**a_prediction.provenance, "modalities": ["CT"]})
    write_report(seen, the_sample_case, tmp_path / "r.html", [], {}, None)
    assert "with uncertainty, from CT</p>" in (tmp_path / "r.html").read_text()


def test_of_a_panel_the_page_says_which_network_did_what():
    members = [{"model": "first", "samples": 4}, {"model": "second", "samples": 4}]
    told = {"model": "panel", "members": members}
    words = "panel (lesion and gates: first; probability and doubt: second too)"
    assert model_words(told) == words
    assert model_words({"model": "panel", "members": members[:1]}) == "panel (first alone)"
    assert model_words({"model": "alone"}) == "alone" and model_words({}) == "not recorded"
    rows = dict(provenance_rows(told))
    assert rows["Members 1: model"] == "first" and rows["Members 2: samples"] == "4"


def test_synthetic_tumors_have_a_section_of_their_own_where_some_were_tried(
    a_prediction, the_sample_case, page_of, the_page, tmp_path
):
    by = ModelName("sts-test", "ab" * 32), ModelName("a-drawer", "cd" * 32)
    tumors = tuple(Probed(30.0, 1.0, 14.0, 5.0, iou, 0.7, 0.0, 3) for iou in (0.6, 0.02, 0.5, 0.3))
    record = ProbeRecord("STS_010", the_sample_case.grid, *by, ("CT", "PET"), tumors, ("Its own lesion was out.",))
    measures = quantify(a_prediction.labels > 0, the_sample_case)
    write_report(a_prediction, the_sample_case, tmp_path / "report.html", [], measures, probe=record)
    page = page_of(tmp_path / "report.html")
    assert "What sts-test finds of synthetic tumors" in page.text and "30 1 3 of 4 75% [30%, 95%]" in page.text
    assert "a-drawer (sha256 cdcdcdcdcdcd) made them up" in page.text and "Its own lesion was out." in page.text
    assert "Without any tumor" not in page.text, "nobody looked"
    assert "says little" not in page.text
    assert len(page.images) == len(the_page.images) + 1
    assert "ynthetic" not in the_page.text
