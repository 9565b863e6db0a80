"""DICOM SEG files written with highdicom and read back."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.io.dicom import seg, seg_frames
from DiffuFuseMedLib.io.dicom.seg import read_dicom_seg, seg_referenced_series, segment_labels
from DiffuFuseMedLib.io.mask_grid import mask_onto
from DiffuFuseMedLib.io.masks import read_mask
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentDescription
from highdicom.sr.coding import CodedConcept
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SHAPE = (5, 4, 6)
OBLIQUE = Grid(SHAPE[::-1], (2.0, 1.5, 3.0), (7.0, -3.0, 11.0), (0.6, 0.0, -0.8, 0.0, 1.0, 0.0, 0.8, 0.0, 0.6))
SERIES, FRAME, STUDY = generate_uid(), generate_uid(), generate_uid()
TUMOR = CodedConcept("4147007", "SCT", "Mass")
CATEGORY = CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure")


def ct_slice(k: int) -> Dataset:
    """Header of one slice of OBLIQUE, pixels left out: highdicom reads geometry and identity only."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = CTImageStorage, generate_uid(), "CT"
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = SERIES, STUDY, FRAME
    dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate, dataset.PatientSex = "x", "x^", "", ""
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID, dataset.AccessionNumber = "20200101", "120000", "", ""
    dataset.ReferringPhysicianName, dataset.PositionReferenceIndicator = "", ""
    dataset.Rows, dataset.Columns, dataset.InstanceNumber = SHAPE[1], SHAPE[2], k + 1
    matrix = OBLIQUE.affine_lps()[:3, :3] / OBLIQUE.spacing_mm
    dataset.ImageOrientationPatient = [*matrix[:, 0], *matrix[:, 1]]
    dataset.ImagePositionPatient = OBLIQUE.to_physical(np.array([0, 0, k])).tolist()
    dataset.PixelSpacing, dataset.SliceThickness = [OBLIQUE.spacing_mm[1], OBLIQUE.spacing_mm[0]], OBLIQUE.spacing_mm[2]
    dataset.SpacingBetweenSlices = OBLIQUE.spacing_mm[2]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def write_seg(path: Path, array: np.ndarray, kind: str, labels: list[str], order: list[int] | None = None) -> Path:
    """array: [k, j, i, segment], or [k, j, i] of segment numbers for a label map; order: of the frames in the file."""
    order = list(range(SHAPE[0])) if order is None else order
    slices = [ct_slice(k) for k in range(SHAPE[0])]
    seg = Segmentation(
        source_images=[slices[k] for k in order],
        pixel_array=array[order],
        segmentation_type=kind,
        segment_descriptions=[
            SegmentDescription(n, label, CATEGORY, TUMOR, SegmentAlgorithmTypeValues.MANUAL)
            for n, label in enumerate(labels, start=1)
        ],
        series_instance_uid=generate_uid(),
        series_number=9,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
    )
    seg.save_as(path)
    return path


@pytest.fixture
def lesion() -> np.ndarray:
    """Asymmetric along every axis, so that no flip or swap of axes goes unseen; slices 0, 1 and 4 are empty."""
    array = np.zeros(SHAPE, np.uint8)
    array[2, 1, 1:5] = array[3, 1:3, 2] = 1
    return array


def on_oblique(mask) -> np.ndarray:
    """The file may cut away empty slices: the mask back on the whole grid."""
    return mask_onto(mask, OBLIQUE).array


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 0, 3, 1, 2]], ids=["in order", "shuffled"])
@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_reads_segments_at_their_place_in_any_frame_order(tmp_path, lesion, kind, order):
    bone = np.zeros_like(lesion)
    bone[1:4, 3, 5] = 1
    array = np.stack([lesion, bone], axis=-1) if kind == "BINARY" else lesion + 2 * bone
    path = write_seg(tmp_path / "seg.dcm", array, kind, ["tumor", "bone"], order)
    masks = read_dicom_seg(path)
    assert tuple(masks) == segment_labels(path) == ("tumor", "bone")
    np.testing.assert_array_equal(on_oblique(masks["tumor"]), lesion)
    np.testing.assert_array_equal(on_oblique(masks["bone"]), bone)
    assert masks["tumor"].meta["frame_of_reference"] == FRAME


