"""SUVbw factors worked out by hand from the QIBA pseudocode, and a refusal for every tag that is missing."""

import math
from copy import deepcopy

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.dicom.suv import suvbw_factors
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


def suvbw_factor(pet: Dataset):
    return suvbw_factors([pet])


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


@pytest.mark.parametrize(("tag", "value"), [("PatientWeight", 8), ("RadionuclideTotalDose", 40e6)])
def test_slices_that_differ_in_what_the_factor_is_made_of_are_refused(slice_, tag, value):
    other = deepcopy(slice_)
    setattr(other if tag == "PatientWeight" else drug_of(other), tag, value)
    with pytest.raises(InputError, match=f"slices differ in {tag}"):
        suvbw_factors([slice_, other])


@pytest.mark.parametrize(
    ("tag", "value", "units"),
    [
        ("CorrectedImage", ["NORM", "DTIM", "SCAT", "DECY"], "BQML"),
        ("TimezoneOffsetFromUTC", "+0200", "BQML"),
        ("DecayCorrectionDateTime", "20240301150000", "BQML"),
        ("SUVType", "LBM", "GML"),
        ("DoseCalibrationFactor", 2.0, "CPS"),
        ("ActualFrameDuration", 1000, "CNTS"),
    ],
)
def test_slices_that_differ_in_what_their_values_mean_are_refused_whichever_comes_first(slice_, tag, value, units):
    slice_.Units = units
    other = deepcopy(slice_)
    setattr(other, tag, value)
    for slices in ([slice_, other], [other, slice_]):
        with pytest.raises(InputError, match=f"slices differ in {tag}"):
            suvbw_factors(slices)


def test_slices_whose_philips_factors_differ_are_refused(slice_):
    slice_.Units = "CNTS"
    other = deepcopy(slice_)
    slice_.add_new((0x7053, 0x1000), "DS", "0.5")
    other.add_new((0x7053, 0x1000), "DS", "0.6")
    with pytest.raises(InputError, match=r"differ in the factor \(7053,1000\)"):
        suvbw_factors([slice_, other])


def test_what_says_the_same_in_other_words_is_no_difference(slice_):
    other = deepcopy(slice_)
    other.CorrectedImage = [*reversed(slice_.CorrectedImage)]
    assert suvbw_factors([slice_, other]).factor == pytest.approx(FACTOR)
    slice_.Units = other.Units = "GML"
    other.SUVType = "BW"
    assert suvbw_factors([slice_, other]).factor == 1


@pytest.mark.parametrize(("code", "name"), [("C-128A2", "Ge-68"), ("79197006", "Rb-82"), ("21576001", "N-13")])
def test_a_code_of_another_nuclide_than_the_half_lifes_is_told(slice_, code, name):
    item = Dataset()
    item.CodeValue = code
    drug_of(slice_).RadionuclideCodeSequence = Sequence([item])
    assert f"not that of {name}" in warnings_of(suvbw_factor(slice_))[0]


@pytest.mark.parametrize(
    ("words", "name"), [("68Ga-PSMA", "Ga-68"), ("[C-11]choline", "C-11"), ("^68^Germanium", "Ge-68")]
)
def test_the_name_of_another_tracer_than_the_half_lifes_is_told(slice_, words, name):
    drug_of(slice_).Radiopharmaceutical = words
    assert f"not that of {name}" in warnings_of(suvbw_factor(slice_))[0]


@pytest.mark.parametrize("words", ["FDG -- fluorodeoxyglucose", "18F-FDG", "^18^Fluorine", "Solution"])
def test_the_name_of_its_own_tracer_is_not(slice_, words):
    drug_of(slice_).Radiopharmaceutical = words
    assert suvbw_factor(slice_).notes == ()


def test_two_times_of_one_injection_are_told_apart(slice_):
    drug_of(slice_).RadiopharmaceuticalStartDateTime = "20240301140000.00"
    assert suvbw_factor(slice_).notes == ()
    drug_of(slice_).RadiopharmaceuticalStartTime = "150000"
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert "differ by 60 min; the second was used" in warnings_of(found)[0]


def test_a_half_life_that_is_not_the_named_nuclides_is_told(slice_):
    code = Dataset()
    code.CodeValue = "C-131A3"  # Ga-68, whose half-life is 4063 s
    drug_of(slice_).RadionuclideCodeSequence = Sequence([code])
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert "which is not that of Ga-68" in found.notes[0] and found.notes[0].startswith("Warning: ")


def test_a_weight_that_hardly_anybody_has_is_told(slice_):
    slice_.PatientWeight = 1
    assert "hardly any patient weighs" in suvbw_factor(slice_).notes[0]


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
        ("DecayCorrection", "NONE"),  # and CorrectedImage has DECY
        ("DecayCorrection", "LATER"),
        ("PatientWeight", 0),
        ("PatientWeight", 700),  # neither kilograms nor grams
        ("RadionuclideTotalDose", 40_000),  # neither MBq nor Bq
        ("RadionuclideTotalDose", 9.46),  # 350 MBq in mCi, or a child's in MBq
        ("RadionuclideTotalDose", 0.35),
        ("RadionuclideTotalDose", 9460),  # 350 MBq in uCi
        ("RadionuclideTotalDose", 350e3),  # kBq
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


