"""SUV by other measures of the body, worked out by hand for a man and a woman."""

import pytest
from DiffuFuseMedLib.core.suv_units import FACTORS, WHY_NOT
from DiffuFuseMedLib.io.dicom.body_measures import other_units
from pydicom.dataset import Dataset


def a_patient(**tags) -> Dataset:
    pet = Dataset()
    for keyword, value in {"PatientWeight": 70, "PatientSize": 1.75, "PatientSex": "M", **tags}.items():
        if value is not None:
            setattr(pet, keyword, value)
    return pet


def test_a_mans_lean_body_mass_and_surface_over_his_weight():
    factors = other_units(a_patient())[0][FACTORS]
    # 9270 * 70 / (6680 + 216 * 22.857) = 55.857 kg; 1.10 * 70 - 128 * 0.4**2 = 56.52 kg; Du Bois: 18481 cm2
    assert factors["lbm"] == pytest.approx(55.857 / 70, rel=1e-4)
    assert factors["lbm-james"] == pytest.approx(56.52 / 70)
    assert factors["bsa"] == pytest.approx(18481 / 70_000, rel=1e-3)


def test_a_womans_lean_body_mass_has_a_formula_of_its_own():
    factors = other_units(a_patient(PatientSex="F"))[0][FACTORS]
    # 9270 * 70 / (8780 + 244 * 22.857) = 45.195 kg; 1.07 * 70 - 148 * 0.4**2 = 51.22 kg
    assert factors["lbm"] == pytest.approx(45.195 / 70, rel=1e-4)
    assert factors["lbm-james"] == pytest.approx(51.22 / 70)


def test_where_neither_sex_is_given_the_mean_of_both_is_taken_and_told():
    units, notes = other_units(a_patient(PatientSex="O"))
    assert units[FACTORS]["lbm"] == pytest.approx((55.857 + 45.195) / 140, rel=1e-4)
    assert len(notes) == 1 and "mean of both formulas" in notes[0]
    assert not notes[0].startswith("Warning")  # of a unit that nobody chose yet


@pytest.mark.parametrize(("tag", "without"), [("PatientSize", {"lbm", "lbm-james", "bsa"}),
                                              ("PatientSex", {"lbm", "lbm-james"})])  # fmt: skip
def test_a_missing_tag_is_the_reason_for_each_unit_that_takes_it(tag, without):
    reasons = other_units(a_patient(**{tag: None}))[0][WHY_NOT]
    assert set(reasons) == without
    assert all(reason.startswith(f"a PET series without {tag}") for reason in reasons.values())


def test_james_formula_is_not_used_where_it_falls_with_weight():
    found = other_units(a_patient(PatientWeight=140))[0]  # a body mass index of 46, where it turns at 43
    assert "body mass index of 46" in found[WHY_NOT]["lbm-james"] and set(found[FACTORS]) == {"lbm", "bsa"}
    assert "lbm-james" in other_units(a_patient(PatientWeight=130))[0][FACTORS]
    assert "lbm-james" in other_units(a_patient(PatientWeight=130, PatientSex="F"))[0][WHY_NOT]  # 42: she is past 36


@pytest.mark.parametrize("tags", [{"PatientSize": 17}, {"PatientWeight": 7}, {"PatientSize": 0.2}])
def test_a_weight_and_a_height_that_nobody_has_together_are_refused(tags):
    assert set(other_units(a_patient(**tags))[0][WHY_NOT]) == {"lbm", "lbm-james", "bsa"}