def test_an_object_whose_tables_are_still_held_is_opened_anew(tmp_path, lesion, monkeypatch):
    both = np.stack([lesion, lesion], axis=-1)
    path, asked = write_seg(tmp_path / "seg.dcm", both, "BINARY", ["tumor", "core"]), []
    plain = Segmentation.get_volume

    def held(self, **options):
        asked.append(options)
        if len(asked) == 2:
            raise sqlite3.OperationalError("database table is locked")
        return plain(self, **options)

    monkeypatch.setattr(Segmentation, "get_volume", held)
    for mask in read_dicom_seg(path).values():
        np.testing.assert_array_equal(on_oblique(mask), lesion)
    assert len(asked) == 3  # each once, and once more


def test_a_stated_slice_distance_that_is_rounded_is_fitted_to_the_frames():
    frames = Dataset()
    measures = Dataset()
    measures.SliceThickness = 3.27
    frames.PerFrameFunctionalGroupsSequence = [Dataset()]
    frames.SharedFunctionalGroupsSequence = [Dataset()]
    frames.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence = [measures]
    step_mm = 3.2696
    assert seg_frames._step_mm(np.arange(300) * step_mm, frames) == pytest.approx(step_mm)
    assert seg_frames._step_mm(np.array([7.0]), frames) == 3.27
    assert seg_frames._step_mm(np.arange(10) * 2.5, frames) == pytest.approx(2.5)  # it says the wrong one


def test_the_files_own_geometry_is_kept(tmp_path, lesion):
    mask = read_dicom_seg(write_seg(tmp_path / "seg.dcm", lesion[..., None], "BINARY", ["tumor"]))["tumor"]
    first = np.argwhere(mask.array)[0][::-1]
    np.testing.assert_allclose(mask.grid.to_physical(first), OBLIQUE.to_physical(np.array([1, 1, 2])), atol=1e-4)
    np.testing.assert_allclose(mask.grid.spacing_mm, OBLIQUE.spacing_mm)


def test_the_stack_runs_as_the_series_does_not_mirrored(tmp_path, lesion):
    mask = read_dicom_seg(write_seg(tmp_path / "seg.dcm", lesion[..., None], "BINARY", ["tumor"]))["tumor"]
    np.testing.assert_allclose(mask.grid.direction, OBLIQUE.direction, atol=1e-6)


def test_overlapping_segments_keep_their_common_voxels(tmp_path, lesion):
    path = write_seg(tmp_path / "seg.dcm", np.stack([lesion, lesion], axis=-1), "BINARY", ["tumor", "core"])
    assert [int(mask.array.sum()) for mask in read_dicom_seg(path).values()] == [6, 6]


def test_a_fractional_segment_is_cut_at_one_half(tmp_path):
    array = np.zeros((*SHAPE, 1), np.float32)
    array[2, 1, 1:5, 0] = (0.3, 0.49, 0.51, 1.0)
    mask = read_dicom_seg(write_seg(tmp_path / "seg.dcm", array, "FRACTIONAL", ["tumor"]))["tumor"]
    expected = np.zeros(SHAPE, np.uint8)
    expected[2, 1, 3:5] = 1
    np.testing.assert_array_equal(on_oblique(mask), expected)


def test_resamples_to_the_grid_asked_for(tmp_path, lesion):
    fine = OBLIQUE.with_spacing((1.0, 1.5, 3.0))
    path = write_seg(tmp_path / "seg.dcm", lesion[..., None], "BINARY", ["tumor"])
    mask = read_dicom_seg(path, fine)["tumor"]
    assert mask.grid == fine
    np.testing.assert_array_equal(mask.array, lesion.repeat(2, axis=2))


def test_an_empty_segment_beside_a_drawn_one_is_noted(tmp_path, lesion):
    array = np.stack([lesion, np.zeros_like(lesion)], axis=-1)
    masks = read_dicom_seg(write_seg(tmp_path / "seg.dcm", array, "BINARY", ["tumor", "bone"]))
    assert list(masks) == ["tumor"]
    assert "bone was left out" in masks["tumor"].meta["notes"][0]


