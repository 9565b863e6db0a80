"""DICOM SEG: the mask comes back bit for bit, with its codes, its sources, and who drew it."""

import sys
import warnings

import highdicom
import numpy as np
import pydicom
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.drawn_by import DrawnBy
from DiffuFuseMedLib.io.dicom.seg import read_dicom_seg, seg_referenced_series
from DiffuFuseMedLib.io.dicom.seg_writer import write_dicom_seg
from DiffuFuseMedLib.io.dicom.source_series import SourceSeries, files_of
from DiffuFuseMedLib.io.masks import read_mask

from Testing.fixtures.source_series import OBLIQUE, write_series

MODEL = DrawnBy("sts-diffufusemed", "0.9.0, weights abcdef012345")


@pytest.mark.parametrize("name", ["box", "ring", "corners", "everything"])
def test_the_mask_comes_back_bit_for_bit(source, masks, name, tmp_path):
    write_dicom_seg(masks[name], source, tmp_path / "a.dcm", MODEL)
    back = read_dicom_seg(tmp_path / "a.dcm", OBLIQUE)
    assert list(back) == ["lesion"]
    np.testing.assert_array_equal(back["lesion"].array > 0, masks[name])


def test_each_frame_names_the_slice_that_it_lies_on(source, masks, tmp_path):
    """By the instances, whatever the geometry says: the two have to agree."""
    write_dicom_seg(masks["ring"], source, tmp_path / "a.dcm", MODEL)
    seg = highdicom.seg.segread(tmp_path / "a.dcm")
    frames = seg.get_pixels_by_source_instance(
        [str(header.SOPInstanceUID) for header in source.slices],
        segment_numbers=[1],
        assert_missing_frames_are_empty=True,
        ignore_spatial_locations=True,
    )
    np.testing.assert_array_equal(np.asarray(frames[..., 0]) > 0, masks["ring"])


def test_patient_study_and_frame_are_the_series_and_the_series_is_named(source, masks, tmp_path):
    write_dicom_seg(masks["box"], source, tmp_path / "a.dcm", MODEL)
    seg, first = pydicom.dcmread(tmp_path / "a.dcm"), source.slices[0]
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert seg[keyword].value == first[keyword].value
    assert seg_referenced_series(tmp_path / "a.dcm") == (str(first.SeriesInstanceUID),)
    assert seg.SeriesInstanceUID != first.SeriesInstanceUID
    assert read_mask(tmp_path / "a.dcm", OBLIQUE, str(first.FrameOfReferenceUID)).array.any()


def test_a_series_that_was_stripped_of_its_patient_stays_without_one(masks, tmp_path):
    folder = write_series(tmp_path / "series")
    gone = ("PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber")
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        for keyword in gone:
            delattr(image, keyword)
        image.save_as(path)
    write_dicom_seg(masks["box"], SourceSeries.read(folder.iterdir()), tmp_path / "a.dcm", MODEL)
    seg = pydicom.dcmread(tmp_path / "a.dcm")
    assert all(not seg[keyword].value for keyword in gone)
    np.testing.assert_array_equal(read_dicom_seg(tmp_path / "a.dcm", OBLIQUE)["lesion"].array > 0, masks["box"])


def test_the_segment_is_coded_as_a_neoplasm(source, masks, tmp_path):
    write_dicom_seg(masks["box"], source, tmp_path / "a.dcm", MODEL)
    (segment,) = pydicom.dcmread(tmp_path / "a.dcm").SegmentSequence
    category, kind = segment.SegmentedPropertyCategoryCodeSequence[0], segment.SegmentedPropertyTypeCodeSequence[0]
    assert (category.CodeValue, category.CodingSchemeDesignator) == ("49755003", "SCT")
    assert (kind.CodeValue, kind.CodeMeaning) == ("108369006", "Neoplasm")


@pytest.mark.parametrize(
    ("drawn_by", "kind"),
    [(MODEL, "AUTOMATIC"), (DrawnBy(MODEL.model, MODEL.version, True), "SEMIAUTOMATIC"), (DrawnBy(), "MANUAL")],
)
def test_who_drew_it_is_the_model_with_its_version_or_a_hand(source, masks, tmp_path, drawn_by, kind):
    write_dicom_seg(masks["box"], source, tmp_path / "a.dcm", drawn_by)
    (segment,) = pydicom.dcmread(tmp_path / "a.dcm").SegmentSequence
    assert segment.SegmentAlgorithmType == kind
    if kind == "MANUAL":
        assert "SegmentationAlgorithmIdentificationSequence" not in segment
        return
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == (MODEL.model, MODEL.version)


def test_who_drew_it_is_read_off_a_predictions_provenance():
    provenance = {"model": "tiny", "sha256": "ab" * 32, "versions": {"DiffuFuseMed": "0.9.0"}}
    assert DrawnBy.of(provenance, corrected=True) == DrawnBy("tiny", "0.9.0, weights abababababab", True)
    assert DrawnBy.of({}) == DrawnBy()
    assert len(DrawnBy.of({**provenance, "versions": {"DiffuFuseMed": "9" * 99}}).version) == 64


def test_no_warning_quotes_the_patient(source, masks, tmp_path, capsys):
    for header in source.slices:
        header.PatientName = "Doe Jane"  # one component, which highdicom warns of, with the name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_dicom_seg(masks["box"], source, tmp_path / "a.dcm", MODEL)
    assert "Jane" not in "".join(capsys.readouterr())


def test_without_highdicom_it_is_one_sentence(source, masks, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(InputError, match="a Python without the package highdicom"):
        write_dicom_seg(masks["box"], source, tmp_path / "a.dcm", MODEL)
    assert list(tmp_path.glob("*.dcm")) == []


def test_a_real_patients_bones_come_back_bit_for_bit(a_real_case, tmp_path):
    bones = a_real_case.volumes["CT"].array > 250
    series = SourceSeries.read(files_of(a_real_case))
    write_dicom_seg(series.mask(bones, a_real_case.grid), series, tmp_path / "a.dcm", MODEL)
    np.testing.assert_array_equal(read_dicom_seg(tmp_path / "a.dcm", a_real_case.grid)["lesion"].array > 0, bones)