def warnings_of(found):
    return [note for note in found.notes if note.startswith("Warning:")]


@pytest.mark.parametrize(
    ("dated", "words"), [("20240302140000.00", "dated after its scan"), ("20240227140000.00", "3 days before its scan")]
)
def test_an_injection_dated_on_another_day_leaves_its_time_of_day(slice_, dated, words):
    drug_of(slice_).RadiopharmaceuticalStartDateTime = dated
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert words in warnings_of(found)[0]


def test_an_injection_many_half_lives_ago_is_told_and_then_refused(slice_):
    drug_of(slice_).RadiopharmaceuticalStartTime = "023000"  # 13.3 h before the scan
    found = suvbw_factor(slice_)
    assert "7.3 half-lives (perhaps a clock of 12 hours)" in warnings_of(found)[0]
    drug_of(slice_).RadiopharmaceuticalStartDateTime = "20240229170000"  # 22.8 h
    with pytest.raises(InputError, match="12 half-lives, wanted at most 10"):
        suvbw_factor(slice_)


def test_a_clock_that_runs_a_minute_apart_is_not_taken_for_a_day(slice_):
    drug_of(slice_).RadiopharmaceuticalStartTime = "155048"
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(2e-4 * 2 ** (-60 / F18_S))
    assert "1 min before its injection" in warnings_of(found)[0]


@pytest.mark.parametrize(("injected", "scanned"), [("+0100", "+0000"), ("-0800", "-0900"), ("+0000", "-0100")])
def test_two_time_zones_are_brought_to_one(slice_, injected, scanned):
    # The injection's clock is an hour ahead of the scan's: 15:00 there is 14:00 here.
    slice_.TimezoneOffsetFromUTC = scanned
    drug_of(slice_).RadiopharmaceuticalStartDateTime = f"20240301150000.00{injected}"
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert found.notes == ()


def test_the_zone_of_the_object_is_that_of_every_time_without_one(slice_):
    slice_.TimezoneOffsetFromUTC = "-0500"
    drug_of(slice_).RadiopharmaceuticalStartDateTime = "20240301140000.00"
    assert suvbw_factor(slice_).factor == pytest.approx(FACTOR)
    del drug_of(slice_).RadiopharmaceuticalStartDateTime
    assert suvbw_factor(slice_).factor == pytest.approx(FACTOR)


def test_a_time_zone_on_one_side_is_a_local_time_and_told(slice_):
    drug_of(slice_).RadiopharmaceuticalStartDateTime = "20240301140000.00+0500"
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert "only one of injection and scan has a time zone" in warnings_of(found)[0]
    assert "is absent" in warnings_of(found)[0]


@pytest.mark.filterwarnings("ignore")
def test_a_time_zone_that_is_no_offset_is_not_called_absent(slice_):
    drug_of(slice_).RadiopharmaceuticalStartDateTime = "20240301140000.00+0500"
    slice_.TimezoneOffsetFromUTC = "UTC+1"
    assert "is 'UTC+1', which is no offset" in warnings_of(suvbw_factor(slice_))[0]


def test_a_nuclide_that_lasts_days_wants_the_injections_date(slice_):
    drug_of(slice_).RadionuclideHalfLife = 282280.0
    assert "only for an injection on the day of the scan" in warnings_of(suvbw_factor(slice_))[0]
    drug_of(slice_).RadiopharmaceuticalStartDateTime = "20240226154948"  # four days before
    drug_of(slice_).RadiopharmaceuticalStartTime = ONE_HALF_LIFE_LATER
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(2e-4 * 2 ** (4 * 86400 / 282280.0))
    assert found.notes == ()


def test_values_that_were_not_decay_corrected_have_a_factor_each(slice_):
    # A frame of one half-life: its mean rate is that of 0.47124 half-lives after its start.
    slice_.DecayCorrection, slice_.CorrectedImage = "NONE", ["ATTN", "SCAT"]
    slice_.ActualFrameDuration = 1000 * F18_S
    slice_.AcquisitionTime = "140000"
    later = deepcopy(slice_)
    later.AcquisitionTime = ONE_HALF_LIFE_LATER
    found = suvbw_factors([slice_, later])
    mean = math.log(2 * math.log(2)) / math.log(2)
    assert found.factors == pytest.approx((2e-4 * 2**mean, 2e-4 * 2 ** (1 + mean)))
    del later.ActualFrameDuration
    with pytest.raises(InputError, match="ActualFrameDuration"):
        suvbw_factors([slice_, later])