def test_refuses_a_grid_without_overlap(tmp_path, lesion):
    path = write_seg(tmp_path / "seg.dcm", lesion[..., None], "BINARY", ["tumor"])
    with pytest.raises(InputError, match="no voxel on the image's grid"):
        read_dicom_seg(path, Grid((5, 5, 5), origin=(900.0, 0.0, 0.0)))


def test_refuses_a_file_that_is_no_seg(tmp_path):
    ct_slice(0).save_as(tmp_path / "ct.dcm", enforce_file_format=True)
    with pytest.raises(InputError, match="DICOM file of another kind"):
        read_dicom_seg(tmp_path / "ct.dcm")


def test_names_the_series_it_was_drawn_on(tmp_path, lesion):
    assert seg_referenced_series(write_seg(tmp_path / "s.dcm", lesion[..., None], "BINARY", ["tumor"])) == (SERIES,)


def test_read_mask_takes_the_gtv_of_several_segments_and_says_so(tmp_path, lesion):
    bone = np.zeros_like(lesion)
    bone[1:4, 3, 5] = 1
    path = write_seg(tmp_path / "seg", np.stack([bone, lesion], axis=-1), "BINARY", ["bone", "GTV_Mass"])
    mask = read_mask(path, OBLIQUE)
    np.testing.assert_array_equal(mask.array, lesion)
    assert mask.meta["notes"] == ["Of 2 segments, GTV_Mass make up the mask."]


def test_read_mask_refuses_a_seg_in_another_frame_of_reference(tmp_path, lesion):
    path = write_seg(tmp_path / "seg.dcm", lesion[..., None], "BINARY", ["tumor"])
    assert read_mask(path, frame_of_reference=FRAME).array.sum() == 6
    with pytest.raises(InputError, match="frame of reference"):
        read_mask(path, frame_of_reference="1.2.3")


def test_read_mask_refuses_several_segments_none_of_which_is_the_lesion(tmp_path, lesion):
    path = write_seg(tmp_path / "seg.dcm", np.stack([lesion, lesion], axis=-1), "BINARY", ["bone", "muscle"])
    with pytest.raises(InputError, match=r"2 segments \(bone, muscle\)"):
        read_mask(path)


def spoiled(path: Path, change) -> Path:
    """The same file after change(dataset)."""
    dataset = dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


def no_dimensions(dataset):
    del dataset.DimensionIndexSequence, dataset.DimensionOrganizationSequence
    for group in dataset.PerFrameFunctionalGroupsSequence:
        del group.FrameContentSequence


def no_algorithm(dataset):
    for item in dataset.SegmentSequence:
        del item.SegmentAlgorithmType


def no_property(dataset):
    for item in dataset.SegmentSequence:
        del item.SegmentedPropertyTypeCodeSequence


@pytest.mark.parametrize("change", [no_dimensions, no_algorithm, no_property])
@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP", "FRACTIONAL"])
def test_what_highdicom_wants_and_a_mask_does_not_need_may_lack(tmp_path, lesion, kind, change):
    array = lesion[..., None] * (0.8 if kind == "FRACTIONAL" else 1)
    array = lesion if kind == "LABELMAP" else array
    path = spoiled(write_seg(tmp_path / "seg.dcm", array, kind, ["GTV"], [4, 2, 3, 0, 1]), change)
    masks = read_dicom_seg(path)
    np.testing.assert_array_equal(on_oblique(masks["GTV"]), lesion)
    assert masks["GTV"].meta["frame_of_reference"] == FRAME


def no_planes(dataset):
    for group in dataset.PerFrameFunctionalGroupsSequence:
        del group.PlanePositionSequence


def no_kind(dataset):
    del dataset.SegmentationType


def no_segments(dataset):
    del dataset.SegmentSequence


