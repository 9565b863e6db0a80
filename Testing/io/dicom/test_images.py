"""DICOM series written here with pydicom, and a real PET/CT/MR patient, read to Volumes in their units."""

from pathlib import Path

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io import read_dicom_folder, read_volume
from DiffuFuseMedLib.io.dicom.mr_sequence import guess_sequence
from DiffuFuseMedLib.io.study import read_study
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from Testing.fixtures.dicom_series import (
    CLASSES,
    COS,
    ENHANCED,
    GAP_MM,
    NORMAL,
    ORIGIN,
    PLANE,
    SIN,
    SLICES,
    Folder,
    pixels,
    stored,
)

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"


def refusal(folder: Folder) -> str:
    with pytest.raises(InputError) as refused:
        read_dicom_folder(folder.path)
    message = str(refused.value)
    assert "P1" not in message
    assert "Doe" not in message
    return message


def whole() -> np.ndarray:
    return np.stack([stored(k) for k in range(SLICES)]).astype(np.float32)


def test_shuffled_oblique_slices_are_put_in_order_at_their_place(folder):
    paths = folder.series("CT", orders=[3, 0, 4, 2, 1])
    (volume,) = read_dicom_folder(folder.path)
    np.testing.assert_array_equal(volume.array, 2 * whole() - 1000)
    np.testing.assert_allclose(volume.grid.spacing_mm, (0.5, 1.5, GAP_MM), atol=1e-5)
    # Voxel i=3, j=2, k=4 by hand: origin + 1.5 along x, 3 along the column, 10 along the normal.
    expected = ORIGIN + np.array([1.5, 3 * COS - 10 * SIN, 3 * SIN + 10 * COS])
    np.testing.assert_allclose(volume.grid.to_physical(np.array([3.0, 2, 4])), expected, atol=1e-4)
    assert (volume.modality, volume.units, volume.array.dtype) == ("CT", "HU", np.float32)
    assert len(paths) == len(set(volume.meta["sop_instance_uids"])) == SLICES


def test_a_stack_given_top_down_still_runs_along_row_cross_column(folder):
    folder.series("CT", positions=[ORIGIN - k * GAP_MM * NORMAL for k in range(SLICES)])
    (volume,) = read_dicom_folder(folder.path)
    np.testing.assert_array_equal(volume.array, 2 * whole()[::-1] - 1000)
    np.testing.assert_allclose(volume.grid.origin, ORIGIN - (SLICES - 1) * GAP_MM * NORMAL, atol=1e-5)
    assert np.linalg.det(np.reshape(volume.grid.direction, (3, 3))) == pytest.approx(1, abs=1e-6)


def test_each_pet_slice_has_its_own_slope(folder):
    folder.series("PT", per_slice=lambda k: {"RescaleSlope": 0.01 * (k + 1)})
    (volume,) = read_dicom_folder(folder.path)
    slopes = 0.01 * (1 + np.arange(SLICES))[:, None, None]
    np.testing.assert_allclose(volume.array, whole() * slopes, rtol=1e-6)
    assert volume.meta["units"] == "SUVbw"


def test_pet_in_becquerels_is_scaled_from_the_slice_acquired_first(folder):
    drug = Dataset()
    drug.RadiopharmaceuticalStartTime, drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = "110000", 400e6, 3600
    folder.series(
        "PT",
        orders=[4, 3, 2, 1, 0],
        per_slice=lambda k: {"AcquisitionTime": f"12{10 * k:02d}00"},
        Units="BQML", DecayCorrection="START", PatientWeight=80, SeriesDate="20240301", SeriesTime="180000",
        RescaleSlope=100, RadiopharmaceuticalInformationSequence=Sequence([drug]),
    )  # fmt: skip
    (volume,) = read_dicom_folder(folder.path)
    # The series is dated after its acquisition: 12:00, one half-life after injection, 80000 / 200e6 per Bq/mL.
    np.testing.assert_allclose(volume.array, whole() * 100 * 4e-4, rtol=1e-5)
    assert any("SeriesTime is after" in note for note in volume.meta["notes"])


