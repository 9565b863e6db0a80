"""The report of a fusion: what it says, what it draws, alone and inside the report of a run."""

import base64
import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.fusion import Fusion
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.rois import Rois
from DiffuFuseMedLib.report import fusion as section
from DiffuFuseMedLib.report import fusion_figures, write_fusion_report, write_report
from DiffuFuseMedLib.report.fusion_scene import SHOWN_MAP, fusion_scene, fusion_windows
from DiffuFuseMedLib.report.planes import AXIAL
from DiffuFuseMedLib.report.window_level import Window
from matplotlib import colormaps
from matplotlib.image import imread


@pytest.fixture(scope="module")
def the_page(a_fused_case, page_of, tmp_path_factory):
    """The report of the real case's fusion."""
    case, fusion = a_fused_case
    path = tmp_path_factory.mktemp("report") / "fusion.html"
    write_fusion_report(fusion, case, path)
    return page_of(path)


@pytest.fixture
def a_flat_fusion(a_fused_case):
    """A function of gray, uncertainty and SUV: a fusion and its case of 40 x 40 x 4 voxels that have these everywhere,
    with a lesion in the middle; the PET's field of view ends before the last ten columns."""
    _, real = a_fused_case
    grid = Grid((40, 40, 4))

    def make(gray=0.5, uncertainty=0.0, suv=0.0, **masks):
        full = {name: np.full(grid.shape, value, np.float32) for name, value in {"CT": 40, "MR_T1": 9}.items()}
        full["PET"] = np.full(grid.shape, suv, np.float32)
        valid = {m: np.ones(grid.shape, bool) for m in full}
        valid["PET"][..., 30:] = False
        lesion, empty = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
        lesion[1:3, 19:21, 19:21] = True
        rois = {
            "soft": empty,
            "bone": empty,
            "lesion": lesion,
            "inside": ~empty,
            "region": "body",
            "source": {},
            **masks,
        }
        images = {"image": np.full(grid.shape, gray, np.float32), "uncertainty": empty + np.float32(uncertainty)}
        fused = replace(real.fused, **images)
        case = Case("flat", grid, "CT", {m: Volume(a, grid, m) for m, a in full.items()}, valid)
        return Fusion(grid, "MR_T1", fused, Rois(**rois), real.settings), case

    return make


def decoded(png):
    return imread(BytesIO(png))[..., :3]


def at(picture, row, column):
    """The color at fractions of height and width."""
    height, width, _ = picture.shape
    return picture[int(row * height), int(column * width)]


def test_says_what_was_fused_and_why_so(the_page):
    for said in (
        "STS_010", "Fused image: CT and MR T1, preset Soft-tissue sarcoma", "Research use only: not a medical device",
        "along which the surgeon cuts", "The bone mask was drawn by hand.", "cd" * 32, "window -160 to 840 HU",
    ):  # fmt: skip
        assert said in the_page.text


def test_shows_each_slider_and_where_a_hand_moved_it(the_page):
    assert "alpha soft tissue like MRI 0.90 beta bone like CT 0.60 gamma" in the_page.text
    assert "gamma lesion border 0.60 moved from the preset's 0.75" in the_page.text
    assert the_page.text.count("moved from") == 1


def test_puts_the_fused_image_first_among_the_rows_and_has_no_number_for_none(the_page):
    head = "Soft tissue SSIM to MR Bone PSNR to CT dB"
    assert f"{head} Fused 0.912 21.4 Average 0.500 n/a" in the_page.text


def test_gives_every_roi_its_volume_and_source(the_page):
    assert re.search(
        r"Soft \d+ mL inside the body, not bone Bone [\d.]+ mL above 250 HU Lesion 1\d\d mL drawn", the_page.text
    )


def test_needs_no_outside_address(the_page):
    addresses = [v for _, a in the_page.tags for k, v in a.items() if k in ("src", "href", "action", "data", "srcset")]
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert not re.search(r"https?://|url\(|@import|<script", the_page.source)
    assert any("default-src 'none'" in attrs.get("content", "") for _, attrs in the_page.tags)