def half(dataset):
    dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 2]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (no_planes, "PlanePositionSequence"),
        (no_kind, "SegmentationType"),
        (no_segments, "SegmentSequence"),
        (half, "end early"),
    ],
)
def test_what_cannot_be_placed_is_refused_for_its_true_reason(tmp_path, lesion, change, reason):
    path = spoiled(write_seg(tmp_path / "seg.dcm", lesion[..., None], "BINARY", ["GTV"]), change)
    with pytest.raises(InputError, match=reason):
        read_dicom_seg(path)


def of_many(dataset):
    """Segments that only have a number and the lesion's name."""
    items = []
    for number in range(1, 31):
        item = Dataset()
        item.SegmentNumber, item.SegmentLabel = number, "GTV"
        items.append(item)
    dataset.SegmentSequence = items


@pytest.mark.parametrize(("limit", "most"), [("MOST_SEGMENTS", 29), ("MOST_ITEMS", 2)])
def test_more_segments_than_anybody_draws_are_refused_before_any_is_read(tmp_path, lesion, monkeypatch, limit, most):
    path = spoiled(write_seg(tmp_path / "seg.dcm", lesion[..., None], "BINARY", ["GTV"]), of_many)
    monkeypatch.setattr(seg_frames, "MOST_SEGMENTS", most)
    monkeypatch.setattr(seg_frames, limit, most)
    with pytest.raises(InputError, match=f"more than {most} segments"):
        segment_labels(path)


def test_too_many_masks_at_once_are_refused_and_one_of_them_is_read(tmp_path, lesion, monkeypatch):
    names = ["GTV", "GTV", "bone", "muscle"]
    path = write_seg(tmp_path / "seg.dcm", np.stack([lesion] * 4, axis=-1), "BINARY", names)
    monkeypatch.setattr(seg, "MOST_AT_ONCE", 1)
    with pytest.raises(InputError, match="4 segments of one SEG, wanted at most 1 at once"):
        read_dicom_seg(path)
    with pytest.raises(InputError, match="2 segments of one SEG"):
        read_mask(path)
    assert read_mask(path, segments=["bone"]).array.sum() == 6


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_without_highdicom_only_what_is_asked_for_is_made(tmp_path, lesion, kind, monkeypatch):
    monkeypatch.setattr(seg, "_by_highdicom", lambda _: None)
    both = np.stack([lesion, np.roll(lesion, 1, axis=1)], axis=-1)
    array = lesion + 2 * both[..., 1] * (1 - lesion) if kind == "LABELMAP" else both * (0.8 if kind != "BINARY" else 1)
    path = write_seg(tmp_path / "seg.dcm", array, kind, ["GTV", "bone"])
    masks = read_dicom_seg(path, labels=["bone"])
    assert list(masks) == ["bone"]
    np.testing.assert_array_equal(on_oblique(masks["bone"]), array == 2 if kind == "LABELMAP" else both[..., 1])


def test_a_frame_far_from_the_others_is_refused_before_room_is_made(tmp_path, lesion):
    def far(dataset):
        dataset.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient = [0, 0, 9e5]

    path = spoiled(write_seg(tmp_path / "seg.dcm", lesion[..., None], "BINARY", ["GTV"]), far)
    with pytest.raises(InputError, match="frames lie over"):
        read_dicom_seg(path)


def of_no_segment(dataset):
    dataset.PerFrameFunctionalGroupsSequence[1].SegmentIdentificationSequence[0].ReferencedSegmentNumber = 777


def of_one_number(dataset):
    dataset.SegmentSequence[1].SegmentNumber = 1


def fewer_groups(dataset):
    dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:1]


def fewer_frames(dataset):
    dataset.NumberOfFrames = 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (of_no_segment, "frames of a segment 777 that it does not describe"),
        (of_one_number, "two segments of one number"),
        (fewer_groups, "of 4 frames that describes 1,"),
        (fewer_frames, "of 1 frames that describes 4,"),
    ],
)
def test_frames_that_belong_to_no_segment_or_to_two_are_refused(tmp_path, lesion, change, reason):
    path = spoiled(write_seg(tmp_path / "seg.dcm", np.stack([lesion] * 2, axis=-1), "BINARY", ["GTV", "bone"]), change)
    with pytest.raises(InputError, match=reason):
        read_mask(path)
