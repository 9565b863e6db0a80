"""Embeddings of place and time, eq. (6) and 3.5.2."""

import math

import pytest
import torch
from DiffuFuseMedLib.networks import TimeEmbedding, window_position


def test_codes_each_axis_by_sine_and_cosine_of_its_index():
    """2D, 8 channels: two frequencies per axis and phase, 1 and 1 / 10 radians a position."""
    table = window_position((2, 3), 8)[0]
    expected = [math.sin(1), math.sin(0.1), math.cos(1), math.cos(0.1), math.sin(2), math.sin(0.2)]
    expected += [math.cos(2), math.cos(0.2)]
    assert table[:, 1, 2].tolist() == pytest.approx(expected, abs=1e-6)
    assert table[:, 0, 0].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]


def test_no_two_places_of_a_window_share_a_code():
    codes = window_position((12, 16, 16), 64)[0].flatten(1).T
    assert len(torch.unique(codes, dim=0)) == 12 * 16 * 16


@pytest.mark.parametrize(("channels", "coded"), [(8, 6), (88, 84), (4, 0)])
def test_channels_left_over_stay_zero(channels, coded):
    table = window_position((4, 4, 4), channels)
    assert table.shape == (1, channels, 4, 4, 4)
    assert int(table.flatten(2).abs().amax(dim=2).count_nonzero()) == coded
    assert torch.equal(table[:, coded:], torch.zeros(1, channels - coded, 4, 4, 4))


@pytest.mark.parametrize("channels", [8, 64, 88])
def test_tells_times_apart(channels):
    torch.manual_seed(0)
    told = TimeEmbedding(channels)(torch.tensor([0.0, 0.25, 0.5, 1.0]))
    assert told.shape == (4, channels)
    assert torch.pdist(told).min() > 1e-3
