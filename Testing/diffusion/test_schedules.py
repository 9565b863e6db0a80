"""The variance schedules of eq. (7), by hand."""

import pytest
import torch
from DiffuFuseMedLib.diffusion import cosine_alphas_cumprod, ddim_times, linear_alphas_cumprod


def test_multiplies_what_each_step_leaves_of_the_signal():
    abar = linear_alphas_cumprod(3, beta_per_step=0.1, beta_first=0.2)  # betas 0.2, 0.3, 0.4
    torch.testing.assert_close(abar, torch.tensor([1.0, 0.8, 0.8 * 0.7, 0.8 * 0.7 * 0.6]))


def test_a_shorter_chain_is_the_beginning_of_a_longer_one():
    assert torch.equal(linear_alphas_cumprod(25), linear_alphas_cumprod(100)[:26])


def test_refuses_a_chain_without_steps():
    with pytest.raises(ValueError, match="0 steps, wanted at least 1"):
        linear_alphas_cumprod(0)


@pytest.mark.parametrize(
    ("start", "steps", "times"), [(50, 2, [50, 25, 0]), (100, 4, [100, 75, 50, 25, 0]), (1, 4, [1, 0]), (3, 1, [3, 0])]
)
def test_sampler_times_fall_evenly_to_zero_without_repeats(start, steps, times):
    assert ddim_times(start, steps) == times


@pytest.mark.parametrize("steps", [5, 25, 100])
def test_the_cosine_schedule_ends_in_noise_alone_however_short_it_is(steps):
    abar = cosine_alphas_cumprod(steps)
    assert len(abar) == steps + 1
    assert abar[0] == 1
    assert abar[-1] <= 1e-3
    assert (abar.diff() < 0).all()


def test_the_cosine_schedule_refuses_a_chain_without_steps():
    with pytest.raises(ValueError, match="0 steps, wanted at least 1"):
        cosine_alphas_cumprod(0)