def test_several_series_come_with_their_modality_and_the_rest_is_left_out(folder):
    for modality in ("PT", "MR", "CT"):
        folder.series(modality)
    folder.write(CLASSES["RTSTRUCT"], {"Modality": "RTSTRUCT", "SeriesInstanceUID": generate_uid()})
    folder.series("CT", positions=[ORIGIN, ORIGIN], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    (folder.path / "notes.txt").write_text("not DICOM")
    volumes = read_dicom_folder(folder.path)
    assert [v.modality for v in volumes] == ["CT", "MR_T1", "PET"]
    assert len({v.meta["patient_id_hash"] for v in volumes}) == 1
    assert {v.meta["frame_of_reference"] for v in volumes} == {str(folder.frame)}
    said = [str(value) for v in volumes for key, value in v.meta.items() if key != "source" and "uid" not in key]
    assert not any("P1" in text or "Doe" in text for text in said)


def test_subfolders_are_searched(folder, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    Folder(tmp_path / "a" / "b").series("CT")
    assert len(read_dicom_folder(folder.path)) == 1


def test_refuses_two_patients_without_naming_them(folder):
    folder.series("CT")
    folder.series("PT", PatientID="P2")
    message = refusal(folder)
    assert "2 patients" in message
    assert "P2" not in message


def test_refuses_a_missing_slice(folder):
    folder.series("CT", orders=[0, 1, 3, 4])
    assert "1 missing slices" in refusal(folder)


def test_refuses_uneven_spacing(folder):
    folder.series("CT", positions=[ORIGIN + d * NORMAL for d in (0, 2.5, 5, 8.2, 10.7)])
    assert "uneven slice spacing, 2.50 to 3.20 mm" in refusal(folder)


def test_takes_spacing_that_is_uneven_only_by_rounding(folder):
    folder.series("CT", positions=[ORIGIN + d * NORMAL for d in (0, 3.27, 6.54, 9.80, 13.07)])
    assert read_dicom_folder(folder.path)[0].grid.spacing_mm[2] == pytest.approx(3.2675, abs=1e-4)


def test_refuses_two_slices_at_one_position(folder):
    folder.series("MR", positions=[ORIGIN + (k // 2) * GAP_MM * NORMAL for k in range(4)])
    assert "2 slices at the position of another" in refusal(folder)


def test_refuses_gantry_tilt_and_states_the_angle(folder):
    # The planes lean by 30 degrees while the table moves along z.
    folder.series("CT", positions=[ORIGIN + np.array([0, 0, GAP_MM * k]) for k in range(SLICES)], GantryDetectorTilt=30)
    message = refusal(folder)
    assert "5.0 mm sideways" in message  # 4 steps of 2.5 mm * sin 30
    assert "tilt 30 degrees" in message.lower().replace("gantrydetectortilt (0018,1120)", "tilt")


def test_takes_a_stated_tilt_whose_slices_are_stacked_upright(folder):
    folder.series("CT", GantryDetectorTilt=30)
    assert len(read_dicom_folder(folder.path)) == 1


def test_refuses_slices_in_different_orientations_or_sizes(folder):
    turned = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    folder.series("CT", per_slice=lambda k: turned if k == 2 else {})
    assert "different orientations" in refusal(folder)


def test_refuses_slices_of_different_pixel_spacing(folder):
    folder.series("CT", per_slice=lambda k: {"PixelSpacing": [1.5, 0.6]} if k == 2 else {})
    assert "pixel spacing" in refusal(folder)


def test_refuses_a_single_slice(folder):
    folder.series("CT", orders=[0])
    assert "1 slice" in refusal(folder)


def test_refuses_two_frames_of_reference_in_one_series(folder):
    folder.series("CT", per_slice=lambda k: {"FrameOfReferenceUID": generate_uid()} if k == 2 else {})
    assert "frames of reference" in refusal(folder)


@pytest.mark.parametrize("kept_bytes", [0, 100, 400, -1, -10])
def test_refuses_a_truncated_file(folder, kept_bytes):
    path = folder.series("CT")[2]
    path.write_bytes(path.read_bytes()[:kept_bytes])
    refusal(folder)


@pytest.mark.parametrize(
    ("modality", "keyword", "number"),
    [
        ("CT", "RescaleSlope", "0028,1053"),
        ("CT", "RescaleIntercept", "0028,1052"),
        ("PT", "RescaleSlope", "0028,1053"),
        ("PT", "Units", "0054,1001"),
        ("CT", "ImagePositionPatient", "0020,0032"),
        ("CT", "ImageOrientationPatient", "0020,0037"),
        ("MR", "PixelSpacing", "0028,0030"),
    ],
)
def test_names_the_tag_that_is_missing(folder, modality, keyword, number):
    folder.series(modality, per_slice=lambda k: {keyword: None})
    assert f"{keyword} ({number})" in refusal(folder)


def test_refuses_a_ct_in_another_unit(folder):
    folder.series("CT", RescaleType="ED")
    assert "'ED'" in refusal(folder)


def test_refuses_a_folder_without_images(folder):
    assert "without a CT, PET or MR" in refusal(folder)


def mr(**tags) -> Dataset:
    dataset = Dataset()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(
    ("tags", "modality"),
    [
        ({"SeriesDescription": "T1W_TSE"}, "MR_T1"),
        ({"SeriesDescription": "MPRAGE SAG"}, "MR_T1"),
        ({"SeriesDescription": "t2_tirm_tra_dark-fluid"}, "MR_FLAIR"),
        ({"ProtocolName": "AX T2 FLAIR"}, "MR_FLAIR"),
        ({"SeriesDescription": "t2_tse_tra"}, "MR_T2"),
        ({"SeriesDescription": "T2 post contrast"}, "MR_T2"),
        ({"SeriesDescription": "AX T1 POST"}, "MR_T1C"),
        ({"SeriesDescription": "T1 +C"}, "MR_T1C"),
        ({"SeriesDescription": "t1ce"}, "MR_T1C"),
        ({"SeriesDescription": "T1", "ContrastBolusAgent": "Gadovist"}, "MR_T1C"),
        ({"SeriesDescription": "T1", "ContrastBolusAgent": "NONE"}, "MR_T1"),
        ({"SeriesDescription": "T1 without contrast"}, "MR_T1"),
        ({"SeriesDescription": "AX", "RepetitionTime": 550, "EchoTime": 11}, "MR_T1"),
        ({"RepetitionTime": 550, "EchoTime": 11, "ContrastBolusAgent": "Dotarem"}, "MR_T1C"),
        ({"RepetitionTime": 4000, "EchoTime": 95}, "MR_T2"),
        ({"RepetitionTime": 9000, "EchoTime": 95, "InversionTime": 2500}, "MR_FLAIR"),
        ({"SeriesDescription": "Ax T1 FLAIR", "RepetitionTime": 2500, "InversionTime": 800}, "MR_T1"),
        ({"SeriesDescription": "SAG T1w flair"}, "MR_T1"),
        ({"SeriesDescription": "FLAIR T2 sag"}, "MR_FLAIR"),
    ],
)
def test_guesses_the_mr_contrast(tags, modality):
    found, note, _ = guess_sequence(mr(**tags))
    assert found == modality
    assert modality in note


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"SeriesDescription": "T2* GRE"},
        {"SeriesDescription": "AX"},
        {"RepetitionTime": 3000, "EchoTime": 20},
        {"SeriesDescription": "ep2d_diff_b50_800_ADC", "RepetitionTime": 6000, "EchoTime": 80},
        {"SeriesDescription": "TRACEW", "RepetitionTime": 6000, "EchoTime": 80},
        {"SeriesDescription": "AX", "DiffusionBValue": 800.0, "RepetitionTime": 6000, "EchoTime": 80},
        {"SeriesDescription": "t2 perfusion dsc", "RepetitionTime": 2000, "EchoTime": 70},
        {"ImageType": ["DERIVED", "PRIMARY", "ADC"], "RepetitionTime": 6000, "EchoTime": 80},
        {"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"], "RepetitionTime": 4000, "EchoTime": 95},
    ],
)
def test_does_not_guess_an_mr_contrast_from_nothing(tags):
    assert guess_sequence(mr(**tags)) is None


def test_an_unknown_mr_contrast_can_be_told(folder):
    uid = generate_uid()
    folder.series("MR", SeriesDescription="AX", SeriesInstanceUID=uid)
    assert "'AX'" in refusal(folder)
    (volume,) = read_dicom_folder(folder.path, {uid: "MR_T2"})
    assert volume.modality == "MR_T2"
    assert "told" in volume.meta["notes"][0]


def test_a_study_leaves_an_unknown_mr_contrast_out_and_says_which(folder):
    folder.series("MR", SeriesDescription="AX")
    with pytest.raises(InputError, match=r"'AX'.*say what this series is"):
        read_study(folder.path)
    folder.series("CT", SeriesDescription="leg")
    study = read_study(folder.path)
    assert tuple(study.volumes) == ("CT",)
    [note] = study.notes
    assert note.startswith("A series was not read.") and "'AX'" in note
    assert tuple(read_study(folder.path, {"AX": "MR_T2"}).volumes) == ("CT", "MR_T2")


def item(**tags) -> Sequence:
    return Sequence([mr(**tags)])


def enhanced(folder: Folder, modality: str, order: list[int], transform, shared=None, **tags) -> None:
    """One multi-frame instance with its frames in the given order; transform(k) gives the frame's value mapping."""
    frames = [
        mr(
            **{
                "PlanePositionSequence": item(ImagePositionPatient=[float(x) for x in ORIGIN + k * GAP_MM * NORMAL]),
                **transform(k),
            }
        )
        for k in order
    ]
    groups = {"PlaneOrientationSequence": item(ImageOrientationPatient=PLANE["ImageOrientationPatient"]),
              "PixelMeasuresSequence": item(PixelSpacing=PLANE["PixelSpacing"]), **(shared or {})}  # fmt: skip
    everything = {
        **pixels(np.stack([stored(k) for k in order])),
        "NumberOfFrames": len(order),
        "Modality": modality,
        "SeriesInstanceUID": generate_uid(),
        "PerFrameFunctionalGroupsSequence": Sequence(frames),
        "SharedFunctionalGroupsSequence": Sequence([mr(**groups)]),
    }
    folder.write(ENHANCED[modality], {**everything, **tags})


def linear(slope: float, intercept: float, **tags) -> dict:
    return {"PixelValueTransformationSequence": item(RescaleSlope=slope, RescaleIntercept=intercept, **tags)}


def test_an_enhanced_ct_reads_like_a_classic_one(folder, tmp_path_factory):
    classic = Folder(tmp_path_factory.mktemp("classic"))
    classic.series("CT")
    enhanced(folder, "CT", [2, 0, 4, 1, 3], lambda k: {}, linear(2, -1000, RescaleType="HU"))
    (one,), (other,) = read_dicom_folder(folder.path), read_dicom_folder(classic.path)
    np.testing.assert_array_equal(one.array, other.array)
    assert one.grid.same_as(other.grid, 1e-4)
    assert one.meta["frame_numbers"] == [2, 4, 1, 5, 3]


def test_an_enhanced_pet_has_a_slope_per_frame_and_a_unit_in_its_mapping(folder):
    def mapping(k):
        unit = item(CodeValue="{SUVbw}g/ml", CodingSchemeDesignator="UCUM", CodeMeaning="SUVbw")
        tags = {"RealWorldValueSlope": 0.01 * (k + 1), "RealWorldValueIntercept": 0.0}
        return {"RealWorldValueMappingSequence": item(MeasurementUnitsCodeSequence=unit, **tags), **linear(1, 0)}

    enhanced(folder, "PT", [4, 3, 2, 1, 0], mapping, DecayCorrected="YES", AttenuationCorrected="YES")
    (volume,) = read_dicom_folder(folder.path)
    np.testing.assert_allclose(volume.array, whole() * (0.01 * (1 + np.arange(SLICES)))[:, None, None], rtol=1e-6)


def test_an_enhanced_mr_is_told_by_its_frame_timing(folder):
    timing = {"MRTimingAndRelatedParametersSequence": item(RepetitionTime=4000.0),
              "MREchoSequence": item(EffectiveEchoTime=95.0)}  # fmt: skip
    enhanced(folder, "MR", [0, 1, 2], lambda k: {}, timing)
    assert read_dicom_folder(folder.path)[0].modality == "MR_T2"


def test_an_enhanced_image_without_positions_is_refused(folder):
    enhanced(folder, "CT", [0, 1, 2], lambda k: {"PlanePositionSequence": Sequence([])}, linear(2, -1000))
    assert "PlanePositionSequence (0020,9113)" in refusal(folder)


def test_the_real_dicom_patient_is_the_nifti_patient():
    dicom = SHARED / "sts_dicom" / "STS_002"
    if not dicom.is_dir():
        pytest.skip("the shared STS DICOM patient is not on this machine")
    volumes = read_dicom_folder(dicom)
    assert [v.modality for v in volumes] == ["CT", "MR_T1", "PET"]
    assert len({v.meta["frame_of_reference"] for v in volumes}) == 1
    for volume in volumes:
        told = read_volume(SHARED / "sts" / "STS_002" / f"{volume.modality}.nii.gz")
        assert volume.grid.same_as(told.grid, tolerance_mm=0.02)
        np.testing.assert_allclose(volume.array, told.array, rtol=1e-5, atol=1e-5)
