"""A case folder read and aligned in one go."""

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.source_series import files_of
from DiffuFuseMedLib.preprocessing import load as module
from DiffuFuseMedLib.preprocessing.load import load_case, load_whole

from Testing.fixtures.dicom_series import Folder


def test_a_folder_becomes_a_case_on_its_cts_grid(a_real_folder):
    case = load_case(a_real_folder)
    assert (case.name, case.modalities, case.reference) == ("STS_010", ("CT", "PET", "MR_T1"), "CT")
    assert {v.grid for v in case.volumes.values()} == {case.grid} == {case.reference_mask.grid}
    assert set(case.valid) == set(case.volumes)


def test_limits_the_modalities_and_chooses_the_reference(a_real_folder):
    case = load_case(a_real_folder, ["PET", "MR_T1"], reference="PET")
    assert (case.modalities, case.reference) == (("PET", "MR_T1"), "PET")


def test_corrects_the_bias_field_of_mr_alone_and_says_so(a_real_folder):
    plain, corrected = (load_case(a_real_folder, correct_bias=on) for on in (False, True))
    for modality in ("CT", "PET"):
        np.testing.assert_array_equal(plain.volumes[modality].array, corrected.volumes[modality].array)
    changed = np.abs(corrected.volumes["MR_T1"].array - plain.volumes["MR_T1"].array)[plain.valid["MR_T1"]]
    assert changed.max() > 1
    assert "The bias field of MR_T1 was corrected (N4)." in corrected.volumes["MR_T1"].meta["notes"]


def test_what_is_not_asked_for_is_not_read_and_its_header_still_gives_the_grid(a_real_folder, tmp_path):
    folder = shutil.copytree(a_real_folder, tmp_path / "STS_010")
    whole = load_case(folder).only(["PET", "MR_T1"])
    image = (folder / "CT.nii.gz").read_bytes()
    (folder / "CT.nii.gz").write_bytes(image[: len(image) // 2])  # nobody who reads its voxels could use it
    part = load_case(folder, only=["PET", "MR_T1"])
    assert (part.modalities, part.reference, part.grid) == (("PET", "MR_T1"), "CT", whole.grid)
    for key, volume in whole.volumes.items():
        np.testing.assert_array_equal(part.volumes[key].array, volume.array)
        np.testing.assert_array_equal(part.valid[key], whole.valid[key])
    assert any(note.startswith("CT was not read") for note in part.notes)


def test_what_the_study_does_not_have_is_refused_with_what_it_has(a_real_folder):
    with pytest.raises(InputError, match=r"without MR_T2, as asked for, wanted some of what it has \(CT, PET, MR_T1\)"):
        load_case(a_real_folder, only=["PET", "MR_T2"])


def test_dicom_that_is_not_asked_for_gives_the_grid_and_the_series_of_exports(tmp_path):
    folder = Folder(tmp_path)
    slices = folder.series("CT")
    folder.series("PT")
    for path in slices:
        header = pydicom.dcmread(path)
        header.PixelData = header.PixelData[:4]
        header.save_as(path)
    case = load_case(tmp_path, only=["PET"])
    assert (case.modalities, case.reference) == (("PET",), "CT")
    assert sorted(files_of(case)) == sorted(slices)


def test_the_grid_of_another_frame_of_reference_is_not_taken_without_its_voxels(tmp_path):
    folder = Folder(tmp_path)
    folder.series("CT", FrameOfReferenceUID="1.2.3")
    folder.series("PT")
    case = load_case(tmp_path, only=["PET"])
    assert case.reference == "PET" and case.volumes["PET"].grid.same_as(case.grid)
    assert "The grid is PET's: CT was not read and names another frame of reference." in case.notes


def test_what_is_scored_or_learned_from_is_whole_or_an_error(a_real_folder, tmp_path):
    folder = shutil.copytree(a_real_folder, tmp_path / "STS_010")
    (folder / "scan3.nii.gz").write_bytes(b"of no known modality")
    assert load_whole(folder).modalities == ("CT", "PET", "MR_T1")
    image = (folder / "CT.nii.gz").read_bytes()
    (folder / "CT.nii.gz").write_bytes(image[: len(image) // 2])
    assert load_case(folder).modalities == ("PET", "MR_T1")  # with a note, for a reader who sees it
    told = r"the case STS_010 with an image that cannot be used \(File CT\.nii\.gz was not read\. .*truncated"
    with pytest.raises(InputError, match=told):
        load_whole(folder)


def test_whatever_scores_or_learns_reads_whole_cases():
    package = Path(module.__file__).parents[1]
    files = [path for name in ("tasks", "benchmark") for path in (package / name).rglob("*.py")]
    assert sum("load_whole(" in path.read_text(encoding="utf-8") for path in files) >= 9
    assert not [path.name for path in files if "load_case" in path.read_text(encoding="utf-8")]
