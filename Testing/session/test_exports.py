"""What leaves the session as a file of its own, with an engine that answers when told."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.core.fusion import Judgement
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.synthetic import WARNING
from DiffuFuseMedLib.io.dicom.rtstruct import read_rtstruct
from DiffuFuseMedLib.io.dicom.seg import read_dicom_seg
from DiffuFuseMedLib.preprocessing.rois import automatic_rois
from DiffuFuseMedLib.session import Topic

from Testing.fixtures.source_series import write_series

from .conftest import fuse

pytestmark = pytest.mark.usefixtures("coarse_pictures")


def exported(session, kind, path, answer=lambda session: None):
    """Whether the file was written; answer(session): what the engine says meanwhile."""
    there = []
    if not session.persistence.export_behind(kind, path, lambda: there.append(path)):
        return False
    answer(session)
    session.pump_until(lambda: there or not session.view_state.saving)
    return bool(there) and path.is_file()


def test_segmentation_files_hold_the_lesion_as_it_stands_in_its_place(done, sarcoma, tmp_path):
    for kind in ("seg.nrrd", "nii.gz"):
        path = tmp_path / f"case.{kind}"
        assert exported(done, kind, path)
        image = sitk.ReadImage(str(path))
        array = sitk.GetArrayFromImage(image)
        if kind == "nii.gz":
            np.testing.assert_array_equal(array == 1, done.corrected)
            assert Grid.of(image).same_as(sarcoma.grid)
        assert array.sum() == done.corrected.sum()
    seg = sitk.ReadImage(str(tmp_path / "case.seg.nrrd"))
    where = np.argwhere(sitk.GetArrayFromImage(seg))[0][::-1]
    point = seg.TransformIndexToPhysicalPoint([int(n) for n in where])
    np.testing.assert_allclose(point, sarcoma.grid.to_physical(np.argwhere(done.corrected)[0][::-1]), atol=1e-3)
    facts = {key: seg.GetMetaData(key) for key in seg.GetMetaDataKeys() if "DiffuFuseMed" in key}
    assert any("ab" * 32 in value for value in facts.values())


def test_the_fused_file_is_the_volume_on_screen_with_what_made_it(done, sarcoma, tmp_path):
    assert exported(done, "fused.nrrd", tmp_path / "case.fused.nrrd")
    image = sitk.ReadImage(str(tmp_path / "case.fused.nrrd"))
    assert (sitk.GetArrayFromImage(image) == 0.5).all()
    assert Grid.of(image).same_as(sarcoma.grid)
    assert any("told" in image.GetMetaData(key) for key in image.GetMetaDataKeys())


@pytest.fixture(scope="module")
def a_source(sarcoma, tmp_path_factory):
    """The files of a CT series on the sarcoma's grid, along k."""
    folder = write_series(tmp_path_factory.mktemp("dicom") / "ct", sarcoma.grid)
    return [str(path) for path in sorted(folder.iterdir(), reverse=True)]


@pytest.fixture
def from_dicom(done, sarcoma, a_source):
    """As if the case had been read from that series."""
    ct = sarcoma.volumes["CT"]
    volumes = {**sarcoma.volumes, "CT": replace(ct, meta={**ct.meta, "files": a_source})}
    done._context.case = replace(sarcoma, volumes=volumes)
    return done


@pytest.mark.parametrize(("kind", "read"), [("seg.dcm", read_dicom_seg), ("rtstruct.dcm", read_rtstruct)])
def test_the_corrected_lesion_comes_back_from_dicom_and_says_who_drew_it(from_dicom, sarcoma, kind, read, tmp_path):
    path = tmp_path / f"case.{kind}"
    assert exported(from_dicom, kind, path)
    np.testing.assert_array_equal(read(path, sarcoma.grid)["lesion"].array > 0, from_dicom.corrected)
    written = pydicom.dcmread(path)
    roi = (written.get("SegmentSequence") or written.get("StructureSetROISequence"))[0]
    assert roi.get("SegmentAlgorithmType", roi.get("ROIGenerationAlgorithm")) == "SEMIAUTOMATIC"
    assert "weights abababababab" in str(written)
    assert written.PatientID == "P1"


def test_a_run_is_not_called_done_before_its_lesion_can_be_exported(told, answers, sarcoma):
    seen, state = [], told.view_state
    topics = (Topic.RUN, Topic.NUMBERS, Topic.REVIEW)
    told.listen(lambda _: seen.append((state.run_words, state.no_export["nii.gz"])), *topics)
    told.run()
    asked = told.engine.waiting("segment")[-1]
    asked.give(answers["prediction"](asked, sarcoma, (np.s_[4:12, 15:35, 15:40],)))
    told.pump_until(lambda: state.numbers)
    assert {why for words, why in seen if words.startswith("done")} == {""}


@pytest.mark.parametrize("kind", ["seg.dcm", "rtstruct.dcm"])
def test_a_case_from_nifti_is_told_why_there_is_no_dicom_file_of_it(done, kind, tmp_path):
    assert "CT was not read from DICOM files" in done.view_state.no_dicom
    assert not exported(done, kind, tmp_path / f"case.{kind}")
    assert done.view_state.message.sentence == done.view_state.no_dicom
    assert list(tmp_path.iterdir()) == []


