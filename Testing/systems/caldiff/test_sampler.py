"""From noise to a mask: by (10) with the learned variance, or by DDIM, in many steps or few."""

import pytest
import torch
from DiffuFuseMedLib.diffusion import ddim_times, linear_alphas_cumprod
from DiffuFuseMedLib.systems.caldiff.sampler import Seen, sampled, seen_in, stochastic_step

T = 100
ABAR = linear_alphas_cumprod(T, 0.0019)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def a_mask():
    mask = -torch.ones(1, 1, 16, 16)
    mask[..., 4:9, 5:12] = 1
    return mask


@pytest.mark.parametrize("stochastic", [False, True])
@pytest.mark.parametrize("steps", [1, 8, T])
def test_a_denoiser_that_is_right_ends_at_the_mask(a_mask, steps, stochastic):
    noise = torch.randn(a_mask.shape, generator=seeded(0))
    look = lambda x, t: Seen(a_mask, torch.zeros_like(x))  # noqa: E731
    made = sampled(look, noise, ABAR, ddim_times(T, steps), stochastic, seeded(1))
    torch.testing.assert_close(made, a_mask, atol=1e-5, rtol=0)


def test_the_denoiser_is_asked_once_a_step_from_the_last_time_down(a_mask):
    asked = []

    def look(x, t):
        asked.append(t)
        return Seen(a_mask, torch.zeros_like(x))

    sampled(look, torch.randn_like(a_mask), ABAR, ddim_times(T, 4), False, None)
    assert asked == [100, 75, 50, 25]


def shy(x, t):
    """A denoiser that follows what it is shown: where it is noisy, samples differ."""
    return Seen(torch.tanh(x), torch.zeros_like(x))


def test_ddim_is_a_function_of_its_first_noise(a_mask):
    noise = torch.randn(a_mask.shape, generator=seeded(0))
    one, other = (sampled(shy, noise, ABAR, ddim_times(T, 8), False, seeded(s)) for s in (1, 2))
    assert torch.equal(one, other)
    assert not torch.allclose(one, sampled(shy, -noise, ABAR, ddim_times(T, 8), False, None))


def test_stochastic_steps_draw_anew_by_their_generator(a_mask):
    noise = torch.randn(a_mask.shape, generator=seeded(0))
    one, same, other = (sampled(shy, noise, ABAR, ddim_times(T, 8), True, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)


def test_a_step_is_the_printed_one():
    """(10): (x - beta / sqrt(1 - abar) eps) / sqrt(alpha) + sigma z, with sigma^2 = beta where the output says so."""
    now, then, clean = torch.tensor(0.72), torch.tensor(0.9), torch.full((1, 1, 2, 2), 0.6)
    noisy, z = (
        torch.tensor([0.1, -0.4, 0.9, 2.0]).view(1, 1, 2, 2),
        torch.tensor([1.0, -1.0, 0.5, 0.0]).view(1, 1, 2, 2),
    )
    eps = (noisy - now.sqrt() * clean) / (1 - now).sqrt()
    printed = (noisy - 0.2 / (1 - now).sqrt() * eps) / torch.tensor(0.8).sqrt() + torch.tensor(0.2).sqrt() * z
    made = stochastic_step(Seen(clean, torch.ones_like(clean)), noisy, now, then, z)
    torch.testing.assert_close(made, printed)


def test_a_larger_learned_variance_moves_further():
    at = lambda v: torch.full((1, 1, 1, 1), v)  # noqa: E731
    moved = [
        stochastic_step(Seen(at(0.0), at(v)), at(0.0), at(0.72), at(0.9), at(1.0)).item() for v in (-1.0, 0.0, 1.0)
    ]
    assert moved == sorted(moved)
    assert moved[0] < moved[2]


def test_what_is_seen_is_cut_to_what_a_mask_can_be():
    """A denoiser far off its range would lead the chain out of it."""
    look = lambda x, t: Seen(torch.full_like(x, 30.0), torch.zeros_like(x))  # noqa: E731
    noise = torch.randn(1, 1, 4, 4, generator=seeded(0))
    for stochastic in (False, True):
        made = sampled(look, noise, ABAR, ddim_times(T, 4), stochastic, seeded(1))
        torch.testing.assert_close(made, torch.ones_like(noise))


def test_the_variance_never_leaves_the_two_that_bound_it():
    said = torch.tensor([0.3, 50.0]).view(1, 2, 1, 1)
    assert (seen_in(said).clean.item(), seen_in(said).variance.item()) == pytest.approx((0.3, 1.0))
    assert seen_in(-said).variance.item() == -1
    assert seen_in(0 * said).variance.item() == 0
