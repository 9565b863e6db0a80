"""Which modality the words of a file's name tell, and which of them say that it is no such image."""

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.io.naming import modality_from_name


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("sub-01_T1w", "MR_T1"),
        ("sub-control_T1w", "MR_T1"),
        ("sub-01_ses-2_T2w", "MR_T2"),
        ("sub-01_ce-gad_T1w", "MR_T1C"),
        ("sub-01_ce-none_T1w", "MR_T1"),
        ("sub-01_FLAIR", "MR_FLAIR"),
        ("sub01_CT", "CT"),
        ("T1_post", "MR_T1C"),
        ("post_T1", "MR_T1C"),
        ("t1_km", "MR_T1C"),
        ("T1_ohne_KM", "MR_T1"),
        ("T1_pre", "MR_T1"),
        ("T1_post_op", "MR_T1"),
        ("T1wCE", "MR_T1C"),
        ("CE012_T1", "MR_T1"),
        ("P7_T2_post", "MR_T2"),
        ("T2w_FLAIR", "MR_FLAIR"),
        ("T1_FLAIR", "MR_T1"),
        ("b100_T1", "MR_T1"),
        ("CT_arterial_phase", "CT"),
        ("PET_AC", "PET"),
    ],
)
def test_all_words_of_a_name_tell_the_contrast(name, modality):
    assert modality_from_name(f"{name}.nii.gz") == modality


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("T2_ADC", "adc"),
        ("ADC-T2w", "adc"),
        ("T1_sub", "sub"),
        ("T1_subtraction", "subtraction"),
        ("localizer_T1", "localizer"),
        ("CT_scout", "scout"),
        ("MIP_PET", "mip"),
        ("CT_MIP", "mip"),
        ("NAC_PET", "nac"),
        ("PET_NAC", "nac"),
        ("PET_noAC", "noac"),
        ("PET_non-AC", "non ac"),
        ("PET_uncorrected", "uncorrected"),
        ("T2_star", "t2 star"),
        ("T1_map", "t1 map"),
        ("T2_DWI", "dwi"),
        ("T1_perf", "perf"),
    ],
)
def test_a_name_that_says_it_is_no_such_image_is_refused_by_its_word(name, word):
    with pytest.raises(InputError, match=f"whose name says '{word}'"):
        modality_from_name(f"{name}.nii.gz")


def test_two_contrasts_in_one_name_stay_unknown():
    with pytest.raises(InputError, match="several modalities"):
        modality_from_name("T1_T2.nii.gz")
