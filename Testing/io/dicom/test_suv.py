"""SUVbw factors worked out by hand from the QIBA pseudocode, and a refusal for every tag that is missing."""

import math

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.suv import suvbw_factor
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

F18_S = 6588.0
DOSE_BQ = 400e6
WEIGHT_KG = 80.0
ONE_HALF_LIFE_LATER = "154948"  # 14:00:00 + 6588 s
# 80000 g / (400e6 Bq * 1/2)
FACTOR = 4e-4


@pytest.fixture
def slice_() -> Dataset:
    """BQML, corrected to the series' start one half-life after injection; the first bed a minute later."""
    drug = Dataset()
    drug.RadiopharmaceuticalStartTime = "140000"
    drug.RadionuclideTotalDose = DOSE_BQ
    drug.RadionuclideHalfLife = F18_S
    pet = Dataset()
    pet.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY"]
    pet.Units = "BQML"
    pet.DecayCorrection = "START"
    pet.PatientWeight = WEIGHT_KG
    pet.SeriesDate = pet.AcquisitionDate = "20240301"
    pet.SeriesTime = ONE_HALF_LIFE_LATER
    pet.AcquisitionTime = "155048"
    pet.RadiopharmaceuticalInformationSequence = Sequence([drug])
    return pet


def drug_of(pet: Dataset) -> Dataset:
    return pet.RadiopharmaceuticalInformationSequence[0]


def test_start_decays_the_dose_to_the_series_time(slice_):
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert found.method == "BQML: decay corrected to SeriesTime"
    assert found.notes == ()


def test_admin_does_not_decay_the_dose(slice_):
    slice_.DecayCorrection = "ADMIN"
    del slice_.SeriesTime
    assert suvbw_factor(slice_).factor == pytest.approx(2e-4)


def test_a_dated_injection_is_preferred_to_its_time_of_day(slice_):
    drug_of(slice_).RadiopharmaceuticalStartTime = "010101"
    drug_of(slice_).RadiopharmaceuticalStartDateTime = "20240301140000.00"
    assert suvbw_factor(slice_).factor == pytest.approx(FACTOR)


def test_an_injection_before_midnight_belongs_to_the_day_before(slice_):
    slice_.SeriesTime, slice_.AcquisitionTime = "003000", "003500"
    drug_of(slice_).RadiopharmaceuticalStartTime = "224012"  # 22:40:12 + 6588 s = 00:30:00
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert "day before" in found.notes[0]


def test_an_injection_dated_after_the_scan_leaves_its_time_of_day(slice_):
    drug_of(slice_).RadiopharmaceuticalStartDateTime = "20240302140000.00"
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert "dated after its scan" in found.notes[0]


def test_an_injection_many_half_lives_ago_is_refused(slice_):
    drug_of(slice_).RadiopharmaceuticalStartDateTime = "20240228140000.00"
    with pytest.raises(InputError, match="27 half-lives"):
        suvbw_factor(slice_)


def test_a_clock_that_runs_a_minute_apart_is_not_taken_for_a_day(slice_):
    drug_of(slice_).RadiopharmaceuticalStartTime = "155048"
    with pytest.raises(InputError, match="13 half-lives"):
        suvbw_factor(slice_)


def test_a_post_processed_series_uses_the_private_time_of_ge(slice_):
    slice_.SeriesTime = "180000"
    slice_.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20240301154948.00")
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert "(0009,100D)" in found.method
    assert "SeriesTime is after" in found.notes[0]


def test_a_post_processed_series_else_uses_the_frame_reference_time(slice_):
    # A frame of one half-life: decay = ln 2, mean rate at T/ln2 * ln(ln2 / (1 - 1/2)) = 0.47124 T after its start.
    mean_rate_s = F18_S / math.log(2) * math.log(2 * math.log(2))
    assert mean_rate_s == pytest.approx(0.47124 * F18_S, rel=1e-4)
    slice_.SeriesTime = "180000"
    slice_.ActualFrameDuration = F18_S * 1000
    slice_.FrameReferenceTime = (60 + mean_rate_s) * 1000  # the frame starts a minute after the scan
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR, rel=1e-6)
    assert "FrameReferenceTime" in found.method


def test_a_post_processed_series_last_uses_the_acquisition(slice_):
    slice_.SeriesTime, slice_.AcquisitionTime = "180000", ONE_HALF_LIFE_LATER
    slice_.FrameReferenceTime = 0
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert "AcquisitionTime" in found.method


def test_the_decay_correction_time_is_preferred(slice_):
    slice_.DecayCorrectionDateTime = "20240301140000"
    assert suvbw_factor(slice_).factor == pytest.approx(2e-4)


def test_a_time_zone_on_one_side_is_a_local_time(slice_):
    drug_of(slice_).RadiopharmaceuticalStartDateTime = "20240301140000.00+0500"
    assert suvbw_factor(slice_).factor == pytest.approx(FACTOR)


