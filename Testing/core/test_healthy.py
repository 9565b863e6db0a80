"""Healthy: what was taken away, where, and the case without it."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.healthy import Healthy


@pytest.fixture
def case(a_case):
    return a_case()


@pytest.fixture
def healthy(case):
    """CT and MR less by 30 in a box that reaches beyond the MR's field of view."""
    removed = np.zeros(case.grid.shape, bool)
    removed[3:6, 10:20, 20:] = True
    lower = lambda v: v.with_array(np.where(removed, v.array - 30, v.array))  # noqa: E731
    return Healthy({m: lower(case.volumes[m]) for m in ("CT", "MR_T1")}, removed)


def test_the_difference_is_what_was_taken_away_and_zero_elsewhere(case, healthy):
    difference = healthy.difference(case)
    assert set(difference) == {"CT", "MR_T1"}
    assert np.allclose(difference["CT"][healthy.removed], 30, atol=1e-3)
    assert (difference["CT"][~healthy.removed] == 0).all()
    assert (difference["MR_T1"][..., -2:] == 0).all() and difference["MR_T1"].max() == pytest.approx(30, abs=1e-3)


def test_the_case_has_the_healthy_images_and_nothing_drawn(case, healthy):
    shown = healthy.of(case)
    assert shown.volumes["CT"] is healthy.volumes["CT"] and shown.volumes["PET"] is case.volumes["PET"]
    assert shown.reference_mask is None and shown.valid is case.valid
    assert replace(shown, volumes=case.volumes, reference_mask=case.reference_mask) == case
