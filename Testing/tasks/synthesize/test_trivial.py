"""Fillings that have learned nothing: what they make of a plane, an edge and a missing rim."""

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.systems.diff4mmlits.inpainter import InpainterConfig
from DiffuFuseMedLib.tasks.synthesize.contract import Inpaints
from DiffuFuseMedLib.tasks.synthesize.trivial import (
    FILLINGS,
    PlainInpainter,
    biharmonic_filling,
    median_filling,
)

ALL = pytest.mark.parametrize("filling", FILLINGS.values(), ids=list(FILLINGS))


@pytest.fixture
def hole():
    hole = np.zeros((24, 30), bool)
    hole[8:17, 9:20] = True
    return hole


def everywhere(hole):
    return np.ones(hole.shape, bool)


@ALL
def test_what_is_known_stays_and_nothing_of_the_hole_is_seen(filling, hole):
    image = np.random.default_rng(0).standard_normal(hole.shape)
    one, other = (filling(np.where(hole, x, image), hole, everywhere(hole)) for x in (0.0, 99.0))
    assert np.array_equal(one[~hole], image[~hole]) and np.allclose(one, other)
    assert np.isfinite(one).all() and np.abs(one).max() <= np.abs(image[~hole]).max()


@ALL
def test_an_even_surface_stays_even(filling, hole):
    assert np.allclose(filling(np.where(hole, 7.0, 3.0), hole, everywhere(hole)), 3.0, atol=1e-6)


def test_a_biharmonic_filling_goes_on_with_a_slope(hole):
    plane = np.add.outer(np.arange(24.0), 0.5 * np.arange(30.0))
    filled = biharmonic_filling(np.where(hole, 0, plane), hole, everywhere(hole))
    assert np.abs(filled - plane).max() < 0.2


def test_a_biharmonic_filling_does_not_overshoot_what_is_known(hole):
    bowl = np.add.outer((np.arange(24.0) - 12) ** 2, (np.arange(30.0) - 14) ** 2)
    filled = biharmonic_filling(np.where(hole, 0, bowl), hole, everywhere(hole))
    assert filled[hole].min() == bowl[~hole].min()


def test_a_median_filter_keeps_an_edge(hole):
    step = np.repeat(np.where(np.arange(30) < 14, 1.0, 5.0)[None], 24, axis=0)
    filled = median_filling(np.where(hole, 0, step), hole, everywhere(hole))
    assert set(np.unique(filled)) <= {1.0, 3.0, 5.0}
    assert filled[12, 10] == 1 and filled[12, 18] == 5


@ALL
def test_missing_pixels_are_not_taken_for_dark_ones(filling, hole):
    valid = everywhere(hole)
    valid[:, :9] = False
    filled = filling(np.where(valid, 4.0, 0.0), hole, valid)
    assert (filled[hole] == 4).all()


@ALL
def test_without_anything_known_the_image_is_left(filling, hole):
    image = np.zeros(hole.shape)
    assert np.array_equal(filling(image, hole, ~everywhere(hole)), image)


def test_a_filling_keeps_the_contract(hole):
    network = PlainInpainter(InpainterConfig(), median_filling)
    assert isinstance(network, Inpaints)
    images = {m: torch.ones(2, 2, 24, 30) * torch.tensor([v, 1.0])[:, None, None] for m, v in (("CT", 2), ("PET", 5))}
    where = torch.from_numpy(hole)[None, None].float().expand(2, -1, -1, -1)
    images["CT"][:, :1][where > 0] = -9
    made = network.inpaint(images, where)
    assert made["CT"].shape == (2, 1, 24, 30)
    assert (made["CT"] == 2).all() and (made["PET"] == 5).all()
