"""One patient from DICOM to DICOM SEG, through the panel: roles and SUV from the files, the lesion back beside them."""

from importlib.util import find_spec

import highdicom
import numpy as np
import pydicom
import pytest
from DiffuFuseMedLib.io.dicom.rtstruct import read_rtstruct, referenced_series
from DiffuFuseMedLib.io.dicom.seg import read_dicom_seg, seg_referenced_series

from . import dicom_patient

NEEDS_DCMQI = pytest.mark.skipif(find_spec("dcmqi") is None, reason="needs dcmqi, which Slicer's DICOM SEG plugin runs")
WRITERS = ["highdicom", pytest.param("DICOMSegmentationPlugin", marks=NEEDS_DCMQI)]


@pytest.fixture
def series(slicer_host, panel, tmp_path):
    """The shipped patient's series in the DICOM database and in the scene; their nodes by key, named after nothing."""
    uids = dicom_patient.write_patient(tmp_path / "patient")
    slicer_host.add_dicom(tmp_path / "patient")
    return {key: slicer_host.load_dicom(uid) for key, uid in uids.items()}


@pytest.fixture
def opened_dicom(panel, series, open_case):
    """The case of the series, with CT as its reference."""
    return open_case()


@pytest.fixture
def segmented_dicom(opened_dicom, segment):
    return segment()


@pytest.fixture
def written(until, slicer_host):
    """A function: the one file that the button writes into the folder, once the hidden one it came from is gone."""

    def press(panel, folder):
        folder.mkdir()
        slicer_host.file_answers.append(str(folder))
        panel.ui.exportDicomButton.click()
        until(lambda: [path.is_file() for path in folder.iterdir()] == [True], panel.ui.messageLabel.text)
        (file,) = folder.iterdir()
        return file

    return press


def test_roles_come_from_the_series_and_not_from_names(panel, series):
    panel.ui.guessButton.click()
    chosen = {key: getattr(panel.ui, f"{key}Selector").currentNode() for key in series}
    assert all(chosen[key] is node for key, node in series.items())


def test_becquerels_become_suv_by_the_files_and_the_report_says_how(opened_dicom, series, role):
    import slicer

    suv = slicer.util.arrayFromVolume(series["PET"]) / dicom_patient.BQ_PER_SUV
    case = opened_dicom.workspace.session.case
    assert 5 < suv.max() < 13
    assert case.volumes["PET"].array.max() == pytest.approx(suv.max(), rel=0.1)  # resampled onto the CT
    assert any("SUVbw by BQML" in note for note in case.volumes["PET"].meta["notes"])


def test_suv_by_lean_body_mass_is_refused_though_the_files_hold_becquerels(panel, series, until):
    import slicer

    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning("{SUVlbm}g/ml", "UCUM", "SUV by lean body mass")
    series["PET"].SetVoxelValueUnits(entry)
    panel.ui.guessButton.click()
    panel.ui.openButton.click()
    until(lambda: "SUVlbm" in panel.ui.messageLabel.text)


@pytest.mark.parametrize("writer", WRITERS)
def test_the_lesion_is_written_as_dicom_seg_with_its_voxels_codes_and_sources(
    segmented_dicom, series, slicer_host, tmp_path, role, writer, written
):
    import slicer

    slicer_host.provide(*([writer] if writer != "highdicom" else []))
    lesion = slicer.util.arrayFromSegmentBinaryLabelmap(role("lesion"), "lesion", role("CT")) > 0
    assert lesion.any()
    before = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    path = written(segmented_dicom, tmp_path / "seg")
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == before
    seg = highdicom.seg.segread(path)
    described = seg.get_segment_description(1)
    assert described.segment_label == "lesion"
    assert (described.segmented_property_category.value, described.segmented_property_category.scheme_designator) == (
        "49755003",
        "SCT",
    )
    assert described.segmented_property_type.value == "108369006"
    files = [pydicom.dcmread(path) for path in slicer.dicomDatabase.filesForSeries(source_series(series["CT"]))]
    assert (voxels(seg, files) == lesion).all()  # by the files that each frame names
    grid = segmented_dicom.workspace.session.case.grid
    assert (read_dicom_seg(path, grid)["lesion"].array == lesion).all()  # by the place of each frame
    referenced = {str(item.SeriesInstanceUID) for item in seg.ReferencedSeriesSequence}
    assert referenced == {source_series(series["CT"])}
    assert (seg.StudyInstanceUID, seg.FrameOfReferenceUID) == (files[0].StudyInstanceUID, files[0].FrameOfReferenceUID)


