"""Which MR of a case is fused with its CT, and one sentence where there is nothing to fuse."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.fusion_sources import mr_keys, mr_of, why_no_fusion, with_one_mr

GRID = Grid((4, 3, 2))


@pytest.fixture
def case_with():
    """A function of modality keys: a case of these, in this order."""

    def make(*modalities):
        volumes = {m: Volume(np.zeros(GRID.shape, np.float32), GRID, m) for m in modalities}
        return Case("c", GRID, "CT", volumes, {m: np.ones(GRID.shape, bool) for m in modalities})

    return make


def test_the_first_mr_is_the_first_of_the_modalities_whatever_their_order_in_the_case(case_with):
    case = case_with("MR_FLAIR", "MR_T2", "CT", "MR_T1")
    assert mr_keys(case) == ["MR_T1", "MR_T2", "MR_FLAIR"]
    assert mr_of(case) == "MR_T1"
    assert mr_of(case.only(["CT", "MR_FLAIR", "MR_T2"])) == "MR_T2"
    assert mr_of(case, "MR_FLAIR") == "MR_FLAIR"


def test_one_mr_stays_beside_everything_that_is_none(case_with):
    case = case_with("PET", "MR_FLAIR", "CT", "MR_T1")
    assert with_one_mr(case).modalities == ("PET", "CT", "MR_T1")
    assert with_one_mr(case, "MR_FLAIR").modalities == ("PET", "MR_FLAIR", "CT")


def test_says_what_a_case_lacks(case_with):
    assert why_no_fusion(case_with("CT", "MR_T2")) is None
    assert why_no_fusion(case_with("CT", "PET")) == "the case has no MR"
    assert why_no_fusion(case_with("PET")) == "the case has no CT and no MR"


@pytest.mark.parametrize("choose", [mr_of, with_one_mr])
@pytest.mark.parametrize(
    ("modalities", "wanted", "sentence"),
    [
        (("PET", "MR_T1"), None, "Given a case with PET, MR_T1, wanted a CT and an MR to fuse: add what is missing, "
         "as the case has no CT."),
        ((), None, "Given a case with no modality, wanted a CT and an MR to fuse: add what is missing, as the case has "
         "no CT and no MR."),
        (("CT", "MR_T1", "MR_T2"), "MR_FLAIR", "Given the MR 'MR_FLAIR', wanted one that the case has (MR_T1, MR_T2): "
         "choose one of these or load it."),
        (("CT", "MR_T1"), "CT", "Given the MR 'CT', wanted one that the case has (MR_T1): choose one of these or load "
         "it."),
    ],
)  # fmt: skip
def test_what_cannot_be_fused_is_one_sentence(case_with, choose, modalities, wanted, sentence):
    with pytest.raises(InputError) as refused:
        choose(case_with(*modalities), wanted)
    assert str(refused.value) == sentence


def test_what_is_named_is_not_echoed_at_length(case_with):
    with pytest.raises(InputError) as refused:
        mr_of(case_with("CT", "MR_T1"), "x" * 5000)
    assert len(str(refused.value)) < 200
