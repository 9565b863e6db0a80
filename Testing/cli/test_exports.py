"""`diffufusemed run --export`: the same lesion in every format, and what cannot be refused before it computes."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.synthetic import DESCRIPTION, WARNING
from DiffuFuseMedLib.io.dicom.rtstruct import read_rtstruct
from DiffuFuseMedLib.io.dicom.seg import read_dicom_seg

from Testing.fixtures.source_series import write_series

OPTIONS = ["--model", "tiny", "--samples", 1, "--no-fusion"]
ALL = "nifti, dicom-seg,rtstruct"


@pytest.fixture(scope="module")
def ct_grid(a_real_folder):
    return Grid.of(sitk.ReadImage(str(a_real_folder / "CT.nii.gz")))


@pytest.fixture
def lesion_in():
    """A function of a folder: the lesion as its .seg.nrrd has it, bool [k, j, i]."""
    return lambda out: sitk.GetArrayFromImage(sitk.ReadImage(str(out / "segmentation.seg.nrrd"))) > 0


def test_every_export_holds_the_same_lesion_beside_the_series_that_was_pointed_to(
    command, a_real_folder, ct_grid, lesion_in, tmp_path
):
    out = tmp_path / "out"
    series = write_series(tmp_path / "dicom", ct_grid)
    code, said, _ = command(
        "run", a_real_folder, "--out", out, *OPTIONS, "--export", ALL, "--dicom-series", series
    )  # fmt: skip
    lesion = lesion_in(out)
    assert (code, lesion.any()) == (0, True)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(out / "lesion.nii.gz"))) > 0, lesion)
    seg, contours = out / "lesion.seg.dcm", out / "lesion.rtstruct.dcm"
    np.testing.assert_array_equal(read_dicom_seg(seg, ct_grid)["lesion"].array > 0, lesion)
    np.testing.assert_array_equal(read_rtstruct(contours, ct_grid)["lesion"].array > 0, lesion)
    assert pydicom.dcmread(seg).SegmentSequence[0].SegmentAlgorithmType == "AUTOMATIC"
    assert pydicom.dcmread(contours).StructureSetROISequence[0].ROIGenerationDescription.startswith("tiny, ")
    assert f"{len(list(out.iterdir()))} files in" in said


def test_a_case_from_dicom_needs_no_pointing_whatever_modalities_are_switched_on(
    command, a_real_folder, ct_grid, lesion_in, tmp_path
):
    folder, out = tmp_path / "patient", tmp_path / "out"
    write_series(folder / "ct", ct_grid)
    for name in ("PET", "MR_T1"):
        sitk.WriteImage(sitk.ReadImage(str(a_real_folder / f"{name}.nii.gz")), str(folder / f"{name}.nii.gz"))
    options = ["--modalities", "PET,MR_T1", "--register", "never", "--export", "rtstruct"]
    assert command("run", folder, "--out", out, *OPTIONS, *options)[0] == 0
    np.testing.assert_array_equal(
        read_rtstruct(out / "lesion.rtstruct.dcm", ct_grid)["lesion"].array > 0, lesion_in(out)
    )
    assert not (out / "lesion.seg.dcm").exists()


@pytest.mark.parametrize(
    ("export", "words"),
    [
        ("dicom-seg", "CT was not read from DICOM files"),
        ("rtstruct", "with --dicom-series too"),
        ("seg", "the export 'seg', wanted one of nifti, dicom-seg, rtstruct"),
    ],
)
def test_what_cannot_be_exported_is_refused_before_anything_is_computed(
    command, a_real_folder, tmp_path, monkeypatch, export, words
):
    monkeypatch.setattr("DiffuFuseMedLib.tasks.segment.predict.predict", lambda *_: pytest.fail("computed first"))
    code, _, err = command("run", a_real_folder, "--out", tmp_path / "out", *OPTIONS, "--export", export)
    assert (code, words in err) == (2, True), err
    assert not (tmp_path / "out").exists()


def test_a_lesion_beyond_the_series_is_one_line_and_the_other_files_are_there(
    command, a_real_folder, tmp_path
):  # fmt: skip
    elsewhere = write_series(tmp_path / "dicom")  # 9 x 7 x 6 voxels, nowhere near
    options = ["--export", "nifti,dicom-seg", "--dicom-series", elsewhere]
    code, _, err = command("run", a_real_folder, "--out", tmp_path / "out", *OPTIONS, *options)
    assert code == 0
    assert "No dicom-seg: Given the mask" in err
    there = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"lesion.nii.gz", "report.html"} < there and "lesion.seg.dcm" not in there


def test_no_dicom_of_a_synthetic_tumor_is_made_in_a_patients_name(command, a_real_folder, ct_grid, tmp_path):
    series, folder = write_series(tmp_path / "dicom", ct_grid), tmp_path / "made"
    folder.mkdir()
    for name in ("CT", "PET", "MR_T1"):
        image = sitk.ReadImage(str(a_real_folder / f"{name}.nii.gz"))
        image.SetMetaData("ITK_FileNotes", DESCRIPTION)
        sitk.WriteImage(image, str(folder / f"{name}_synthetic.nii.gz"))
    options = ["--out", tmp_path / "out", *OPTIONS, "--dicom-series", series]
    code, _, told = command("run", folder, *options, "--export", "rtstruct")
    assert code != 0 and "whose tumor is synthetic" in told and not (tmp_path / "out").exists()
    code, _, told = command("run", folder, *options, "--export", "nifti")
    assert code == 0 and f"CT: {WARNING}" in told
    assert WARNING in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