def test_a_missing_half_life_is_known_from_the_nuclide_with_a_note(slice_):
    nuclide = Dataset()
    nuclide.CodeValue = "C-111A1"
    del drug_of(slice_).RadionuclideHalfLife
    drug_of(slice_).RadionuclideCodeSequence = Sequence([nuclide])
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(2e-4 * 2 ** (6588 / 6586.2))
    assert "6586.2 s of F-18" in found.notes[0]


def test_philips_counts_use_the_suv_factor(slice_):
    slice_.Units = "CNTS"
    slice_.add_new((0x7053, 0x1000), "DS", "0.000551")
    del slice_.PatientWeight
    assert suvbw_factor(slice_).factor == pytest.approx(0.000551)


def test_philips_counts_else_use_the_activity_factor_even_as_unknown_bytes(slice_):
    slice_.Units = "CNTS"
    slice_.add_new((0x7053, 0x1000), "DS", "0")
    slice_.add_new((0x7053, 0x1009), "UN", b"2.5 ")
    assert suvbw_factor(slice_).factor == pytest.approx(2.5 * FACTOR)


def test_counts_without_factors_are_refused(slice_):
    slice_.Units = "CNTS"
    with pytest.raises(InputError, match=r"\(7053,1000\) and \(7053,1009\)"):
        suvbw_factor(slice_)


@pytest.mark.parametrize("kind", ["BW", None])
def test_gml_is_suv_already(slice_, kind):
    slice_.Units = "GML"
    if kind:
        slice_.SUVType = kind
    found = suvbw_factor(slice_)
    assert found.factor == 1.0
    assert bool(found.notes) == (kind is None)


@pytest.mark.parametrize("kind", ["LBM", "BSA", "IBW", "LBMJAMES128"])
def test_suv_by_another_body_measure_is_refused(slice_, kind):
    slice_.Units, slice_.SUVType = "GML", kind
    with pytest.raises(InputError, match=r"SUVType \(0054,1006\)"):
        suvbw_factor(slice_)


@pytest.mark.parametrize(
    ("keyword", "number"),
    [
        ("CorrectedImage", "0028,0051"),
        ("Units", "0054,1001"),
        ("DecayCorrection", "0054,1102"),
        ("PatientWeight", "0010,1030"),
        ("SeriesDate", "0008,0021"),
        ("SeriesTime", "0008,0031"),
        ("AcquisitionTime", "0008,0032"),
        ("RadiopharmaceuticalInformationSequence", "0054,0016"),
        ("RadiopharmaceuticalStartTime", "0018,1072"),
        ("RadionuclideTotalDose", "0018,1074"),
        ("RadionuclideHalfLife", "0018,1075"),
    ],
)
@pytest.mark.parametrize("emptied", [False, True])
def test_a_missing_tag_is_named(slice_, keyword, number, emptied):
    holder = slice_ if keyword in slice_ else drug_of(slice_)
    if emptied:
        setattr(holder, keyword, None)
    else:
        delattr(holder, keyword)
    with pytest.raises(InputError) as refused:
        suvbw_factor(slice_)
    assert f"{keyword} ({number})" in str(refused.value)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Units", "PROPCNTS"),
        ("DecayCorrection", "NONE"),
        ("PatientWeight", 0),
        ("PatientWeight", 70000),
        ("RadionuclideTotalDose", 400),  # MBq: never guessed
        ("RadionuclideTotalDose", -1),
        ("RadionuclideHalfLife", 0),
        ("CorrectedImage", ["NORM", "DECY"]),
        ("CorrectedImage", "ATTN"),
        ("SeriesTime", "noon"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_an_unusable_tag_is_named(slice_, keyword, value):
    holder = slice_ if keyword in slice_ else drug_of(slice_)
    setattr(holder, keyword, value)
    with pytest.raises(InputError, match=keyword):
        suvbw_factor(slice_)


def test_an_enhanced_image_states_its_corrections_and_unit_in_other_tags(slice_):
    unit, mapping, shared = Dataset(), Dataset(), Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator = "Bq/ml", "UCUM"
    mapping.MeasurementUnitsCodeSequence = Sequence([unit])
    shared.RealWorldValueMappingSequence = Sequence([mapping])
    slice_.SharedFunctionalGroupsSequence = Sequence([shared])
    del slice_.CorrectedImage, slice_.Units, slice_.DecayCorrection
    slice_.DecayCorrected = slice_.AttenuationCorrected = "YES"
    slice_.DecayCorrectionDateTime = f"20240301{ONE_HALF_LIFE_LATER}"
    assert suvbw_factor(slice_).factor == pytest.approx(FACTOR)
    slice_.AttenuationCorrected = "NO"
    with pytest.raises(InputError, match="ATTN"):
        suvbw_factor(slice_)
