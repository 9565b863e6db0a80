"""What the fused picture cannot show: said with its numbers where there is something to say, else not at all."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.preprocessing.fusion_limits import field_of_view_words, marrow_words, mr_coverage


@pytest.fixture
def half_seen(a_case):
    """CT of tissue everywhere; an MR that covers the half with the lower columns."""
    case = a_case((8, 20, 20))
    ct = replace(case.volumes["CT"], array=np.full(case.grid.shape, 40, np.float32))
    seen = np.zeros(case.grid.shape, bool)
    seen[..., :10] = True
    valid = {"CT": np.ones_like(seen), "MR_T1": seen}
    return replace(case, volumes={**case.volumes, "CT": ct}, valid={**case.valid, **valid})


def test_an_mr_that_ends_within_the_patient_is_said_with_its_share(half_seen):
    assert mr_coverage(half_seen, "MR_T1") == 0.5
    assert "MR T1 covers 50 % of the tissue" in field_of_view_words(half_seen, "MR_T1")
    assert "the fused picture is the CT alone" in field_of_view_words(half_seen, "MR_T1")


def test_an_mr_that_ends_in_air_needs_no_word(half_seen):
    ct = half_seen.volumes["CT"].array.copy()
    ct[..., 10:] = -1000
    air = replace(half_seen, volumes={**half_seen.volumes, "CT": replace(half_seen.volumes["CT"], array=ct)})
    assert field_of_view_words(air, "MR_T1") == ""
    ct[:] = -1000
    assert mr_coverage(air, "MR_T1") == 1


def test_marrow_is_told_in_ml_where_there_is_any_that_the_mr_shows(half_seen):
    bone = np.zeros(half_seen.grid.shape, bool)
    assert marrow_words(half_seen, "MR_T1", bone) == ""
    bone[:, :, 10:] = True  # where the MR sees nothing, it has nothing to show
    assert marrow_words(half_seen, "MR_T1", bone) == ""
    bone[:] = True
    ml = bone.sum() / 2 * half_seen.grid.voxel_mm3 / 1000
    assert f"({ml:.0f} mL)" in marrow_words(half_seen, "MR_T1", bone)
    assert "judge it there" in marrow_words(half_seen, "MR_T1")
