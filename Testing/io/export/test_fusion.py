"""What a fusion writes: images on the case's grid that say how they were made, and one record, whole or not at all."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.fusion import Fusion
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.io.export import fusion as export_fusion
from DiffuFuseMedLib.io.export.fusion import write_fusion

NAMES = {"fused.nrrd", "fusion_uncertainty.nrrd", "fusion.json"}


@pytest.fixture(scope="module")
def the_files(a_fused_case, tmp_path_factory):
    """What was written of the real case, by name."""
    case, fusion = a_fused_case
    return write_fusion(fusion, case, tmp_path_factory.mktemp("fusion") / "deep" / "out")


def test_writes_two_images_and_a_record(the_files):
    assert {file.name for file in the_files.values()} == NAMES
    assert {file.name for file in the_files["fused"].parent.iterdir()} == NAMES


@pytest.mark.parametrize("name", ["fused", "fusion_uncertainty"])
def test_an_image_is_float_on_the_cases_grid(the_files, a_fused_case, name):
    case, fusion = a_fused_case
    image = sitk.ReadImage(str(the_files[name]))
    assert image.GetPixelID() == sitk.sitkFloat32
    assert Grid.of(image).same_as(case.grid)
    written = {"fused": fusion.fused.image, "fusion_uncertainty": fusion.fused.uncertainty}[name]
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), written)


def test_the_images_header_tells_how_it_was_made(the_files):
    image = sitk.ReadImage(str(the_files["fused"]))
    told = {k: image.GetMetaData("DiffuFuseMed_" + k) for k in ("alpha", "gamma", "lambdas", "ct_window_hu", "preset")}
    assert told == {
        "alpha": "0.9", "gamma": "0.6", "lambdas": "1 1 0.5", "ct_window_hu": "-160 840",
        "preset": "soft-tissue-sarcoma",
    }  # fmt: skip
    assert image.GetMetaData("DiffuFuseMed_student_sha256") == "cd" * 32
    assert image.GetMetaData("DiffuFuseMed_seed") == "7"
    assert "0.1" in sitk.ReadImage(str(the_files["fusion_uncertainty"])).GetMetaData("DiffuFuseMed_units")
    assert not any("config" in key for key in image.GetMetaDataKeys())


def test_the_record_holds_settings_models_and_timings(the_files):
    record = json.loads(the_files["fusion_record"].read_text(encoding="utf-8"))
    assert record["case"] == "STS_010"
    assert record["modalities"] == {"ct": "CT", "mri": "MR_T1"}
    assert (record["settings"]["gamma"], record["preset"]["gamma"]) == (0.6, 0.75)
    assert record["preset"]["name"] == "soft-tissue-sarcoma"
    assert (record["settings"]["steps"], record["seed"]) == (2, 7)
    assert record["provenance"]["student"] == {"id": "average", "sha256": "cd" * 32, "config": {"width": 8}}
    assert record["timings_s"] == {"encode": 0.51, "slices": 2.25}
    assert record["flicker"]["axial"] == 0.031
    assert record["notes"] == ["The bone mask was drawn by hand."]


def test_the_record_gives_each_roi_its_source_and_its_volume(the_files, a_fused_case):
    case, _ = a_fused_case
    rois = json.loads(the_files["fusion_record"].read_text(encoding="utf-8"))["rois"]
    assert {name: roi["source"] for name, roi in rois.items()} == {
        "soft": "inside the body, not bone", "bone": "above 250 HU", "lesion": "drawn"
    }  # fmt: skip
    lesion_ml = np.count_nonzero(case.reference_mask.array) * np.prod(case.grid.spacing_mm) / 1000
    assert rois["lesion"]["volume_ml"] == pytest.approx(lesion_ml)
    assert 100 < lesion_ml < 300


def test_a_metric_that_has_no_value_is_null(the_files):
    text = the_files["fusion_record"].read_text(encoding="utf-8")
    assert json.loads(text)["metrics"] == {
        "fused": {"soft_ssim_mri": 0.912, "bone_psnr_ct": 21.44},
        "average": {"soft_ssim_mri": 0.5, "bone_psnr_ct": None}
    }  # fmt: skip
    assert "NaN" not in text


def test_a_fusion_without_a_preset_says_so(a_fused_case, tmp_path):
    case, fusion = a_fused_case
    files = write_fusion(replace(fusion, preset=None), case, tmp_path)
    assert json.loads(files["fusion_record"].read_text(encoding="utf-8"))["preset"] is None
    assert not sitk.ReadImage(str(files["fused"])).HasMetaDataKey("DiffuFuseMed_preset")


def test_a_disk_that_refuses_leaves_nothing_behind(a_fused_case, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    case, fusion = a_fused_case
    monkeypatch.setattr(export_fusion.json, "dumps", full)  # after both images were written
    with pytest.raises(InputError, match="No space left on device"):
        write_fusion(fusion, case, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_refuses_another_cases_grid(a_fused_case, tmp_path):
    case, fusion = a_fused_case
    with pytest.raises(InputError, match="another grid"):
        write_fusion(fusion, case.cropped((0, 0, 0), (9, 9, 9)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_refuses_arrays_that_are_not_on_the_grid(a_fused_case):
    _, fusion = a_fused_case
    short = replace(fusion.fused, uncertainty=fusion.fused.uncertainty[1:])
    with pytest.raises(InputError, match="not on its grid"):
        Fusion(fusion.grid, "MR_T1", short, fusion.rois, fusion.settings)
