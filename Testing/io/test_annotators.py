"""Several annotators of one lesion: by names of files, ROIs and segments, by persons; what is broken costs nothing."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from DiffuFuseMedLib.io.dicom.drawn_by import DrawnBy
from DiffuFuseMedLib.io.dicom.rtstruct_writer import write_rtstruct
from DiffuFuseMedLib.io.dicom.seg_writer import write_dicom_seg
from DiffuFuseMedLib.io.dicom.source_series import find_series
from DiffuFuseMedLib.io.lesion_names import annotator_in, is_mask_stem
from DiffuFuseMedLib.io.mask_grid import mask_onto
from DiffuFuseMedLib.io.study import images_in, read_study

from Testing.fixtures.source_series import OBLIQUE, write_series

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
BY_HAND = DrawnBy()


@pytest.mark.parametrize(
    ("name", "annotator"),
    [
        ("GTV_reader1", "reader 1"),
        ("LIDC-IDRI-0001_rater4", "rater 4"),
        ("Patient01Homo_Rad02", "radiologist 2"),
        ("GTV observer B", "observer B"),
        ("Reader-3 GTV", "reader 3"),
        ("gtv.obs_07", "observer 7"),
        ("Annotator 2", "annotator 2"),
        ("GTV_grader1", ""),
        ("rad", ""),
        ("reader", ""),
        ("GTV", ""),
        ("radiotherapy_2", ""),
        ("CT_brad2", ""),
    ],
)
def test_who_drew_a_mask_is_told_by_its_name(name, annotator):
    assert annotator_in(name) == annotator
    if annotator:
        assert is_mask_stem(name)


def write_mask(path: Path, voxels: int) -> None:
    array = np.zeros((4, 5, 6), np.uint8)
    array[1, 1, :voxels] = 1
    path.parent.mkdir(exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path))


@pytest.fixture
def folder(tmp_path) -> Path:
    array = np.linspace(-1000, 10, 120, dtype=np.float32).reshape(4, 5, 6)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / "CT.nii.gz"))
    return tmp_path


def voxels_of(study):
    return {name: int(mask.array.sum()) for name, mask in study.references.items()}


def test_files_named_by_reader_are_the_references(folder):
    for n in (1, 2, 3):
        write_mask(folder / f"GTV_reader{n}.nii.gz", n)
    study = read_study(folder)
    assert voxels_of(study) == {"reader 1": 1, "reader 2": 2, "reader 3": 3}
    assert study.reference_mask is None
    assert study.notes == (
        "The lesion was drawn by 3 annotators (reader 1, reader 2, reader 3); their majority is the reference mask.",
    )
    assert images_in(folder) == ["CT.nii.gz"]


def test_a_mask_of_nobody_is_not_used_and_said(folder):
    for name, voxels in (("GTV", 5), ("GTV_reader1", 1), ("GTV_reader2", 2)):
        write_mask(folder / f"{name}.nii.gz", voxels)
    study = read_study(folder)
    assert voxels_of(study) == {"reader 1": 1, "reader 2": 2}
    assert study.notes[-1] == "Not used as a reference beside the annotators' masks: GTV.nii.gz."


def test_an_empty_and_an_unreadable_mask_are_left_out_with_a_note(folder):
    for n, voxels in enumerate((2, 0, 3), 1):
        write_mask(folder / f"GTV_reader{n}.nii.gz", voxels)
    (folder / "GTV_reader4.nii.gz").write_bytes(b"no mask")
    study = read_study(folder)
    assert voxels_of(study) == {"reader 1": 2, "reader 3": 3}
    empty, broken = study.notes[1:]
    assert empty.startswith("reader 2 was left out (GTV_reader2.nii.gz). Given mask 'GTV_reader2.nii.gz' without a vox")
    assert broken.startswith("reader 4 was left out (GTV_reader4.nii.gz). Given")


@pytest.mark.parametrize("others", [{}, {"GTV_reader2": 0}], ids=["alone", "the other drew nothing"])
def test_one_annotator_is_the_single_reference(folder, others):
    for name, voxels in {"GTV_reader1": 2, **others}.items():
        write_mask(folder / f"{name}.nii.gz", voxels)
    study = read_study(folder)
    assert (study.references, study.reference_mask.array.sum()) == ({}, 2)


def test_why_one_annotator_is_alone_is_told(folder):
    """Without it nobody learns that a mask lay there and held nothing."""
    for n, voxels in enumerate((2, 0), 1):
        write_mask(folder / f"GTV_reader{n}.nii.gz", voxels)
    left_out, taken = read_study(folder).notes
    assert left_out.startswith("reader 2 was left out (GTV_reader2.nii.gz). Given mask 'GTV_reader2.nii.gz' without")
    assert taken == "The reference mask is GTV_reader1 of GTV_reader1.nii.gz."


@pytest.mark.parametrize("others", [{}, {"b": 0}, {"majority": 4}], ids=["alone", "empty", "consensus"])
def test_one_mask_in_a_folder_is_the_single_reference(folder, others):
    for name, voxels in {"a": 2, **others}.items():
        write_mask(folder / "masks" / f"{name}.nii.gz", voxels)
    study = read_study(folder)
    assert (study.references, study.reference_mask.array.sum()) == ({}, 2)
    assert study.notes[-1] == "The reference mask is a of a.nii.gz."


def test_a_mask_beside_the_images_goes_before_the_only_one_in_a_folder(folder):
    write_mask(folder / "GTV.nii.gz", 3)
    write_mask(folder / "masks" / "a.nii.gz", 2)
    study = read_study(folder)
    assert study.reference_mask.array.sum() == 3
    assert study.notes[-1] == "Not used as the reference mask: a.nii.gz."


def test_all_masks_empty_are_no_reference(folder):
    for n in (1, 2):
        write_mask(folder / f"GTV_reader{n}.nii.gz", 0)
    study = read_study(folder)
    assert (study.references, study.reference_mask) == ({}, None)
    assert sum("without a voxel" in note for note in study.notes) == 2


def test_a_mask_that_nobody_foresaw_does_not_cost_the_case(folder, monkeypatch):
    from DiffuFuseMedLib.io import annotators

    for n in (1, 2, 3):
        write_mask(folder / f"GTV_reader{n}.nii.gz", n)
    read = annotators.read_mask_of

    def fails(path, *others):
        if "reader2" in path.name:
            raise KeyError("(0020,9113)")
        return read(path, *others)

    monkeypatch.setattr(annotators, "read_mask_of", fails)
    study = read_study(folder)
    assert list(study.references) == ["reader 1", "reader 3"]
    assert "reader 2 was left out (GTV_reader2.nii.gz). It could not be read (KeyError)." in study.notes


def test_a_folder_of_masks_beside_the_images_is_one_annotator_a_file(folder):
    for n, name in enumerate(("isen-20", "scan-20", "majority_vote"), 1):
        write_mask(folder / "masks" / f"{name}.nii.gz", n)
    study = read_study(folder)
    assert voxels_of(study) == {"isen-20": 1, "scan-20": 2}
    assert study.notes[-1] == "Not used as a reference beside the annotators' masks: majority_vote.nii.gz."


def test_a_second_mask_of_one_annotator_is_not_used(folder):
    for path, voxels in (("GTV_reader1", 1), ("GTV_reader2", 2), ("readers/reader2", 3)):
        write_mask(folder / f"{path}.nii.gz", voxels)
    study = read_study(folder)
    assert voxels_of(study) == {"reader 1": 1, "reader 2": 2}
    assert "Not used: reader2.nii.gz, a second mask of reader 2." in study.notes


@pytest.fixture
def series(tmp_path):
    """A CT series, and what a mask is written against."""
    write_series(tmp_path / "CT", SliceLocation=0)
    return find_series(tmp_path / "CT", OBLIQUE)


def box(i: slice) -> np.ndarray:
    mask = np.zeros(OBLIQUE.shape, bool)
    mask[1:3, 2:5, i] = True
    return mask


ONE, TWO = box(slice(2, 6)), box(slice(3, 8))


def renamed(path: Path, change) -> Path:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


def in_one_file(path: Path, series) -> None:
    """Both ROIs in one structure set, and the spinal cord as a third."""
    parts = []
    for mask in (ONE, TWO, TWO):
        write_rtstruct(mask, series, path, BY_HAND)
        parts.append(pydicom.dcmread(path))

    def change(dataset):
        for number, name in enumerate(("GTV observer 1", "GTV observer 2", "Cord"), 1):
            roi, contours = parts[number - 1].StructureSetROISequence[0], parts[number - 1].ROIContourSequence[0]
            roi.ROINumber, contours.ReferencedROINumber, roi.ROIName = number, number, name
        dataset.StructureSetROISequence = [part.StructureSetROISequence[0] for part in parts]
        dataset.ROIContourSequence = [part.ROIContourSequence[0] for part in parts]

    renamed(path, change)


def on_the_series(mask) -> np.ndarray:
    return mask_onto(mask, OBLIQUE).array > 0


def test_structures_of_one_set_are_told_apart_by_observer(series, tmp_path):
    in_one_file(tmp_path / "RS.dcm", series)
    study = read_study(tmp_path)
    assert list(study.references) == ["observer 1", "observer 2"]
    for mask, drawn in zip(study.references.values(), (ONE, TWO), strict=True):
        np.testing.assert_array_equal(on_the_series(mask), drawn)


@pytest.mark.parametrize("write", [write_rtstruct, write_dicom_seg], ids=["RTSTRUCT", "SEG"])
def test_files_that_name_two_persons_are_of_two_readers_without_their_names(write, series, tmp_path):
    def by(person):
        def change(dataset):
            dataset.ContentCreatorName = dataset.OperatorsName = person

        return change

    for name, mask, person in (("a", ONE, "Curie^Marie"), ("b", TWO, "Roentgen^Wilhelm")):
        write(mask, series, tmp_path / f"{name}.dcm", BY_HAND)
        renamed(tmp_path / f"{name}.dcm", by(person))
    study = read_study(tmp_path)
    assert list(study.references) == ["reader 1", "reader 2"]
    np.testing.assert_array_equal(on_the_series(study.references["reader 2"]), TWO)
    assert not any(name in note for note in study.notes for name in ("Curie", "Roentgen"))


def test_two_masks_by_one_person_are_no_two_readers(series, tmp_path):
    for name, mask in (("a", ONE), ("b", TWO)):
        write_rtstruct(mask, series, tmp_path / f"{name}.dcm", BY_HAND)
        renamed(tmp_path / f"{name}.dcm", lambda dataset: setattr(dataset, "OperatorsName", "Curie^Marie"))
    study = read_study(tmp_path)
    assert study.references == {}
    assert study.reference_mask is not None


def test_segmentations_that_say_in_their_label_whose_they_are(series, tmp_path):
    for name, mask in (("reader A", ONE), ("reader B", TWO)):
        path = tmp_path / f"{name[-1]}.dcm"
        write_dicom_seg(mask, series, path, BY_HAND)
        renamed(path, lambda dataset, name=name: setattr(dataset, "SeriesDescription", f"GTV {name}"))
    study = read_study(tmp_path)
    assert list(study.references) == ["reader A", "reader B"]
    np.testing.assert_array_equal(on_the_series(study.references["reader A"]), ONE)


@pytest.mark.parametrize(("name", "count"), [("lidc", 4), ("liver3raters", 3)])
def test_real_sets_of_several_radiologists_are_read(name, count):
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the real set {name} is not on this machine")
    told = {"Patient01Homo.mha": "MR_T1"} if name == "liver3raters" else {}  # 8 bit grays, which no CT has
    study = read_study(folder, told)
    assert len(study.references) == count
    assert all(mask.array.any() for mask in study.references.values())


@pytest.mark.parametrize("write", [write_rtstruct, write_dicom_seg], ids=["RTSTRUCT", "SEG"])
def test_a_mask_of_another_patient_that_refers_to_the_images_is_told(write, series, tmp_path):
    write(ONE, series, tmp_path / "mask.dcm", BY_HAND)
    assert not any("PatientID" in note for note in read_study(tmp_path).notes)
    renamed(tmp_path / "mask.dcm", lambda dataset: setattr(dataset, "PatientID", "somebody else"))
    study = read_study(tmp_path)
    assert study.reference_mask is not None
    [note] = [note for note in study.notes if "PatientID" in note]
    assert "refers to them" in note
    assert "somebody" not in note


@pytest.mark.parametrize("same_frame", [True, False])
@pytest.mark.parametrize("write", [write_rtstruct, write_dicom_seg], ids=["RTSTRUCT", "SEG"])
def test_a_mask_of_another_patient_that_only_lies_there_needs_the_frame_of_reference(
    write, same_frame, series, tmp_path
):
    write(ONE, series, tmp_path / "mask.dcm", BY_HAND)
    renamed(tmp_path / "mask.dcm", lambda dataset: of_a_stranger(dataset, same_frame))
    study = read_study(tmp_path)
    assert (study.reference_mask is not None) == same_frame
    assert any("PatientID (0010,0020) is not the images'" in note for note in study.notes)


def of_a_stranger(dataset, same_frame):
    """Nothing in it refers to the images' series, and without their frame of reference it names none."""
    dataset.PatientID = "somebody else"
    for item in dataset.get("ReferencedSeriesSequence", []):
        item.SeriesInstanceUID = "1.2.3"
    for item in dataset.get("ReferencedFrameOfReferenceSequence", []):
        item.RTReferencedStudySequence = []
    if not same_frame:
        dataset.FrameOfReferenceUID = ""
        for roi in dataset.get("StructureSetROISequence", []):
            roi.ReferencedFrameOfReferenceUID = ""