def test_the_lesion_is_written_as_contours_beside_its_series(
    segmented_dicom, series, slicer_host, tmp_path, role, until
):
    import slicer

    lesion = slicer.util.arrayFromSegmentBinaryLabelmap(role("lesion"), "lesion", role("CT")) > 0
    path = tmp_path / "lesion.rtstruct.dcm"
    slicer_host.file_answers.append(str(path))
    segmented_dicom.ui.exportRtstructButton.click()
    until(path.is_file, "the structure set")
    grid = segmented_dicom.workspace.session.case.grid
    assert (read_rtstruct(path, grid)["lesion"].array == lesion).all()
    assert referenced_series(path) == (source_series(series["CT"]),)
    until(lambda: segmented_dicom.ui.messageLabel.text == "lesion.rtstruct.dcm was saved.")


def test_a_case_that_was_opened_from_a_folder_of_dicom_is_written_beside_its_files(
    panel, tmp_path, until, segment, written
):
    """Slicer's plugin cannot: the series is in no DICOM database."""
    uids = dicom_patient.write_patient(tmp_path / "patient")
    panel.workspace.sections["inputs"].open_folder(str(tmp_path / "patient"))
    until(lambda: panel.ui.fusionStateLabel.text.startswith("fused"), "the fused case")
    path = written(segment(), tmp_path / "seg")
    session = panel.workspace.session
    assert (read_dicom_seg(path, session.case.grid)["lesion"].array == session.lesion.mask()).all()
    assert seg_referenced_series(path) == (uids["CT"],)


def source_series(node):
    import slicer

    uid = node.GetAttribute("DICOM.instanceUIDs").split()[0]
    return slicer.dicomDatabase.instanceValue(uid, "0020,000e")


def voxels(seg, files):
    """bool [k, j, i] in the order of the files' instance numbers, by the instances that each frame names."""
    uids = [str(f.SOPInstanceUID) for f in sorted(files, key=lambda f: int(f.InstanceNumber))]
    frames = seg.get_pixels_by_source_instance(
        uids, segment_numbers=[1], assert_missing_frames_are_empty=True, ignore_spatial_locations=True
    )
    return np.asarray(frames[..., 0]) > 0


@pytest.mark.parametrize("writer", WRITERS)
def test_a_reference_that_was_moved_is_not_written_at_a_wrong_place(
    segmented_dicom, series, slicer_host, tmp_path, until, writer
):
    import slicer

    slicer_host.provide(*([writer] if writer != "highdicom" else []))
    moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    series["CT"].SetAndObserveTransformNodeID(moved.GetID())
    (tmp_path / "seg").mkdir()
    slicer_host.file_answers.append(str(tmp_path / "seg"))
    segmented_dicom.ui.exportDicomButton.click()
    until(lambda: "without a transform" in segmented_dicom.ui.messageLabel.text)
    assert list((tmp_path / "seg").iterdir()) == []


def test_a_series_whose_files_are_gone_from_the_database_is_one_sentence(segmented_dicom, slicer_host, tmp_path, until):
    import slicer

    slicer.dicomDatabase._files.clear()
    (tmp_path / "seg").mkdir()
    slicer_host.file_answers.append(str(tmp_path / "seg"))
    segmented_dicom.ui.exportDicomButton.click()
    until(lambda: "DICOM database" in segmented_dicom.ui.messageLabel.text)
    assert list((tmp_path / "seg").iterdir()) == []


def test_a_slicer_without_plugin_and_highdicom_says_what_to_do(
    segmented_dicom, slicer_host, tmp_path, until, monkeypatch
):
    import sys

    monkeypatch.setitem(sys.modules, "highdicom", None)
    (tmp_path / "seg").mkdir()
    slicer_host.file_answers.append(str(tmp_path / "seg"))
    segmented_dicom.ui.exportDicomButton.click()
    until(lambda: "QuantitativeReporting" in segmented_dicom.ui.messageLabel.text)
    assert list((tmp_path / "seg").iterdir()) == []


def test_what_the_plugin_refuses_is_told_in_one_sentence(segmented_dicom, slicer_host, tmp_path, until, monkeypatch):
    from host import dicom_plugin

    def refuse(*_arguments):
        raise ValueError("itkimage2segimage failed:\nERROR: no such class")

    monkeypatch.setattr(dicom_plugin, "_convert", refuse)
    slicer_host.provide("DICOMSegmentationPlugin")
    (tmp_path / "seg").mkdir()
    slicer_host.file_answers.append(str(tmp_path / "seg"))
    segmented_dicom.ui.exportDicomButton.click()
    until(lambda: "no such class" in segmented_dicom.ui.messageLabel.text)
    assert "\n" not in segmented_dicom.ui.messageLabel.text
