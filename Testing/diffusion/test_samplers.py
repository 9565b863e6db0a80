"""DDIM and the DDPM mean, against MONAI's schedulers and against what they must undo."""

import pytest
import torch
from DiffuFuseMedLib.diffusion import add_noise, ddim, ddim_times, ddpm_mean, decode, linear_alphas_cumprod
from monai.networks.schedulers import DDIMScheduler, DDPMScheduler

STEPS = 100
ABAR = linear_alphas_cumprod(STEPS)
# MONAI counts from 0 where the paper's t is 1, and has no entry for the clean token
SAME_BETAS = {"num_train_timesteps": STEPS, "beta_start": 1e-4, "beta_end": 1e-4 + 2e-4 * (STEPS - 1)}
MONAI_NAMES = {"eps": "epsilon", "v": "v_prediction", "x0": "sample"}


@pytest.fixture
def noisy():
    return torch.randn(2, 8, 4, 4, generator=torch.Generator().manual_seed(0))


def an_output(noisy, t):
    """Some smooth function of token and time, in place of a network."""
    return torch.sin(3 * noisy) * (0.2 + t.view(-1, 1, 1, 1) / STEPS)


def a_denoiser(kind):
    return lambda x, t: decode(kind, an_output(x, t), x, ABAR[t].view(-1, 1, 1, 1))


def monai_ddim(kind):
    return DDIMScheduler(schedule="linear_beta", clip_sample=False, prediction_type=MONAI_NAMES[kind], **SAME_BETAS)


@pytest.mark.parametrize("kind", ["eps", "v", "x0"])
def test_follows_monai_step_by_step_down_to_the_clean_token(noisy, kind):
    scheduler, expected = monai_ddim(kind), noisy
    scheduler.set_timesteps(5)
    torch.testing.assert_close(scheduler.alphas_cumprod, ABAR[1:])
    for now in (80, 60, 40, 20, 0):  # each step goes down by 100 / 5, from the last to the clean token
        expected, _ = scheduler.step(an_output(expected, torch.full((2,), now + 1)), now, expected, eta=0.0)
    found = ddim(a_denoiser(kind), noisy, [81, 61, 41, 21, 1, 0], ABAR)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_draws_the_same_as_monai_with_the_same_seed_when_eta_is_one(noisy):
    scheduler = monai_ddim("eps")
    scheduler.set_timesteps(5)
    output = an_output(noisy, torch.full((2,), 81))
    expected, _ = scheduler.step(output, 80, noisy, eta=1.0, generator=torch.Generator().manual_seed(3))
    found = ddim(a_denoiser("eps"), noisy, [81, 61], ABAR, eta=1.0, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_eta_zero_ignores_the_seed_and_eta_one_does_not(noisy):
    def draw(eta, seed):
        generator = torch.Generator().manual_seed(seed)
        return ddim(a_denoiser("eps"), noisy, [50, 25, 0], ABAR, eta=eta, generator=generator)

    assert torch.equal(draw(0.0, 1), draw(0.0, 2))
    assert not torch.equal(draw(1.0, 1), draw(1.0, 2))


@pytest.mark.parametrize("t", [2, 37, 100])
def test_one_step_with_eta_one_scatters_around_the_ddpm_mean(noisy, t):
    times = torch.full((2,), t)
    found = ddim(a_denoiser("eps"), noisy, [t, t - 1], ABAR, eta=1.0, generator=torch.Generator().manual_seed(3))
    noise = torch.randn(noisy.shape, generator=torch.Generator().manual_seed(3))
    beta = 1 - ABAR[t] / ABAR[t - 1]
    sigma = ((1 - ABAR[t - 1]) / (1 - ABAR[t]) * beta).sqrt()
    mean = ddpm_mean(noisy, an_output(noisy, times), ABAR, times)
    torch.testing.assert_close(found - sigma * noise, mean, atol=1e-4, rtol=1e-3)


def test_ddpm_mean_is_that_of_monai(noisy):
    scheduler = DDPMScheduler(schedule="linear_beta", clip_sample=False, **SAME_BETAS)
    times = torch.full((2,), 40)
    output = an_output(noisy, times)
    drawn, _ = scheduler.step(output, 39, noisy, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(noisy.shape, generator=torch.Generator().manual_seed(0))
    deviation = scheduler._get_variance(39).sqrt()
    torch.testing.assert_close(ddpm_mean(noisy, output, ABAR, times), drawn - deviation * noise, atol=1e-4, rtol=1e-3)


def test_ddpm_mean_of_the_last_step_inverts_the_forward_process(noisy):
    """With the paper's 1 / sqrt(abar_t) this holds too; at t = 2 below it would not."""
    clean, t = torch.ones_like(noisy), torch.ones(2, dtype=torch.long)
    torch.testing.assert_close(ddpm_mean(add_noise(clean, noisy, ABAR, t), noisy, ABAR, t), clean)


def test_ddpm_mean_is_the_gaussian_posterior_between_token_and_clean_token():
    """Ho et al. 2020, eq. (7), by hand: abar 0.8 then 0.4, so alpha_2 = beta_2 = 0.5; x0 = 1, eps = 1."""
    abar, t = torch.tensor([1.0, 0.8, 0.4]), torch.tensor([2])
    x0, eps = torch.ones(1, 1), torch.ones(1, 1)
    x2 = add_noise(x0, eps, abar, t)
    posterior = 0.8**0.5 * 0.5 / 0.6 * x0 + 0.5**0.5 * 0.2 / 0.6 * x2
    torch.testing.assert_close(ddpm_mean(x2, eps, abar, t), posterior)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_denoiser_that_knows_the_answer_is_followed_to_it(noisy, steps):
    clean, t = torch.full_like(noisy, 2.0), torch.full((2,), 50)
    start = add_noise(clean, noisy, ABAR, t)

    def oracle(x, now):
        abar = ABAR[now].view(-1, 1, 1, 1)
        return clean, (x - abar.sqrt() * clean) / (1 - abar).sqrt()

    torch.testing.assert_close(ddim(oracle, start, ddim_times(50, steps), ABAR), clean)
