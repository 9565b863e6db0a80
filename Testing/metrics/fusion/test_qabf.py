import numpy as np
import pytest
from DiffuFuseMedLib.metrics.fusion import qabf


def kept(strength, angle=1.0):
    return 0.9994 / (1 + np.exp(-15 * (strength - 0.5))) * 0.9879 / (1 + np.exp(-22 * (angle - 0.8)))


@pytest.fixture
def a_stripe():
    """A bright line along the middle column, far from the border of 21 x 21."""
    picture = np.zeros((21, 21))
    picture[5:16, 10] = 60
    return picture


def test_edges_of_half_the_strength_and_the_same_direction(a_stripe):
    assert qabf(a_stripe / 2, a_stripe, a_stripe) == pytest.approx(kept(0.5))


def test_stronger_edges_lose_like_weaker_ones(a_stripe):
    assert qabf(2 * a_stripe, a_stripe, a_stripe) == pytest.approx(kept(0.5))


def test_a_copy_keeps_what_the_sigmoids_allow(a_stripe):
    # Equal strengths enter as the strength itself, whose sigmoid is saturated, and not as the ratio 1.
    assert qabf(a_stripe, a_stripe, a_stripe) == pytest.approx(kept(np.inf))
    assert kept(1) < kept(np.inf)


def test_edges_at_right_angles_keep_nothing():
    j, i = np.mgrid[:41, :41]
    across, down = 5.0 * i, 5.0 * j
    assert qabf(down, across, across) < 0.25  # all that is left is the edge to the black beyond the border
    assert qabf(across, across, across) > 0.95


def test_a_source_counts_by_the_strength_of_its_edges(a_stripe):
    weak = a_stripe.T / 4
    keeps_strong = qabf(a_stripe, a_stripe, weak)
    keeps_weak = qabf(weak, a_stripe, weak)
    assert keeps_strong > 0.75 > 0.25 > keeps_weak


def test_without_any_edge_there_is_no_score():
    assert np.isnan(qabf(*np.zeros((3, 5, 5))))