def test_shows_sources_fused_image_pet_and_doubt_in_three_planes(the_page):
    described = [attrs["alt"] for attrs in the_page.images]
    assert len(described) == len(set(described)) == 3 * 5 + 3 + 2  # three gray bars, two color bars
    for plane in ("Axial", "Coronal", "Sagittal"):
        of_plane = [text.partition(", ")[2] for text in described if text.startswith(plane)]
        assert of_plane == [
            "CT with bone and lesion outline", "MR T1 with soft-tissue and lesion outline", "fused image",
            "PET as color over the fused image", "probability that a gray value is off by more than 0.1",
        ]  # fmt: skip
    assert all(base64.b64decode(a["src"].partition(",")[2]).startswith(b"\x89PNG") for a in the_page.images)


def test_the_run_of_a_case_can_hold_the_fusion_as_a_section(a_fused_case, page_of, tmp_path):
    case, fusion = a_fused_case
    lesion = fusion.rois.lesion
    maps = {"predictive_entropy": np.zeros(case.grid.shape, np.float32)}
    volume = Interval(182.4, 171.0, 194.0, "mL")
    prediction = Prediction(
        case.grid, lesion.astype(np.float32), lesion.astype(np.uint8), maps, lesion, lesion, {}, volume
    )
    for name, given in {"with": fusion, "without": None}.items():
        write_report(prediction, case, tmp_path / name, [], {}, fusion=given)
    page, bare = page_of(tmp_path / "with"), page_of(tmp_path / "without")
    assert len(page.images) == len(bare.images) + 3 * 5 + 3 + 2
    assert "Fused image: CT and MR T1" in page.text
    assert "Volume 182 mL" in page.text
    assert "Fused image" not in bare.text
    assert page.source.count("<html") == 1


def test_without_pet_there_is_no_color_layer(a_fused_case, page_of, tmp_path):
    case, fusion = a_fused_case
    write_fusion_report(fusion, case.only(["CT", "MR_T1"]), tmp_path / "r.html")
    page = page_of(tmp_path / "r.html")
    assert len(page.images) == 3 * 4 + 3 + 1
    assert "PET" not in page.text


def test_without_a_lesion_it_says_so_and_shows_the_middle_of_the_body(a_flat_fusion, page_of, tmp_path):
    inside = np.zeros((4, 40, 40), bool)
    inside[0:3, 2:13, 20:31] = True  # its center: 1, 7, 25
    fusion, case = a_flat_fusion(lesion=np.zeros(inside.shape, bool), inside=inside)
    scene = fusion_scene(fusion, case)
    assert scene.center_kji == (1, 7, 25)
    write_fusion_report(fusion, case, tmp_path / "r.html")
    assert "Gamma had no lesion to draw: none given." in page_of(tmp_path / "r.html").text


def test_the_ct_is_shown_in_the_window_it_was_fused_with(a_fused_case):
    case, fusion = a_fused_case
    window = fusion_windows(fusion, fusion_scene(fusion, case))["CT"]
    np.testing.assert_allclose(window.gray(np.array([-160, 340, 840])), [0, 0.5, 1])


def test_the_fused_gray_is_shown_as_it_is(a_flat_fusion):
    fusion, case = a_flat_fusion(gray=0.37)
    picture = decoded(fusion_figures.gray_panel(fusion_scene(fusion, case), "fused", Window(0, 1, ""), AXIAL, ()))
    np.testing.assert_allclose(at(picture, 0.3, 0.3), 0.37, atol=0.01)


