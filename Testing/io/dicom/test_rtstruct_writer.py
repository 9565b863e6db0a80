"""RTSTRUCT: contours on the slices that they name, masks that come back, and nothing invented."""

import numpy as np
import pydicom
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.drawn_by import DrawnBy
from DiffuFuseMedLib.io.dicom.rtstruct import read_rtstruct, referenced_series
from DiffuFuseMedLib.io.dicom.rtstruct_writer import write_rtstruct
from DiffuFuseMedLib.io.dicom.source_series import SourceSeries, files_of
from DiffuFuseMedLib.io.masks import read_mask

from Testing.fixtures.source_series import OBLIQUE, write_series

MODEL = DrawnBy("sts-diffufusemed", "0.9.0, weights abcdef012345")


@pytest.fixture
def written(source, masks, tmp_path):
    """A function of a mask's name: the data set that was written."""

    def write(name, drawn_by=MODEL):
        write_rtstruct(masks[name], source, tmp_path / "a.dcm", drawn_by)
        return pydicom.dcmread(tmp_path / "a.dcm")

    return write


@pytest.mark.parametrize("name", ["box", "ring", "corners", "everything"])
def test_the_mask_comes_back_voxel_for_voxel(written, masks, name, tmp_path):
    written(name)
    back = read_rtstruct(tmp_path / "a.dcm", OBLIQUE)
    np.testing.assert_array_equal(back["lesion"].array > 0, masks[name])
    gaps = [note for note in back["lesion"].meta["notes"] if "between the drawn planes were left empty" in note]
    assert back["lesion"].meta["notes"] == gaps
    assert bool(gaps) == (name == "corners")  # the only one with empty slices between


def test_a_boxs_contour_is_its_four_corners_on_the_slice_that_it_names(written, source):
    (entry,) = written("box").ROIContourSequence
    first, second = entry.ContourSequence
    points = np.array(first.ContourData, float).reshape(-1, 3)
    corners = [(3.5, 1.5, 1), (7.5, 1.5, 1), (7.5, 4.5, 1), (3.5, 4.5, 1)]  # i, j, k
    expected = OBLIQUE.to_physical(np.array(corners))
    np.testing.assert_allclose(sorted(map(tuple, points)), sorted(map(tuple, expected)), atol=1e-3)
    assert (first.ContourGeometricType, first.NumberOfContourPoints) == ("CLOSED_PLANAR", 4)
    for contour, k in ((first, 1), (second, 2)):
        assert contour.ContourImageSequence[0].ReferencedSOPInstanceUID == source.slices[k].SOPInstanceUID
        normal = np.cross(*np.reshape(source.slices[k].ImageOrientationPatient, (2, 3)).astype(float))
        away = np.reshape(contour.ContourData, (-1, 3)).astype(float) - np.array(
            source.slices[k].ImagePositionPatient, float
        )
        assert np.abs(away @ normal).max() < 1e-3  # in the slice's own plane


def test_patient_study_and_frame_are_the_series_and_all_its_slices_are_named(written, source, tmp_path):
    structures, first = written("box"), source.slices[0]
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID"):
        assert structures[keyword].value == first[keyword].value
    (frame,) = structures.ReferencedFrameOfReferenceSequence
    assert frame.FrameOfReferenceUID == structures.FrameOfReferenceUID == first.FrameOfReferenceUID
    (series,) = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence
    named = [image.ReferencedSOPInstanceUID for image in series.ContourImageSequence]
    assert named == [header.SOPInstanceUID for header in source.slices]
    assert referenced_series(tmp_path / "a.dcm") == (str(first.SeriesInstanceUID),)
    assert read_mask(tmp_path / "a.dcm", OBLIQUE, str(first.FrameOfReferenceUID)).array.any()


def test_what_the_series_does_not_say_of_the_patient_stays_empty(masks, tmp_path):
    silent = {"PatientName": "", "PatientBirthDate": "", "StudyID": "", "AccessionNumber": ""}
    folder = write_series(tmp_path / "silent", **silent)
    write_rtstruct(masks["box"], SourceSeries.read(folder.iterdir()), tmp_path / "a.dcm", MODEL)
    structures = pydicom.dcmread(tmp_path / "a.dcm")
    assert all(not structures[keyword].value for keyword in silent)


@pytest.mark.parametrize(
    ("drawn_by", "kind", "words"),
    [
        (MODEL, "AUTOMATIC", "sts-diffufusemed, 0.9.0, weights abcdef012345"),
        (DrawnBy("tiny", "", True), "SEMIAUTOMATIC", "tiny"),
        (DrawnBy(), "MANUAL", None),
    ],
)
def test_who_drew_it_is_said_and_that_it_is_a_neoplasm(written, drawn_by, kind, words):
    structures = written("box", drawn_by)
    (roi,), (observed,) = structures.StructureSetROISequence, structures.RTROIObservationsSequence
    assert (roi.ROIName, roi.ROIGenerationAlgorithm, roi.get("ROIGenerationDescription")) == ("lesion", kind, words)
    assert observed.RTROIIdentificationCodeSequence[0].CodeValue == "108369006"
    assert observed.RTROIInterpretedType == ""


def test_a_series_without_a_frame_of_reference_is_refused(source, masks, tmp_path):
    for header in source.slices:
        del header.FrameOfReferenceUID
    with pytest.raises(InputError, match="FrameOfReferenceUID"):
        write_rtstruct(masks["box"], source, tmp_path / "a.dcm", MODEL)


def test_a_real_patients_bones_come_back(a_real_case, tmp_path):
    bones = a_real_case.volumes["CT"].array > 250
    series = SourceSeries.read(files_of(a_real_case))
    write_rtstruct(series.mask(bones, a_real_case.grid), series, tmp_path / "a.dcm", MODEL)
    back = read_rtstruct(tmp_path / "a.dcm", a_real_case.grid)["lesion"].array > 0
    dice = 2 * (back & bones).sum() / (back.sum() + bones.sum())
    assert dice > 0.99
    assert (back == bones).mean() > 0.9999
