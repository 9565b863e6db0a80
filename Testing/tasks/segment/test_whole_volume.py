"""A mask-diffusion segmenter of ten lines: its sampler works on the whole volume, windows merged at every step."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.errors import CancelledError
from DiffuFuseMedLib.networks.draw import Draw
from DiffuFuseMedLib.tasks.segment.predict import draw, predict
from DiffuFuseMedLib.tasks.segment.settings import Settings

STEPS = 4


class Denoiser(torch.nn.Module):
    """Every step goes half way from the noisy mask to where the CT is bright; each voxel for itself."""

    stride, noise_channels, sampler_steps = (4, 4, 4), 1, STEPS

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(modalities=("CT",), spatial_dims=3)
        self.windows, self.noises = [], []

    def denoise(self, noisy, images, t):
        self.windows.append((t, tuple(noisy.shape[2:])))
        return (noisy + 10 * images["CT"][:, :1]) / 2

    def sample(self, denoise, noise, generator=None):
        self.noises.append(noise)
        mask = noise
        for t in range(STEPS, 0, -1):
            mask = denoise(mask, t)
        return Draw(mask)

    def memory_bytes(self, voxels, modalities):
        return voxels


@pytest.fixture
def model_of(a_model):
    """A function (network, shape): the network as a model with this window, in float32, where a sum says the same in
    every window."""

    def model(network, shape):
        window = {"shape": shape, "spacing_kji_mm": (4.0, 2.5, 2.5)}
        return replace(a_model, network=network, record=replace(a_model.record, window=window))

    return model


@pytest.fixture
def a_case_in_windows(a_case):
    """32 x 48 x 48 voxels at the network's own spacing: more than either window below, in one view as in the other."""
    return a_case((32, 48, 48))


def test_no_seam_shows_whatever_the_window(a_case_in_windows, model_of):
    small, large = (
        draw(a_case_in_windows, model_of(Denoiser(), shape), Settings(samples=1)).samples[0]
        for shape in ((8, 16, 16), (16, 32, 24))
    )
    np.testing.assert_allclose(small, large, atol=1e-4)
    assert small.std() > 0.1


def test_one_noise_field_for_the_whole_volume_the_same_whatever_the_window(a_case_in_windows, model_of):
    networks = [Denoiser(), Denoiser()]
    for network, shape in zip(networks, ((8, 16, 16), (16, 32, 24)), strict=True):
        draw(a_case_in_windows, model_of(network, shape), Settings(samples=1, seed=3))
    (small,), (large,) = (network.noises for network in networks)
    assert tuple(small.shape) == (1, 1, 32, 48, 48)
    assert torch.equal(small, large)
    assert abs(float(small.std()) - 1) < 0.02


def test_every_sample_has_noise_of_its_own(a_case_in_windows, model_of):
    network = Denoiser()
    draw(a_case_in_windows, model_of(network, (16, 32, 24)), Settings(samples=3))
    assert network.noises[0].shape == network.noises[2].shape  # the second is seen in the other view
    assert not torch.equal(network.noises[0], network.noises[2])


def test_every_step_sees_every_window_before_the_next_one_begins(a_case_in_windows, model_of):
    """ceil(32 / 8) - 1 = 3, 2 and 3 windows along k, j and i of half a window's steps, four times over."""
    network = Denoiser()
    draw(a_case_in_windows, model_of(network, (16, 32, 24)), Settings(samples=1))
    times = [t for t, _ in network.windows]
    assert times == [t for t in range(STEPS, 0, -1) for _ in range(3 * 2 * 3)]


def test_progress_is_told_before_every_step(a_case_in_windows, model_of):
    told = []
    settings = Settings(samples=2, progress=lambda share, what: told.append((share, what)))
    predict(a_case_in_windows, model_of(Denoiser(), (16, 32, 24)), settings)
    steps = [(share, what) for share, what in told if "step" in what]
    assert [share for share, _ in steps] == [n / 8 for n in range(8)]
    assert steps[5][1] == "sample 2 of 2, step 2 of 4"
    assert all(a <= b for (a, _), (b, _) in pairwise(told))
    assert told[-1][0] == 1


def test_cancel_stops_between_two_steps(a_case_in_windows, model_of):
    network = Denoiser()
    settings = Settings(samples=2, cancel=lambda: len(network.windows) >= 2 * 18)
    with pytest.raises(CancelledError):
        draw(a_case_in_windows, model_of(network, (16, 32, 24)), settings)
    assert {t for t, _ in network.windows} == {STEPS, STEPS - 1}


def test_the_same_seed_gives_the_same_samples(a_case_in_windows, model_of):
    one, again, other = (
        draw(a_case_in_windows, model_of(Denoiser(), (16, 32, 24)), Settings(samples=1, seed=s)).samples
        for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-3


class Conditioned(Denoiser):
    """What it knows of a window's images it is asked for apart, and it can be told its steps."""

    options = {"steps": STEPS}  # noqa: RUF012

    def __init__(self):
        super().__init__()
        self.conditioned = 0

    def condition(self, images):
        self.conditioned += 1
        return images["CT"][:, :1]

    def denoise(self, noisy, told, t):
        return super().denoise(noisy, {"CT": told}, t)

    def sample(self, denoise, noise, generator=None, steps=STEPS):
        mask = noise
        for t in range(steps, 0, -1):
            mask = denoise(mask, t)
        return Draw(mask)


def test_a_windows_images_are_looked_at_once_however_many_steps(a_case_in_windows, model_of):
    networks = [Denoiser(), Conditioned()]
    plain, once = (draw(a_case_in_windows, model_of(n, (8, 16, 16)), Settings(samples=2)) for n in networks)
    np.testing.assert_array_equal(plain.samples, once.samples)
    assert networks[1].conditioned == len(networks[1].windows) / STEPS


def test_progress_counts_the_steps_that_were_asked_for(a_case_in_windows, model_of):
    told = []
    settings = Settings(samples=1, options={"steps": 7}, progress=lambda share, words: told.append((share, words)))
    draw(a_case_in_windows, model_of(Conditioned(), (16, 32, 24)), settings)
    assert "sample 1 of 1, step 7 of 7" in [words for _, words in told]
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