# Black to red to yellow in even steps, opaque from a tenth of the window on, which ends at the 2 SUV that it reaches
# at least, or at the next round number above.
@pytest.mark.parametrize(
    ("suv", "color", "opacity"),
    [(0, (0, 0, 0), 0), (0.15, (0.15, 0, 0), 0.525), (1, (1, 0, 0), 0.7), (2, (1, 1, 0), 0.7), (50, (1, 1, 0), 0.7)],
)
def test_pet_colors_the_fused_gray_by_its_uptake(a_flat_fusion, suv, color, opacity):
    fusion, case = a_flat_fusion(gray=0.5, suv=suv)
    scene = fusion_scene(fusion, case)
    assert scene.windows["PET"].high == (50 if suv == 50 else 2)
    picture = decoded(fusion_figures.tracer_panel(scene, "PET", fusion_windows(fusion, scene)["PET"], AXIAL))
    np.testing.assert_allclose(at(picture, 0.3, 0.3), 0.5 * (1 - opacity) + opacity * np.array(color), atol=0.015)
    np.testing.assert_allclose(at(picture, 0.3, 0.9), 0.5, atol=0.01)  # outside the PET's field of view


def test_doubt_is_inferno_from_0_to_1_over_dimmed_gray(a_flat_fusion):
    fusion, case = a_flat_fusion(gray=0.4, uncertainty=1.0)
    picture = decoded(fusion_figures.uncertainty_panel(fusion_scene(fusion, case), SHOWN_MAP, AXIAL))
    bright = 0.9 * np.array(colormaps["inferno"](1.0)[:3]) + 0.1 * 0.55 * 0.4
    np.testing.assert_allclose(at(picture, 0.3, 0.3), bright, atol=0.01)


def test_each_roi_is_outlined_on_the_source_it_follows(a_flat_fusion):
    bone = np.zeros((4, 40, 40), bool)
    bone[:, 4:36, 4:36] = True
    fusion, case = a_flat_fusion(bone=bone, soft=np.zeros_like(bone))
    scene = fusion_scene(fusion, case)
    ct, mr = (
        decoded(fusion_figures.gray_panel(scene, "CT", Window(-1000, 1000, ""), AXIAL, (name, "lesion")))
        for name in ("bone", "soft")
    )
    orange = np.array([0xFB, 0x92, 0x3C]) / 255
    on_line = np.abs(ct - orange).max(axis=-1) < 0.1
    rows, columns = np.nonzero(on_line)
    edges = np.array([rows.min(), rows.max(), columns.min(), columns.max()]) / ct.shape[0]
    np.testing.assert_allclose(edges, [0.1, 0.9, 0.1, 0.9], atol=0.02)
    assert not (np.abs(mr - orange).max(axis=-1) < 0.1).any()


def test_numbers_of_other_settings_keep_their_units(a_fused_case):
    rows = dict(section.advanced_rows(a_fused_case[1]))
    assert rows["Tolerance of the border"] == "2 mm"
    assert rows["CT window"] == "-160 to 840 HU"
    assert rows["Weights of Dice, NSD and HD95"] == "1, 1, 0.5"
    assert (rows["Guided"], rows["Steps"]) == ("no", "2")
    assert "Alpha" not in rows


def test_a_metric_that_is_new_stands_behind_the_known_ones():
    table = section.metric_table({"mri copy": {"soft_ssim_mri": 1.0}, "fused": {"zeta": 2.0, "soft_ssim_mri": 0.9}})
    assert [label for label, _ in table["head"]] == ["Soft tissue SSIM to MR", "Zeta"]
    assert [(row["name"], row["cells"]) for row in table["rows"]] == [
        ("Fused", ["0.900", "2.00"]), ("MRI copy", ["1.00", "n/a"])
    ]  # fmt: skip
    assert section.metric_table({}) is None


def test_the_names_it_is_given_cannot_become_markup(a_flat_fusion, tmp_path):
    fusion, case = a_flat_fusion()
    given = replace(fusion, notes=("<script>",), metrics={"<b>": {"<i>": 1.0}})
    write_fusion_report(given, replace(case, name="<img src=x>"), tmp_path / "r.html")
    source = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not any(tag in source for tag in ("<script>", "<b>", "<i>", "<img src=x"))


def test_refuses_a_fusion_on_another_grid(a_fused_case, tmp_path):
    case, fusion = a_fused_case
    with pytest.raises(InputError, match="another grid"):
        write_fusion_report(fusion, case.cropped((0, 0, 0), (9, 9, 9)), tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []
