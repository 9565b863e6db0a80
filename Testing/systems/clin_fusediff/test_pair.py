"""What the fusion networks are given: nothing lost in folding, and feathers that end where they promise."""

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.systems.clin_fusediff import FEATHER_PX, MASKS, MULTIPLE, Pair, joined
from DiffuFuseMedLib.systems.clin_fusediff.pair import border_band, feathered, fold, local_mean
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_cdt
from torch.nn import functional as F

SIZES = st.tuples(st.integers(9, 40), st.integers(9, 40))


def random_mask(size, seed, spots):
    """(1, 1, H, W): some rectangles, single pixels among them."""
    rng, mask = np.random.default_rng(seed), torch.zeros(1, 1, *size)
    for _ in range(spots):
        top, left = (int(rng.integers(n)) for n in size)
        mask[..., top : top + int(rng.integers(1, 9)), left : left + int(rng.integers(1, 9))] = 1
    return mask


def distance_px(mask):
    """(1, 1, H, W): chessboard distance to the mask; far where there is none."""
    if not mask.any():
        return torch.full(mask.shape, 1000)
    return torch.from_numpy(distance_transform_cdt(mask[0, 0].numpy() < 0.5, "chessboard"))[None, None]


@pytest.fixture
def a_pair():
    generator = torch.Generator().manual_seed(0)
    mri, ct = (torch.rand(2, 3, 9, 14, generator=generator) for _ in range(2))
    return Pair(mri, ct, (torch.rand(2, 4, 9, 14, generator=generator) > 0.5).float(), torch.tensor([0.0, 1.0]))


def test_folding_loses_nothing():
    x = torch.randn(2, 3, 8, 10)
    assert fold(x).shape == (2, 12, 4, 5)
    assert torch.equal(F.pixel_shuffle(fold(x), 2), x)


@settings(max_examples=60, deadline=None)
@given(size=SIZES, seed=st.integers(0, 10**6), spots=st.integers(0, 6))
def test_a_feather_is_1_inside_0_beyond_its_reach_and_has_no_step(size, seed, spots):
    mask = random_mask(size, seed, spots)
    feather, distance = feathered(mask), distance_px(mask)
    assert torch.allclose(feather[mask > 0], torch.ones(()), atol=1e-6)
    assert (feather[distance > FEATHER_PX] == 0).all()
    assert feather.min() >= 0 and feather.max() <= 1 + 1e-6
    for axis in (2, 3):
        assert feather.diff(dim=axis).abs().max() <= 1 / 7 + 1e-6  # one row of the 7 x 7 mean


def test_a_feather_reaches_as_far_as_it_says():
    mask = torch.zeros(1, 1, 31, 31)
    mask[..., 15, 15] = 1
    row = feathered(mask)[0, 0, 15]
    assert (row > 0).nonzero().flatten().tolist() == list(range(15 - FEATHER_PX, 15 + FEATHER_PX + 1))


@settings(max_examples=60, deadline=None)
@given(size=SIZES, seed=st.integers(0, 10**6), spots=st.integers(0, 6))
def test_the_band_lies_along_the_border_and_nowhere_else(size, seed, spots):
    lesion = random_mask(size, seed, spots)
    band = border_band(lesion)
    far = (distance_px(lesion) > FEATHER_PX) | (distance_px(1 - lesion) > FEATHER_PX)
    assert (band[far] == 0).all()
    assert band.min() >= 0 and band.max() <= 1 + 1e-6


def test_a_straight_border_has_a_band_on_both_of_its_sides():
    lesion = torch.zeros(1, 1, 40, 40)
    lesion[..., 20:] = 1
    band = border_band(lesion)[0, 0, 20]
    assert band[19:21].tolist() == pytest.approx([6 / 7, 6 / 7])  # 3 px to each side, averaged over 7
    assert band[0] == band[-1] == 0


def test_a_pair_names_its_masks_and_its_middle_slice(a_pair):
    assert set(a_pair.masks_by_name()) == set(MASKS)
    for n, name in enumerate(MASKS):
        assert torch.equal(a_pair.mask(name)[:, 0], a_pair.masks[:, n])
    assert torch.equal(a_pair.slice_mri[:, 0], a_pair.mri[:, 1])
    assert torch.equal(a_pair.slice_ct[:, 0], a_pair.ct[:, 1])


def test_a_pair_grows_to_a_multiple_on_its_far_sides(a_pair):
    assert MULTIPLE == 16
    larger = a_pair.padded()
    assert larger.mri.shape == larger.ct.shape == (2, 3, 16, 16) and larger.masks.shape == (2, 4, 16, 16)
    assert torch.equal(larger.ct[..., :9, :14], a_pair.ct)
    assert larger.masks.unique().tolist() == [0, 1]


def test_pairs_of_one_size_become_one_batch(a_pair):
    both = joined([a_pair, a_pair])
    assert both.mri.shape == (4, 3, 9, 14)
    assert both.tracer.tolist() == [0, 1, 0, 1]
    assert torch.equal(both.masks[2:], a_pair.masks)


@pytest.mark.parametrize("index", [slice(1, 2), torch.tensor([False, True])], ids=["slice", "mask"])
def test_some_of_a_batch_are_a_batch(a_pair, index):
    second = a_pair.at(index)
    assert torch.equal(second.mri, a_pair.mri[1:]) and torch.equal(second.ct, a_pair.ct[1:])
    assert torch.equal(second.masks, a_pair.masks[1:]) and second.tracer.tolist() == [1]


def test_the_local_mean_continues_the_edges():
    x = torch.zeros(1, 1, 4, 4)
    x[..., 0, 0] = 9  # seen once from (1, 1), twice by two from the corner itself
    assert local_mean(x, 3)[0, 0, :3, :3].tolist() == [[4, 2, 0], [2, 1, 0], [0, 0, 0]]
