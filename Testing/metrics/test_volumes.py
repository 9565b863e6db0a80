"""The score of volumes that samples foretell, by hand."""

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.volumes import crps


def test_of_one_sample_it_is_the_absolute_error():
    assert crps([12.0], 10.0) == 2


def test_of_several_their_own_spread_is_taken_off():
    """E|X - y| of 8 and 12 around 10 is 2, E|X - X'| over the four pairs is (0 + 4 + 4 + 0) / 4 = 2."""
    assert crps([8.0, 12.0], 10.0) == pytest.approx(2 - 1)
    assert crps([10.0, 10.0], 10.0) == 0


def test_no_sample_is_refused():
    with pytest.raises(InputError, match="without a sample's volume"):
        crps([], 1.0)
