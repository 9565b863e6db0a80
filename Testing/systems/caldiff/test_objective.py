"""The hybrid loss (6)-(8), worked out by hand."""

import math

import pytest
import torch
from DiffuFuseMedLib.systems.caldiff.objective import bound_term, noise_error
from DiffuFuseMedLib.systems.caldiff.sampler import Seen

ABAR = torch.tensor([1.0, 0.9, 0.72])
PRINTED = (0.0, math.inf)


def at(value, shape=(1, 1, 1, 1)):
    return torch.full(shape, float(value))


def test_the_error_of_the_noise_is_that_of_equation_7():
    """x_t = sqrt(abar) x_b + sqrt(1 - abar) eps; what the denoiser sees instead stands for another eps."""
    clean, seen, noise, abar = 1.0, 0.4, 0.7, 0.72
    noisy = math.sqrt(abar) * clean + math.sqrt(1 - abar) * noise
    of_seen = (noisy - math.sqrt(abar) * seen) / math.sqrt(1 - abar)
    made = noise_error(at(seen), at(clean), at(abar), PRINTED)
    assert made.item() ** 2 == pytest.approx((noise - of_seen) ** 2, rel=1e-5)


@pytest.mark.parametrize(("abar", "weight"), [(0.1, 1.0), (0.75, 3.0), (0.99, 5.0)])
def test_no_step_weighs_less_than_the_least_or_more_than_the_most(abar, weight):
    """abar / (1 - abar) is 1 / 9, 3 and 99."""
    assert noise_error(at(0.5), at(1), at(abar), (1.0, 5.0)).item() ** 2 == pytest.approx(0.25 * weight, rel=1e-5)


def test_the_bound_worked_out_by_hand():
    """t = 2: means differ by sqrt(.9) .2 / .28 * 0.5, beta~ is .2 * .1 / .28, and Sigma is beta, 0.2."""
    seen, noisy = Seen(at(0.5), at(1.0)), at(0.3)
    apart, smallest, largest = math.sqrt(0.9) * 0.2 / 0.28 * 0.5, 0.2 * 0.1 / 0.28, 0.2
    wanted = 0.5 * (math.log(largest / smallest) + (smallest + apart**2) / largest - 1)
    assert bound_term(seen, at(1), noisy, torch.tensor([2]), ABAR).item() == pytest.approx(wanted, rel=1e-4)


def test_the_bound_is_nothing_where_mean_and_variance_are_right():
    seen = Seen(at(1), at(-1))
    assert bound_term(seen, at(1), at(0.3), torch.tensor([2]), ABAR).item() == pytest.approx(0, abs=1e-6)


def test_the_last_step_asks_how_likely_the_mask_is():
    """Mean 1 and a variance of beta, 0.1: -ln of what of the normal lies above 0; for the other mask, below."""
    seen, beyond = Seen(at(1), at(1)), 1 / math.sqrt(0.1)
    right = 0.5 * (1 + math.erf(beyond / math.sqrt(2)))
    right_one, wrong_one = (bound_term(seen, at(m), at(0.3), torch.tensor([1]), ABAR).item() for m in (1, -1))
    assert right_one == pytest.approx(-math.log(right), rel=1e-2)
    assert wrong_one == pytest.approx(-math.log(1 - right), rel=1e-2)


@pytest.mark.parametrize("t", [1, 2])
def test_the_bound_teaches_the_variance_alone(t):
    clean, variance = at(0.5).requires_grad_(), at(0.0).requires_grad_()
    bound_term(Seen(clean, variance), at(1), at(0.3), torch.tensor([t]), ABAR).backward()
    assert clean.grad is None
    assert variance.grad.item() != 0


def test_each_sample_has_its_own_time():
    seen, noisy = Seen(at(0.5, (2, 1, 1, 1)), at(0.0, (2, 1, 1, 1))), at(0.3, (2, 1, 1, 1))
    both = bound_term(seen, at(1, (2, 1, 1, 1)), noisy, torch.tensor([1, 2]), ABAR)
    one, two = (bound_term(Seen(at(0.5), at(0.0)), at(1), at(0.3), torch.tensor([t]), ABAR) for t in (1, 2))
    assert both.item() == pytest.approx((one.item() + two.item()) / 2, rel=1e-5)
