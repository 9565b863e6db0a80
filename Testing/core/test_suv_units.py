"""PET values in another unit than SUV by body weight: factors of a patient, and a reason where there is none."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.lesion import quantify
from DiffuFuseMedLib.core.suv_units import BODY_WEIGHT, FACTORS, WHY_NOT, SuvScale, suv_choices, suv_scale, why_not


@pytest.fixture
def a_patient(a_case):
    """Whose lean body mass is known, and whose surface is not."""
    case = a_case()
    meta = {FACTORS: {"lbm": 0.5}, WHY_NOT: {"bsa": "a PET series without PatientSize (0010,1020)"}}
    return replace(case, volumes={**case.volumes, "PET": replace(case.volumes["PET"], meta=meta)})


def test_a_factor_that_the_images_tell_is_the_scale(a_patient):
    scale = suv_scale(a_patient, "lbm")
    assert scale == SuvScale("lbm", 0.5)
    assert (scale.label("max"), scale.told.unit) == ("SUVlbm max", "g/mL")
    assert suv_scale(a_patient, "bw") is not None and BODY_WEIGHT.label("max") == "SUVmax"


def test_a_unit_that_cannot_be_worked_out_is_refused_with_the_tag_that_is_missing(a_patient):
    with pytest.raises(InputError, match=r"without PatientSize \(0010,1020\), wanted .* SUVbsa takes: choose SUVbw"):
        suv_scale(a_patient, "bsa")
    with pytest.raises(InputError, match="one of bw, lbm"):
        suv_scale(a_patient, "SUL")


def test_a_pet_without_dicom_tags_says_that_it_was_not_dicom(a_case):
    assert "not read from DICOM" in why_not(a_case(), "lbm")
    assert why_not(a_case(), "bw") == ""


def test_a_panel_is_offered_every_unit_with_what_stands_against_it(a_patient):
    choices = {one["value"]: one["why_not"] for one in suv_choices(a_patient)}
    assert list(choices) == ["bw", "lbm", "lbm-james", "bsa"]
    assert [key for key, why in choices.items() if not why] == ["bw", "lbm"]
    assert suv_choices(a_patient.only(["CT"])) == ()


def test_uptake_is_multiplied_and_thresholds_are_taken_in_the_unit(a_patient):
    labels = a_patient.reference_mask.array > 0
    own, half = quantify(labels, a_patient), quantify(labels, a_patient, SuvScale("lbm", 0.5))
    for key in ("suv_max", "suv_mean", "suv_peak", "tlg_g"):
        assert half[key] == pytest.approx(own[key] / 2)
    assert half["mtv_ml"] == own["mtv_ml"]  # 41 % of its own maximum
    pet = a_patient.volumes["PET"].array[labels]
    above = np.count_nonzero(pet > 5) * a_patient.grid.voxel_mm3 / 1000  # 2.5 in halves
    assert half["mtv_2_5_ml"] == pytest.approx(above) and above <= own["mtv_2_5_ml"]
