"""`diffufusemed agreement`, and what `run` says of several annotators."""

import json

import numpy as np
import pytest
import SimpleITK as sitk


@pytest.fixture
def a_folder(tmp_path):
    """A CT, and a function (reader, voxels) that draws one: a row of so many voxels of 1 mL."""
    array = np.linspace(-1000, 10, 480, dtype=np.float32).reshape(6, 8, 10)

    def image(values):
        made = sitk.GetImageFromArray(values)
        made.SetSpacing((10.0, 10.0, 10.0))
        return made

    sitk.WriteImage(image(array), str(tmp_path / "CT.nii.gz"))

    def draw(reader, voxels):
        mask = np.zeros(array.shape, np.uint8)
        mask[3, 4, :voxels] = 1
        sitk.WriteImage(image(mask), str(tmp_path / f"GTV_{reader}.nii.gz"))

    draw.folder = tmp_path
    return draw


def test_tells_how_far_they_agree_and_who_was_left_out(command, a_folder):
    for reader, voxels in (("reader1", 4), ("reader2", 6), ("reader3", 0)):
        a_folder(reader, voxels)
    code, told, _ = command("agreement", a_folder.folder)
    told = " ".join(told.split())
    assert code == 0
    assert "reader 3 was left out (GTV_reader3.nii.gz)" in told
    assert "2 annotators: mean pairwise Dice 0.80" in told
    assert "│ reader 1 │ 4.00 mL │ 0.80" in told
    assert "│ majority │ 4.00 mL" in told


def test_one_annotator_is_refused_in_one_sentence(command, a_folder):
    a_folder("reader1", 4)
    code, _, told = command("agreement", a_folder.folder)
    assert code == 2
    wanted = "Given a case with one drawn lesion, wanted the masks of two readers or more: lay them beside the images"
    assert wanted in " ".join(told.split())


def test_run_scores_the_lesion_against_every_annotator(command, a_real_folder, tmp_path):
    import shutil

    folder = tmp_path / "case"
    shutil.copytree(a_real_folder, folder)
    mask = sitk.ReadImage(str(folder / "GTV.nii.gz"))
    sitk.WriteImage(mask, str(folder / "GTV_reader1.nii.gz"))
    sitk.WriteImage(sitk.BinaryDilate(mask, (1, 1, 1)), str(folder / "GTV_reader2.nii.gz"))
    options = ["--model", "tiny", "--samples", 1, "--no-fusion"]
    code, told, _ = command("run", folder, "--out", tmp_path / "out", *options)
    assert code == 0
    assert "Against the majority of the annotators: Dice" in told
    assert "lesion Dice" in told
    written = json.loads((tmp_path / "out" / "prediction.json").read_text())["annotators"]
    assert written["names"] == ["reader 1", "reader 2"]
    assert 0.5 < written["dice"][0][1] < 1
    assert set(written["lesion"]) == {"reader 1", "reader 2", "majority", "STAPLE"}
    assert set(written["of_set"]) == {"ece", "ace", "brier", "nll", "crps_ml"}
    assert "2 annotators: mean pairwise Dice" in (tmp_path / "out" / "report.html").read_text()
