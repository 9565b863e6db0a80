"""The simulated artefacts behind the labels q_m of eq. (26): each keeps what its physics keeps."""

import pytest
import torch
from DiffuFuseMedLib.core.modalities import MODALITIES
from DiffuFuseMedLib.training.corruptions import (
    ARTEFACTS,
    blur,
    corrupt_window,
    ct_streaks,
    gaussian_noise,
    mr_bias,
    mr_motion,
    pet_noise,
)

EVERY = sorted(ARTEFACTS.values(), key=lambda artefact: artefact.__name__)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def a_window():
    """12 x 16 x 20: background and a bright block, in network units."""
    window = torch.full((12, 16, 20), -0.4)
    window[3:9, 4:12, 5:14] = 0.6
    return window


@pytest.mark.parametrize("artefact", EVERY, ids=lambda a: a.__name__)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_artefact_changes_the_window_and_its_seed_alone_decides_how(artefact, a_window, seed):
    before = a_window.clone()
    first, again, *others = (artefact(a_window, seeded(s)) for s in (seed, seed, *range(10, 16)))
    assert first.shape == a_window.shape
    assert torch.isfinite(first).all()
    assert torch.equal(first, again)
    assert not all(torch.equal(first, other) for other in others)
    assert (first - a_window).abs().max() > 0.02
    assert torch.equal(a_window, before)


def test_gaussian_noise_is_a_share_of_the_windows_own_spread(a_window):
    added = [(gaussian_noise(10 * a_window, seeded(s)) - 10 * a_window).std() / (10 * a_window).std() for s in range(8)]
    assert 0.28 < min(added) < max(added) < 0.82


def test_blur_leaves_a_flat_window_flat_and_smears_an_edge_in_plane():
    torch.testing.assert_close(blur(torch.full((4, 12, 12), 0.3), seeded(0)), torch.full((4, 12, 12), 0.3))
    slices = torch.zeros(4, 12, 12)
    slices[2] = 1
    torch.testing.assert_close(blur(slices, seeded(0)), slices)


def test_few_counts_keep_the_mean_activity():
    """Poisson noise is unbiased: SUV 4 stays 4 on average over many voxels."""
    suv_4 = torch.log1p(torch.tensor(4.0)) / torch.log(torch.tensor(11.0)) - 0.5
    noisy = pet_noise(torch.full((24, 32, 32), suv_4.item()), seeded(0))
    assert (11 ** (noisy + 0.5) - 1).mean().item() == pytest.approx(4, rel=0.02)
    assert noisy.std() > 0.02


def test_streaks_stay_in_the_window_of_ct_and_are_the_same_in_every_slice():
    streaked = ct_streaks(torch.zeros(3, 32, 32), seeded(0))
    assert streaked.abs().max() <= 1
    assert torch.equal(streaked[0], streaked[2])
    assert streaked.max() > 0.05
    assert streaked.min() < -0.05


def test_a_bias_field_multiplies_so_the_darkest_stays_dark(a_window):
    assert torch.equal(mr_bias(torch.full((8, 8, 8), -1.0), seeded(0)), torch.full((8, 8, 8), -1.0))
    factor = (mr_bias(a_window, seeded(0)) + 1) / (a_window + 1)
    assert 1 / 2.52 < factor.min() < 1 < factor.max() < 2.52
    # smooth: between neighbors it hardly changes
    assert (factor[:, 1:] / factor[:, :-1]).log().abs().max() < 0.3


def test_motion_moves_signal_without_making_any(a_window):
    """k-space lines of a shifted copy: the center line, the mean, is the same in both."""
    for seed in range(6):
        assert mr_motion(a_window, seeded(seed)).mean().item() == pytest.approx(a_window.mean().item(), abs=1e-5)


@pytest.mark.parametrize("modality", ["CT", "PET", "SPECT", "MR_T1", "MR_T2", "MR_FLAIR", "MR_T1C"])
@pytest.mark.parametrize("seed", range(6))
def test_corruption_changes_values_only_where_they_are_valid(a_window, modality, seed):
    valid = torch.ones_like(a_window)
    valid[:, :, 14:] = 0
    window = a_window * valid
    corrupted = corrupt_window(window, valid, modality, seeded(seed))
    assert (corrupted[valid == 0] == 0).all()
    assert (corrupted - window)[valid == 1].abs().max() > 0.02


def test_each_modality_meets_every_artefact_of_its_own(a_window):
    of_mr, of_tracer = (mr_bias, mr_motion, gaussian_noise, blur), (pet_noise, gaussian_noise, blur)
    own = {"CT": (ct_streaks, gaussian_noise, blur), "PET": of_tracer, "SPECT": of_tracer, "MR_FLAIR": of_mr}
    for modality, artefacts in own.items():
        seen = [corrupt_window(a_window, torch.ones_like(a_window), modality, seeded(s)) for s in range(30)]
        index = [int(torch.randint(len(artefacts), (), generator=seeded(s))) for s in range(30)]
        assert set(index) == set(range(len(artefacts)))
        for s, i in enumerate(index):
            generator = seeded(s)
            torch.randint(len(artefacts), (), generator=generator)
            assert torch.equal(seen[s], artefacts[i](a_window, generator))


def test_every_artefact_of_the_table_can_be_made():
    assert {name for spec in MODALITIES.values() for name in spec.artefacts} == set(ARTEFACTS)


@pytest.mark.parametrize("name", ARTEFACTS)
def test_every_artefact_can_befall_a_window_of_one_slice(name, a_window):
    slice_ = a_window[4:5]  # through the block
    made = ARTEFACTS[name](slice_, torch.Generator().manual_seed(0))
    assert made.shape == slice_.shape and torch.isfinite(made).all() and not torch.equal(made, slice_)
