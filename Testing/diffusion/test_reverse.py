"""The reverse kernel: its mean as the paper prints it, and a variance between the two that bound it."""

import math

import pytest
import torch
from DiffuFuseMedLib.diffusion import (
    add_noise,
    at_time,
    learned_log_variance,
    linear_alphas_cumprod,
    posterior_log_variance,
    posterior_mean,
)

NOW, THEN = torch.tensor(0.72), torch.tensor(0.9)  # alpha 0.8, beta 0.2


def test_the_mean_is_the_one_that_equation_10_prints():
    """(x_t - beta / sqrt(1 - abar) eps) / sqrt(alpha), with the eps that the clean tokens stand for."""
    clean, noise = torch.tensor([1.0, -1.0]), torch.tensor([0.5, -0.3])
    noisy = NOW.sqrt() * clean + (1 - NOW).sqrt() * noise
    printed = (noisy - 0.2 / math.sqrt(0.28) * noise) / math.sqrt(0.8)
    torch.testing.assert_close(posterior_mean(clean, noisy, NOW, THEN), printed)


def test_the_mean_of_the_last_step_is_the_clean_tokens():
    clean = torch.tensor([1.0, -1.0])
    torch.testing.assert_close(posterior_mean(clean, torch.ones(2), NOW, torch.tensor(1.0)), clean)


def test_the_smallest_variance_worked_out_by_hand():
    """0.1 / 0.28 of a beta of 0.2."""
    assert posterior_log_variance(NOW, THEN).exp().item() == pytest.approx(0.0714286, rel=1e-5)


def test_the_last_step_has_a_variance_all_the_same():
    assert posterior_log_variance(torch.tensor(0.9), torch.tensor(1.0)).exp().item() == pytest.approx(0.05, rel=1e-4)


@pytest.mark.parametrize(("share", "variance"), [(-1.0, 0.0714286), (1.0, 0.2), (0.0, math.sqrt(0.0714286 * 0.2))])
def test_a_learned_variance_lies_between_the_two(share, variance):
    made = learned_log_variance(torch.tensor(share), NOW, THEN).exp()
    assert made.item() == pytest.approx(variance, rel=1e-5)


def test_draws_of_the_kernel_are_as_noisy_as_the_chain_at_that_time():
    """From x_t of a known mask, mean and variance of q give x_{t-1} of (9)."""
    abar = linear_alphas_cumprod(50, 0.004)
    generator, clean = torch.Generator().manual_seed(0), torch.ones(200_000)
    noisy = add_noise(clean, torch.randn(clean.shape, generator=generator), abar, torch.tensor([30]))
    now, then = (at_time(abar, torch.tensor([t]), clean) for t in (30, 29))
    deviation = (posterior_log_variance(now, then) / 2).exp()
    made = posterior_mean(clean, noisy, now, then) + deviation * torch.randn(clean.shape, generator=generator)
    assert made.mean().item() == pytest.approx(math.sqrt(abar[29]), abs=0.01)
    assert made.var().item() == pytest.approx(1 - float(abar[29]), rel=0.02)
