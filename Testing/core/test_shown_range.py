import numpy as np
import pytest
from DiffuFuseMedLib.core.modalities import MODALITIES
from DiffuFuseMedLib.core.shown_range import rounded_up, shown_range

PET, CT, T1 = MODALITIES["PET"], MODALITIES["CT"], MODALITIES["MR_T1"]


@pytest.mark.parametrize(
    ("value", "step"),
    [(0.9, 1.0), (1.0, 1.0), (1.01, 1.2), (3.1, 4.0), (8.4, 10.0), (10.0, 10.0), (21.7, 25.0), (0, 1)],
)
def test_an_end_is_the_next_round_number_above(value, step):
    assert rounded_up(value) == pytest.approx(step)


def test_a_tracer_ends_at_what_the_body_takes_up_and_not_at_a_few_voxels_of_noise():
    uptake = np.concatenate([np.zeros(50_000), np.full(9_000, 1.0), np.full(990, 5.5), np.full(3, 80.0)])
    assert shown_range(PET, uptake) == (0.0, 6.0)  # air is no body: of that, a tenth is tumor


def test_background_alone_is_not_made_to_look_hot():
    assert shown_range(PET, np.full(1000, 0.4)) == (0.0, 2.0)
    assert shown_range(PET, np.zeros(1000)) == (0.0, 2.0)
    assert shown_range(PET, np.zeros(0)) == (0.0, 1.0)


def test_a_round_number_is_one_in_the_unit_that_is_shown():
    low, high = shown_range(PET, np.full(1000, 5.5), per_shown=0.7)  # 3.85 by lean body mass
    assert (low, high * 0.7) == (0.0, pytest.approx(4.0))
    _, high = shown_range(PET, np.full(1000, 0.4), per_shown=0.02)
    assert high * 0.02 == pytest.approx(0.04)  # what 2 SUV by body weight are


def test_anatomy_is_shown_between_its_percentiles():
    values = np.arange(1001.0)
    assert shown_range(T1, values) == (pytest.approx(10.0), pytest.approx(995.0))
    assert shown_range(T1, np.full(10, 7.0)) == (7.0, 8.0)