def test_the_slices_of_a_corrected_series_have_one_factor_by_the_first_acquired(slice_):
    first = deepcopy(slice_)
    slice_.SeriesTime = first.SeriesTime = "180000"
    first.AcquisitionTime, slice_.AcquisitionTime = ONE_HALF_LIFE_LATER, "155948"
    assert suvbw_factors([slice_, first]).factors == pytest.approx((FACTOR, FACTOR))


def test_a_dose_in_mbq_and_a_weight_in_grams_are_read_and_told(slice_):
    drug_of(slice_).RadionuclideTotalDose = 400
    slice_.PatientWeight = 80_000
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(FACTOR)
    assert ["grams" in warnings_of(found)[0], "MBq" in warnings_of(found)[1]] == [True, True]


# 80 kg, 160 cm: James 88 - 128 / 4 = 56 and 85.6 - 148 / 4 = 48.6, Morgan 88 - 30 = 58, BMI 31.25:
# Janmahasatian 741600 / 13430 and 741600 / 16405, ideal 48 + 1.06 * 8 = 56.48 and 45.5 + 0.91 * 8 = 52.78.
@pytest.mark.parametrize(
    ("kind", "sex", "mass"),
    [
        ("LBM", "M", 58.0),
        ("LBM", "F", 48.6),
        ("LBMJAMES128", "M", 56.0),
        ("LBMJAMES128", "O", (56.0 + 48.6) / 2),
        ("LBMJANMA", "M", 741600 / 13430),
        ("LBMJANMA", "F", 741600 / 16405),
        ("IBW", "M", 56.48),
        ("IBW", "F", 52.78),
        ("IBW", "O", (56.48 + 52.78) / 2),
    ],
)
def test_suv_by_another_mass_is_brought_to_body_weight(slice_, kind, sex, mass):
    slice_.Units, slice_.SUVType, slice_.PatientSex, slice_.PatientSize = "GML", kind, sex, 1.6
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(WEIGHT_KG / mass)
    assert bool(warnings_of(found)) == (sex == "O")


def test_suv_by_body_surface_is_brought_to_body_weight(slice_):
    slice_.Units, slice_.PatientSize = "CM2ML", 160  # centimeters
    found = suvbw_factor(slice_)
    surface_cm2 = 0.007184 * 80**0.425 * 160**0.725 * 10_000
    assert found.factor == pytest.approx(80_000 / surface_cm2)
    assert "centimeters" in warnings_of(found)[0]


@pytest.mark.parametrize(
    ("units", "kind", "named"),
    [
        ("GML", "BSA", "SUVType"),
        ("CM2ML", "BW", "SUVType"),
        ("GML", "IBW", "PatientSize"),
        ("CM2ML", "", "Size"),
    ],
)
def test_suv_that_cannot_be_brought_to_body_weight_is_refused(slice_, units, kind, named):
    slice_.Units, slice_.SUVType = units, kind
    with pytest.raises(InputError, match=named):
        suvbw_factor(slice_)


def test_counts_go_through_the_frames_duration_and_the_scanners_calibration(slice_):
    slice_.Units, slice_.DoseCalibrationFactor = "CPS", 3.0
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(3 * FACTOR)
    assert "DoseCalibrationFactor" in warnings_of(found)[0]
    slice_.Units, slice_.ActualFrameDuration = "CNTS", 120_000
    assert suvbw_factor(slice_).factor == pytest.approx(3 * FACTOR / 120)
    del slice_.DoseCalibrationFactor
    with pytest.raises(InputError, match="DoseCalibrationFactor"):
        suvbw_factor(slice_)


def test_philips_factors_that_disagree_are_told(slice_):
    slice_.Units = "CNTS"
    slice_.add_new((0x7053, 0x1000), "DS", "0.001")
    slice_.add_new((0x7053, 0x1009), "DS", "2.5")  # times 4e-4 is the same 0.001
    assert suvbw_factor(slice_).notes == ()
    slice_[0x7053, 0x1009].value = "5"
    found = suvbw_factor(slice_)
    assert found.factor == pytest.approx(0.001)
    assert "differ by a factor of 2.00" in warnings_of(found)[0]


def test_the_frame_reference_time_of_ge_is_the_frames_start(slice_):
    slice_.SeriesTime, slice_.Manufacturer = "180000", "GE MEDICAL SYSTEMS"
    slice_.ActualFrameDuration, slice_.FrameReferenceTime = F18_S * 1000, 60_000
    assert suvbw_factor(slice_).factor == pytest.approx(FACTOR, rel=1e-6)


def test_a_post_processed_series_uses_the_private_time_of_siemens(slice_):
    slice_.SeriesTime = "180000"
    slice_.private_block(0x0071, "SIEMENS MED PT", create=True).add_new(0x22, "DT", "20240301154948.00")
    assert suvbw_factor(slice_).factor == pytest.approx(FACTOR)
