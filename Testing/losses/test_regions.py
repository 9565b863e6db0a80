"""Regions: blocks whose last ones are smaller."""

import pytest
import torch
from DiffuFuseMedLib.losses.regions import by_region


def test_a_region_is_the_mean_of_its_block_and_the_last_one_of_what_is_left():
    x = torch.arange(5.0).view(1, 1, 1, 5)
    assert by_region(x, 2).flatten().tolist() == [0.5, 2.5, 4]


def test_regions_have_a_size_along_each_axis():
    x = torch.arange(24.0).view(1, 1, 2, 3, 4)
    found = by_region(x, (1, 2, 4))
    assert found.shape == (1, 1, 2, 2, 1)
    assert found.flatten().tolist() == pytest.approx([3.5, 9.5, 15.5, 21.5])


def test_a_window_smaller_than_a_region_is_one():
    assert by_region(torch.tensor([1.0, 3.0]).view(1, 1, 1, 2), 8).flatten().tolist() == [2]
