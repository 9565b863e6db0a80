"""Kvasir-SEG and CHASE_DB1: cases of one slice in color, that load, train and predict."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.maps import of_prediction
from DiffuFuseMedLib.core.prediction import Interval, Prediction
from DiffuFuseMedLib.datasets.importers.cases import import_set, write_split
from DiffuFuseMedLib.datasets.importers.sets import SETS
from DiffuFuseMedLib.io.image_files import read_volume
from DiffuFuseMedLib.io.split import read_split
from DiffuFuseMedLib.io.study import read_folder
from DiffuFuseMedLib.preprocessing.align import align
from DiffuFuseMedLib.preprocessing.load import load_case
from DiffuFuseMedLib.preprocessing.quality import quality_report
from DiffuFuseMedLib.report import content, figures, write_report
from DiffuFuseMedLib.report.planes import planes_of
from DiffuFuseMedLib.report.scene import scene_of
from DiffuFuseMedLib.session.loading import read
from DiffuFuseMedLib.systems import build
from DiffuFuseMedLib.tasks.segment.corruptions import corrupt
from DiffuFuseMedLib.tasks.segment.domain import fit_domain
from DiffuFuseMedLib.tasks.segment.predict import predict
from DiffuFuseMedLib.tasks.segment.recipes import RECIPES
from DiffuFuseMedLib.tasks.segment.settings import Settings
from DiffuFuseMedLib.training.dataset import training_case
from DiffuFuseMedLib.training.windows import draw_batch
from matplotlib.image import imread

COLORS = np.zeros((6, 8, 3), np.uint8)
COLORS[:] = (200, 100, 50)
COLORS[:, 4:] = (10, 20, 240)


def picture(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=array.ndim == 3), str(path))


def bright(*pixels, color=False):
    """White at these (row, column); a gray of 100 beside the first, as JPEG leaves it."""
    array = np.zeros((6, 8), np.uint8)
    for pixel in pixels:
        array[pixel] = 255
    array[0, 0] = 100
    return np.repeat(array[..., None], 3, -1) if color else array


def kvasir(folder, *names):
    for name in names:
        picture(folder / "Kvasir-SEG" / "images" / f"{name}.jpg", COLORS)
        block = [(j, i) for j in range(2, 4) for i in range(2, 6)]
        picture(folder / "Kvasir-SEG" / "masks" / f"{name}.jpg", bright(*block, color=True))


def chase(folder, *eyes):
    for eye in eyes:
        picture(folder / f"Image_{eye}.jpg", COLORS)
        picture(folder / f"Image_{eye}_1stHO.png", bright((1, 2), (1, 3)))
        picture(folder / f"Image_{eye}_2ndHO.png", bright((1, 2)))


@pytest.fixture
def imported(tmp_path):
    def run(name):
        rows = list(import_set(SETS[name], tmp_path / "set", tmp_path / "cases"))
        write_split(rows, tmp_path / "cases")
        return {row.planned.name: row for row in rows}

    return run


def test_a_picture_is_one_slice_of_red_green_and_blue_with_its_mask(imported, tmp_path):
    kvasir(tmp_path / "set", "cju0qkwl35piu0993l0dewei2")
    assert [row.state for row in imported("kvasir-seg").values()] == ["imported"]
    case = load_case(tmp_path / "cases" / "cju0qkwl35piu0993l0dewei2")
    volume = case.volumes["RGB"]
    assert (volume.array.shape, volume.grid.spacing_mm) == ((1, 6, 8, 3), (1, 1, 1))
    np.testing.assert_allclose(volume.array[0, 0, 0], (200, 100, 50), atol=25)  # JPEG
    np.testing.assert_allclose(volume.array[0, 5, 7], (10, 20, 240), atol=25)
    assert case.reference_mask.array[0, 2:4, 2:6].all()
    assert int(case.reference_mask.array.sum()) == 8
    assert case.valid["RGB"].shape == (1, 6, 8)


def test_two_observers_of_a_retina_and_both_eyes_of_a_child_in_one_fold(imported, tmp_path):
    chase(tmp_path / "set", "01L", "01R", "02L")
    assert [row.state for row in imported("chase-db1").values()] == ["imported"] * 3
    case = load_case(tmp_path / "cases" / "CHASE_Image_01L")
    drawn = {name: [tuple(map(int, at)) for at in np.argwhere(m.array)] for name, m in case.references.items()}
    assert drawn == {"observer 1": [(0, 1, 2), (0, 1, 3)], "observer 2": [(0, 1, 2)]}
    folds = read_split(tmp_path / "cases" / "split.json").folds
    assert {frozenset(fold) for fold in folds if fold} == {
        frozenset({"CHASE_Image_01L", "CHASE_Image_01R"}),
        frozenset({"CHASE_Image_02L"}),
    }


def test_a_picture_without_mask_color_or_its_size_costs_itself_alone(imported, tmp_path):
    kvasir(tmp_path / "set", "a", "b", "c", "d", "e")
    place = tmp_path / "set" / "Kvasir-SEG"
    (place / "masks" / "b.jpg").unlink()
    picture(place / "images" / "c.jpg", bright((1, 1)))
    picture(place / "masks" / "d.jpg", np.full((4, 8), 255, np.uint8))
    (place / "images" / "e.jpg").write_bytes(b"no picture")
    rows = imported("kvasir-seg")
    assert {name: row.state for name, row in rows.items()} == dict.fromkeys("bcde", "failed") | {"a": "imported"}
    assert "file 'b.jpg' that is not there" in rows["b"].reason
    assert "c.jpg without color" in rows["c"].reason
    assert "d.jpg of 8 x 4 pixels for d.jpg of 8 x 6" in rows["d"].reason
    assert "e.jpg, which cannot be read" in rows["e"].reason


def test_color_and_gray_are_not_taken_for_each_other(imported, tmp_path):
    kvasir(tmp_path / "set", "a")
    imported("kvasir-seg")
    file = tmp_path / "cases" / "a" / "RGB.nii.gz"
    with pytest.raises(InputError, match="3 values per voxel"):
        read_volume(file, "CT")
    sitk.WriteImage(
        sitk.GetImageFromArray(np.arange(48, dtype=np.uint8).reshape(2, 4, 6)), str(tmp_path / "RGB.nii.gz")
    )
    with pytest.raises(InputError, match="wanted red, green and blue of 8 bits"):
        read_volume(tmp_path / "RGB.nii.gz")


def test_a_picture_goes_neither_beside_other_images_nor_into_a_host(imported, tmp_path):
    kvasir(tmp_path / "set", "a")
    imported("kvasir-seg")
    color = read_volume(tmp_path / "cases" / "a" / "RGB.nii.gz")
    with pytest.raises(InputError, match="CT beside other images"):
        align({"CT": color, "RGB": color})

    class Reading:
        def folder(self, folder, told):
            return read_folder(folder, told)

    with pytest.raises(InputError, match="RGB, a picture in color"):
        read(Reading(), tmp_path / "cases" / "a", None, "auto")


def test_of_a_picture_the_report_shows_its_colors_once_without_sides_of_the_patient(imported, tmp_path):
    kvasir(tmp_path / "set", "a")
    imported("kvasir-seg")
    case = load_case(tmp_path / "cases" / "a")
    found = case.reference_mask.array > 0
    maps = {name: 0.1 * found.astype(np.float32) for name in of_prediction()}
    told = Interval(0.008, None, None, "mL")
    prediction = Prediction(case.grid, found.astype(np.float32), found.astype(np.uint8), maps, found, found, {}, told)
    scene = scene_of(prediction, case)
    [row], columns = content.plane_rows(scene, "predictive_entropy"), content.columns(scene, "predictive_entropy")
    assert (row["name"], row["position"]) == ("Picture", "")
    assert [column["title"] for column in columns] == ["Color picture", "Doubt"]
    assert columns[0]["legend"] is None
    assert content.montage(scene) is None
    [plane] = planes_of(scene.grid)
    shown = imread(BytesIO(figures.image_panel(scene, "RGB", plane)))
    np.testing.assert_allclose(shown[-20, 20, :3], case.volumes["RGB"].array[0, 5, 0] / 255, atol=0.02)
    write_report(prediction, case, tmp_path / "report.html", quality_report(case), {"volume_ml": 0.008})
    page = (tmp_path / "report.html").read_text()
    assert "Axial" not in page
    assert "There is no CT image" not in page


def test_a_model_of_pictures_has_no_domain(imported, tmp_path, a_model):
    kvasir(tmp_path / "set", "a", "b")
    imported("kvasir-seg")
    record = replace(a_model.record, id="polyps", config={**a_model.record.config, "modalities": ["RGB"]})
    split = read_split(tmp_path / "cases" / "split.json")
    with pytest.raises(InputError, match="polyps, a model of Color picture"):
        fit_domain(record, tmp_path / "cases", split, (), lambda share, what: None)


def test_what_goes_wrong_in_a_scan_does_not_happen_to_a_picture(imported, tmp_path):
    kvasir(tmp_path / "set", "a")
    imported("kvasir-seg")
    with pytest.raises(InputError, match="RGB, a picture in color, to corrupt as a scan"):
        corrupt(load_case(tmp_path / "cases" / "a"), "intensity drift 20 %")


def test_an_imported_picture_is_trained_on_and_predicted(imported, tmp_path, a_model):
    kvasir(tmp_path / "set", "a")
    imported("kvasir-seg")
    case = load_case(tmp_path / "cases" / "a")
    recipe = RECIPES["kvasir-medfusion-transnet"]
    sizes = {"channels": (8, 8), "convs": (1, 1), "bottleneck": 8, "token_channels": 16, "transformer_blocks": 1}
    network = build(recipe.system, replace(recipe.config, **sizes)).eval()
    windows = replace(recipe.windows, shape=(1, 16, 16))
    item = training_case(case, ("RGB",), windows.working_spacing_kji_mm)
    batch = draw_batch([item], 2, windows, torch.Generator().manual_seed(0))
    assert batch.images["RGB"].shape == (2, 4, 16, 16)
    record = replace(a_model.record, window=windows.of_the_network)
    found = predict(case, replace(a_model, network=network, record=record), Settings(samples=1))
    assert found.probability.shape == (1, 6, 8)


@pytest.mark.parametrize(("gray", "drawn"), [(126, 1), (129, 2)])
def test_more_than_half_of_white_is_drawn(imported, tmp_path, gray, drawn):
    chase(tmp_path / "set", "01L")
    mask = bright((1, 2))
    mask[4, 4] = gray
    picture(tmp_path / "set" / "Image_01L_1stHO.png", mask)
    imported("chase-db1")
    masks = load_case(tmp_path / "cases" / "CHASE_Image_01L").references
    assert sorted(int((m.array > 0).sum()) for m in masks.values()) == [1, drawn]
