"""A case folder read and aligned in one go."""

import numpy as np
from DiffuFuseMedLib.preprocessing.load import load_case


def test_a_folder_becomes_a_case_on_its_cts_grid(a_real_folder):
    case = load_case(a_real_folder)
    assert (case.name, case.modalities, case.reference) == ("STS_010", ("CT", "PET", "MR_T1"), "CT")
    assert {v.grid for v in case.volumes.values()} == {case.grid} == {case.reference_mask.grid}
    assert set(case.valid) == set(case.volumes)


def test_limits_the_modalities_and_chooses_the_reference(a_real_folder):
    case = load_case(a_real_folder, ["PET", "MR_T1"], reference="PET")
    assert (case.modalities, case.reference) == (("PET", "MR_T1"), "PET")


def test_corrects_the_bias_field_of_mr_alone_and_says_so(a_real_folder):
    plain, corrected = (load_case(a_real_folder, correct_bias=on) for on in (False, True))
    for modality in ("CT", "PET"):
        np.testing.assert_array_equal(plain.volumes[modality].array, corrected.volumes[modality].array)
    changed = np.abs(corrected.volumes["MR_T1"].array - plain.volumes["MR_T1"].array)[plain.valid["MR_T1"]]
    assert changed.max() > 1
    assert "The bias field of MR_T1 was corrected (N4)." in corrected.volumes["MR_T1"].meta["notes"]
