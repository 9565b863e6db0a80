from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.tasks.segment.corruptions import CORRUPTIONS, corrupt, line_kernel


def array(case, modality):
    return case.volumes[modality].array


def flat(case, **values):
    """The case with the named modalities constant."""
    changed = {m: case.volumes[m].with_array(np.full(case.grid.shape, v, np.float32)) for m, v in values.items()}
    return replace(case, volumes={**case.volumes, **changed})


def test_lists_the_corruptions_of_the_papers_table():
    assert list(CORRUPTIONS) == [
        "gaussian noise 0.1",
        "gaussian noise 0.3",
        "gaussian noise 0.5",
        "motion blur mild",
        "motion blur strong",
        "intensity drift 20 %",
        "bias field (MR)",
    ]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_seed_gives_the_same_case_and_another_seed_another(name, a_tiny_case):
    first, again, other = (array(corrupt(a_tiny_case, name, seed), "MR_T1") for seed in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.dtype == np.float32


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_leaves_what_is_out_of_view_and_the_given_case_as_they_are(name, a_tiny_case):
    valid = np.ones(a_tiny_case.grid.shape, bool)
    valid[:, :, :6] = False
    case = replace(a_tiny_case, valid=dict.fromkeys(a_tiny_case.volumes, valid))
    before = array(case, "MR_T1").copy()
    after = array(corrupt(case, name), "MR_T1")
    assert np.array_equal(array(case, "MR_T1"), before)
    assert np.array_equal(after[~valid], before[~valid])
    assert not np.array_equal(after[valid], before[valid])


def test_touches_only_the_modalities_asked_for_and_says_so(a_tiny_case):
    case = corrupt(a_tiny_case, "gaussian noise 0.3", seed=2, modalities=["PET"])
    assert case.volumes["CT"] is a_tiny_case.volumes["CT"]
    assert not np.array_equal(array(case, "PET"), array(a_tiny_case, "PET"))
    assert case.volumes["PET"].meta["corruption"] == "gaussian noise 0.3, seed 2"
    assert case.notes == ("gaussian noise 0.3 added to PET with seed 2.",)


def test_a_modality_is_corrupted_alike_whichever_others_are_there(a_tiny_case):
    alone = a_tiny_case.only(("MR_T1",))
    for name in ("motion blur strong", "intensity drift 20 %", "bias field (MR)"):
        assert np.array_equal(array(corrupt(alone, name), "MR_T1"), array(corrupt(a_tiny_case, name), "MR_T1"))


@pytest.mark.parametrize("sigma", [0.1, 0.3, 0.5])
def test_noise_is_the_stated_fraction_of_the_spread_inside_the_body(sigma, a_real_case):
    noise = array(corrupt(a_real_case, f"gaussian noise {sigma}"), "CT") - array(a_real_case, "CT")
    body = array(a_real_case, "CT") > -500
    spread = array(a_real_case, "CT")[body].std()
    assert noise[body].std() == pytest.approx(sigma * spread, rel=0.02)
    assert abs(noise[body].mean()) < 0.02 * spread


def test_noise_never_makes_an_uptake_negative(a_real_case):
    case = corrupt(a_real_case, "gaussian noise 0.5")
    assert array(case, "PET").min() >= 0
    assert array(case, "MR_T1").min() >= 0
    assert array(case, "CT").min() >= -1024


def test_blur_keeps_what_is_constant_and_spreads_a_point_over_its_length(a_tiny_case):
    case = flat(a_tiny_case, CT=40.0)
    array(case, "PET")[:] = 0
    array(case, "PET")[6, 10, 10] = 1.0
    blurred = corrupt(case, "motion blur strong")
    assert array(blurred, "CT") == pytest.approx(40.0, abs=1e-3)
    point = array(blurred, "PET")
    assert point.sum() == pytest.approx(1, abs=1e-4)
    assert np.count_nonzero(point[[5, 7]] > 1e-6) == 0
    where = np.argwhere(point > 1e-6)
    length_mm = np.linalg.norm((where.max(axis=0) - where.min(axis=0)) * case.grid.spacing_kji_mm)
    assert length_mm == pytest.approx(15, abs=3)


def test_blur_does_not_draw_from_outside_the_view(a_tiny_case):
    case = flat(a_tiny_case, MR_T1=100.0)
    valid = np.ones(case.grid.shape, bool)
    valid[:, :10] = False
    array(case, "MR_T1")[~valid] = 0
    case = replace(case, valid={**case.valid, "MR_T1": valid})
    assert array(corrupt(case, "motion blur strong"), "MR_T1")[valid] == pytest.approx(100, abs=1e-3)


def test_the_line_has_its_length_and_direction():
    along_i = line_kernel(6.0, 0.0, (1.0, 1.0))
    assert along_i.shape == (7, 7)
    assert along_i.sum() == pytest.approx(1)
    assert np.flatnonzero(along_i.sum(axis=1)).tolist() == [3]
    assert np.flatnonzero(along_i.sum(axis=0)).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert np.flatnonzero(line_kernel(6.0, np.pi / 2, (1.0, 1.0)).sum(axis=1)).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert line_kernel(6.0, 0.0, (1.0, 3.0)).shape == (7, 3)


def test_drift_runs_from_80_to_120_percent_along_a_straight_line(a_tiny_case):
    factor = array(corrupt(flat(a_tiny_case, MR_T1=100.0), "intensity drift 20 %"), "MR_T1") / 100
    assert factor.min() == pytest.approx(0.8, abs=1e-5)
    assert factor.max() == pytest.approx(1.2, abs=1e-5)
    for axis in range(3):
        assert np.abs(np.diff(factor, n=2, axis=axis)).max() < 1e-5


def test_drift_leaves_water_at_zero(a_tiny_case):
    assert not array(corrupt(flat(a_tiny_case, CT=0.0), "intensity drift 20 %"), "CT").any()


def test_the_bias_field_is_smooth_bounded_and_for_mr_only(a_tiny_case):
    case = corrupt(flat(a_tiny_case, MR_T1=100.0), "bias field (MR)")
    gain = array(case, "MR_T1") / 100
    assert np.abs(np.log(gain)).max() == pytest.approx(np.log(1.5), abs=1e-5)
    for axis in range(3):
        assert np.abs(np.diff(np.log(gain), n=4, axis=axis)).max() < 1e-5
    assert case.volumes["PET"] is a_tiny_case.volumes["PET"]
    assert case.notes == ("bias field (MR) added to MR_T1 with seed 0.",)


def test_refuses_a_corruption_and_a_modality_that_are_not_there(a_tiny_case):
    with pytest.raises(InputError, match="motion blur mild"):
        corrupt(a_tiny_case, "rain")
    with pytest.raises(InputError, match="MR_T2"):
        corrupt(a_tiny_case, "motion blur mild", modalities=["MR_T2"])