def test_a_case_from_dicom_has_nothing_in_its_way(told, sarcoma, a_source):
    ct = replace(sarcoma.volumes["CT"], meta={"name": "CT", "files": a_source})
    told._loading.describe(replace(sarcoma, volumes={**sarcoma.volumes, "CT": ct}))
    assert told.view_state.no_dicom == ""
    told.forget()
    assert told.view_state.no_dicom == ""


def test_no_dicom_of_a_synthetic_tumor_is_made_in_the_name_of_the_patient_whose_files_lie_with_it(
    told, sarcoma, a_source
):
    ct = replace(sarcoma.volumes["CT"], meta={"name": "CT", "files": a_source})
    pet = replace(sarcoma.volumes["PET"], meta={"name": "PET", "notes": [f"Warning: {WARNING}"]})
    told._loading.describe(replace(sarcoma, volumes={**sarcoma.volumes, "CT": ct, "PET": pet}))
    assert "whose tumor is synthetic" in told.view_state.no_dicom
    assert told.view_state.doubts == (f"PET: {WARNING}",)


def judgement(case, **others):
    """What an engine says of the fused image: scores of it and of a trivial row, and the automatic regions."""
    rows = {"fused": {"soft_ssim_mri": 0.876, "bone_psnr_ct": 31.5}, "mri copy": {"soft_ssim_mri": 1.0}}
    return Judgement(automatic_rois(case, **others), rows, (), {"axial": 0.125})


def test_the_report_shows_the_corrected_lesion_and_what_was_decided(done, tmp_path, page_of, sarcoma):
    def answer(session):
        session.engine.last("judge").give(judgement(sarcoma))

    assert exported(done, "report.html", tmp_path / "report.html", answer)
    page = page_of(tmp_path / "report.html")
    assert f"{done.corrected.sum() * sarcoma.grid.voxel_mm3 / 1000:.1f}" in page.text
    assert "1 of 2" in page.text
    assert "corrected" in page.text
    assert page.images


def test_the_report_has_the_fusion_with_its_scores_regions_settings_and_pictures(
    done, tmp_path, page_of, sarcoma, answers
):
    """As the command line's has it."""
    done.use_preset("bone-tumor")
    done.set(alpha=0.37)

    def answer(session):
        asked = session.engine.last("judge")
        assert asked.values["settings"]["alpha"] == 0.37
        assert (asked.values["image"] == np.float32(0.25)).all()
        asked.give(judgement(sarcoma, lesion=session.corrected))

    fuse(done, answers, sarcoma, 0.25)
    assert exported(done, "report.html", tmp_path / "report.html", answer)
    page = page_of(tmp_path / "report.html")
    for words in ("Fused image: CT and MR T1", "0.37", "0.876", "31.5", "MRI copy", "0.125"):
        assert words in page.text, words
    assert "the model's segmentation, corrected by a reader" in page.text
    assert "CT in HU: inside the skin" in page.text
    assert "soft tissue like MRI" in page.text
    assert len(page.images) > 12  # three planes of the lesion, and three of the fusion


def test_without_an_acceptance_the_report_says_that_this_is_why_gamma_drew_nothing(done, tmp_path, page_of, sarcoma):
    give = lambda session: session.engine.last("judge").give(judgement(sarcoma))  # noqa: E731
    assert exported(done, "report.html", tmp_path / "report.html", give)
    text = page_of(tmp_path / "report.html").text
    assert "Gamma had no lesion to draw: no reader has accepted the one there is." in text
    assert "drawn into the fused image: no reader has accepted the one there is." in text
    assert "none given" not in text and "none was given" not in text


def test_a_preset_that_was_not_moved_is_named_in_the_report(done, tmp_path, page_of, sarcoma, answers):
    done.use_preset("bone-tumor")
    fuse(done, answers, sarcoma)
    give = lambda session: session.engine.last("judge").give(judgement(sarcoma))  # noqa: E731
    assert exported(done, "report.html", tmp_path / "report.html", give)
    assert f"preset {done.presets()['bone-tumor'].title}" in page_of(tmp_path / "report.html").text


def test_without_the_engines_answer_the_report_says_what_it_lacks(done, tmp_path, page_of):
    fail = lambda session: session.engine.last("judge").fail("out_of_memory")  # noqa: E731
    assert exported(done, "report.html", tmp_path / "report.html", fail)
    text = page_of(tmp_path / "report.html").text
    assert "The fused image is not in this report. It out_of_memory." in text
    assert "soft tissue like MRI" not in text


def test_a_fusion_that_is_not_finished_is_not_in_the_report(done, tmp_path, page_of):
    done.set(alpha=0.2)
    assert exported(done, "report.html", tmp_path / "report.html")
    assert done.engine.of("judge") == []
    assert "not finished when this report was made" in page_of(tmp_path / "report.html").text


def test_while_a_run_is_on_its_way_the_lesion_before_it_is_not_exported(done, tmp_path):
    done.run()
    assert done.view_state.no_export["nii.gz"].startswith("The segmentation is being run")
    assert not done.persistence.export_behind("nii.gz", tmp_path / "case.nii.gz", lambda: None)
    assert done.view_state.message.sentence == done.view_state.no_export["nii.gz"]
    done.cancel()
    done.engine.last("segment").fail("cancelled")
    done.pump()
    assert done.view_state.no_export["nii.gz"] == ""
