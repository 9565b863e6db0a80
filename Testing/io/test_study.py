"""Case folders: image files, DICOM, both, and everything that can be wrong with them."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.study import read_folder, read_study

from Testing.fixtures.dicom_series import Folder

CASE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "STS_010"
DICOM = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "sts_dicom" / "STS_002"


@pytest.fixture
def real_dicom() -> Path:
    if not DICOM.is_dir():
        pytest.skip("the real DICOM study is not on this machine")
    return DICOM


@pytest.fixture
def folder(tmp_path) -> Path:
    """patient/ with a small CT and PET."""
    patient = tmp_path / "patient"
    patient.mkdir()
    write(patient / "CT.nii.gz", (4, 5, 6), -1000)
    write(patient / "PET.mha", (3, 5, 6), 0)
    return patient


def write(path: Path, shape: tuple[int, int, int], low: float) -> Path:
    array = np.linspace(low, 10, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
    return path


def write_mask(path: Path, voxels: int = 1) -> Path:
    array = np.zeros((4, 5, 6), np.uint8)
    array[1, 1, :voxels] = 1
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
    return path


def test_reads_the_shipped_case():
    study = read_study(CASE)
    assert study.name == "STS_010"
    assert tuple(study.volumes) == ("CT", "PET", "MR_T1")
    assert {v.modality for v in study.volumes.values()} == {"CT", "PET", "MR_T1"}
    assert study.reference_mask.grid.same_as(study.volumes["CT"].grid)
    assert study.notes == ("The reference mask is GTV of GTV.nii.gz.",)


def test_a_folder_without_a_mask_has_no_reference(folder):
    assert read_study(folder).reference_mask is None


def test_prefers_the_gtv_file_and_names_the_others(folder):
    write_mask(folder / "CT_seg.nii.gz", 3)
    write_mask(folder / "GTV.nii.gz", 2)
    study = read_study(folder)
    assert study.reference_mask.array.sum() == 2
    assert study.notes[-1] == "Not used as the reference mask: CT_seg.nii.gz."


def test_an_empty_gtv_is_noted_and_the_next_mask_taken(folder):
    write_mask(folder / "GTV.nii.gz", 0)
    write_mask(folder / "mask.nii.gz", 3)
    study = read_study(folder)
    assert study.reference_mask.array.sum() == 3
    assert "GTV.nii.gz is not the reference mask. Given mask 'GTV.nii.gz' without a voxel" in study.notes[0]


def test_of_two_ct_the_one_with_more_slices_is_taken_and_said(folder):
    write(folder / "thin_CT.nii.gz", (9, 5, 6), -1000)
    study = read_study(folder)
    assert study.volumes["CT"].array.shape == (9, 5, 6)
    assert study.notes == (
        "2 images are CT: thin_CT.nii.gz (9 slices) was taken for having the most slices, "
        "CT.nii.gz (4 slices) left out.",
    )


def test_a_list_limits_what_is_read_and_says_what_is_missing(folder):
    study = read_study(folder, ["CT", "MR_T1"])
    assert tuple(study.volumes) == ("CT",)
    assert study.notes == ("MR_T1 was asked for and is not there.",)


def test_a_modality_told_by_file_name_goes_before_the_name(folder):
    write(folder / "scan.nii.gz", (4, 5, 6), 0)
    assert "scan.nii.gz was not read" in read_study(folder).notes[0]
    study = read_study(folder, {"scan.nii.gz": "MR_T2"})
    assert tuple(study.volumes) == ("CT", "PET", "MR_T2")


@pytest.mark.parametrize(
    ("modalities", "message"),
    [({"gone.nii.gz": "CT"}, "not in the folder"), ({"CT.nii.gz": "XRAY"}, "XRAY"), (["MRI"], "MRI")],
)
def test_refuses_modalities_that_fit_nothing(folder, modalities, message):
    with pytest.raises(InputError, match=message):
        read_study(folder, modalities)


def test_refuses_a_missing_folder_a_file_and_a_folder_with_nothing(folder, tmp_path):
    with pytest.raises(InputError, match="is not there"):
        read_study(tmp_path / "gone")
    with pytest.raises(InputError, match=r"the file 'CT\.nii\.gz', wanted a folder"):
        read_study(folder / "CT.nii.gz")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "readme.txt").write_text("nothing")
    with pytest.raises(InputError, match="nothing to read"):
        read_study(tmp_path / "empty")


def test_hidden_files_are_passed_over(folder):
    (folder / "._CT.nii.gz").write_bytes(b"resource fork")
    assert tuple(read_study(folder).volumes) == ("CT", "PET")


def test_reads_the_real_dicom_study_with_the_gtv_drawn_on_ct(real_dicom):
    study = read_study(real_dicom)
    assert tuple(study.volumes) == ("CT", "PET", "MR_T1")
    assert study.reference_mask.name == "GTV_Mass_CT"
    assert study.reference_mask.grid == study.volumes["CT"].grid
    assert study.notes == (
        "The reference mask is GTV_Mass_CT of RS.dcm (drawn on CT).",
        "Not used as the reference mask: RS.dcm (drawn on PET), RS.dcm (drawn on MR_T1).",
    )


def test_the_structure_set_of_a_modality_that_is_not_read_is_filled_on_its_own_grid(real_dicom):
    study = read_study(real_dicom, ["PET"])
    assert study.reference_mask.name == "GTV_Mass_CT"
    assert study.reference_mask.grid == study.places["CT"].grid and tuple(study.volumes) == ("PET",)


def test_a_modality_told_by_series_description_goes_before_the_tags(real_dicom):
    study = read_study(real_dicom, {"IBSI_1_STS_002_MR_T1_image": "MR_T1C"})
    assert tuple(study.volumes) == ("CT", "PET", "MR_T1C")


def test_files_and_dicom_mix(real_dicom, tmp_path):
    shutil.copytree(real_dicom / "PET", tmp_path / "deep" / "PET")
    write(tmp_path / "CT.nii.gz", (4, 5, 6), -1000)
    study = read_study(tmp_path)
    assert tuple(study.volumes) == ("CT", "PET")
    assert study.reference_mask.name == "GTV_Mass_PET"


def test_a_structure_set_whose_images_are_not_there_is_noted(real_dicom, tmp_path):
    shutil.copytree(real_dicom / "CT" / "mask", tmp_path / "mask")
    write(tmp_path / "CT.nii.gz", (4, 5, 6), -1000)
    study = read_study(tmp_path)
    assert study.reference_mask is None
    assert "RS.dcm is not the reference mask" in study.notes[0]


def test_one_file_that_cannot_be_used_does_not_cost_the_study(folder):
    (folder / "MR_T1.nii").write_bytes(b"no image")
    study = read_study(folder)
    assert tuple(study.volumes) == ("CT", "PET")
    assert study.notes[0].startswith("File MR_T1.nii was not read. Given file 'MR_T1.nii'")
    with pytest.raises(InputError, match=r"^Given file 'MR_T1\.nii'"):
        read_study(folder, only=["MR_T1"])
    (folder / "PET.mha").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"nothing to read \(File MR_T1.*; File PET"):
        read_study(folder, only=["MR_T1", "PET"])


def test_a_mask_that_nobody_foresaw_does_not_cost_the_case(folder, monkeypatch):
    from DiffuFuseMedLib.io import reference_mask

    def fails(*_):
        raise KeyError("(0020,9113)")

    write_mask(folder / "GTV.nii.gz", 2)
    monkeypatch.setattr(reference_mask, "read_mask_of", fails)
    study = read_study(folder)
    assert tuple(study.volumes) == ("CT", "PET")
    assert study.reference_mask is None
    assert study.notes == ("GTV.nii.gz is not the reference mask. It could not be read (KeyError).",)


@pytest.mark.parametrize("error", [PermissionError(13, "refused"), RuntimeError("odd"), ValueError("odd")])
def test_an_image_file_that_nobody_foresaw_does_not_cost_the_study(folder, monkeypatch, error):
    """Such as one without the right to read it."""

    def refusing(path):
        raise error

    monkeypatch.setattr("DiffuFuseMedLib.io.grammar.meta_image.read_meta_image", refusing)
    study = read_study(folder)
    assert list(study.volumes) == ["CT"]
    assert any(note.startswith("File PET.mha was not read. Given file 'PET.mha'") for note in study.notes)


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_escape_sequences_of_names_reach_no_note(folder):
    write_mask(folder / "GTV.nii.gz")
    write_mask(folder / "GTV\x1b[2J\u202e_mask.nii.gz")
    write(folder / "\x1b[31mCT\x9b.nii.gz", (4, 5, 6), -1000)
    (folder / "PET\x1b].nrrd").write_bytes(b"NRRD0005\n")
    study = read_study(folder)
    words = [*study.notes, study.name, *(v.name for v in study.volumes.values())]
    assert sum("_[" in word or "_]" in word for word in words) >= 2
    assert all(word.isprintable() for word in words)


@pytest.mark.filterwarnings("ignore:Found unknown escape sequence")
def test_escape_sequences_of_a_series_description_reach_nobody(tmp_path):
    slices = Folder(tmp_path)
    slices.series("CT", SeriesDescription="\x1b[31mCT of the thigh")
    slices.series("CT", SeriesDescription="\x1b[31mCT again", positions=[[0, 0, z] for z in (0, 3, 6)],
                  ImageOrientationPatient=[1, 0, 0, 0, 1, 0])  # fmt: skip
    there, study = read_folder(tmp_path, {})
    assert there == ["_[31mCT again", "_[31mCT of the thigh"]
    assert study.volumes["CT"].meta["series_description"] in there
    assert study.notes
    assert all(note.isprintable() for note in study.notes)
