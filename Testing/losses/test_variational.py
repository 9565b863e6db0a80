"""Terms of the variational bound, worked out by hand."""

import math

import pytest
import torch
from DiffuFuseMedLib.losses import kl_of_normals, mask_nll
from torch.distributions import Normal, kl_divergence


def test_a_normal_is_no_distance_from_itself():
    assert kl_of_normals(*torch.tensor([0.3, -1.2, 0.3, -1.2])).item() == pytest.approx(0, abs=1e-7)


def test_kl_worked_out_by_hand():
    """N(0, 1) to N(1, 4): ln 2 + (1 + 1) / 8 - 1 / 2."""
    zero, one = torch.tensor(0.0), torch.tensor(1.0)
    log_four = torch.tensor(math.log(4.0))
    assert kl_of_normals(zero, zero, one, log_four).item() == pytest.approx(math.log(2) + 0.25 - 0.5, rel=1e-6)


def test_kl_is_that_of_torch_and_knows_its_two_sides():
    generator = torch.Generator().manual_seed(0)
    a, b, c, d = torch.randn(4, 100, generator=generator)
    made = kl_of_normals(a, b, c, d)
    torch.testing.assert_close(made, kl_divergence(Normal(a, (b / 2).exp()), Normal(c, (d / 2).exp())))
    assert not torch.allclose(made, kl_of_normals(c, d, a, b))


def test_how_unlikely_a_mask_is_worked_out_by_hand():
    """A mean of 0 says nothing: ln 2. A mean of one standard deviation on the right side: -ln 0.8413; on the wrong
    one: -ln 0.1587."""
    mask, mean, log_variance = (
        torch.tensor([1.0, 1.0, -1.0]),
        torch.tensor([0.0, 2.0, 2.0]),
        torch.log(torch.tensor(4.0)),
    )
    wanted = [math.log(2), -math.log(0.8413447), -math.log(0.1586553)]
    assert mask_nll(mask, mean, log_variance).tolist() == pytest.approx(wanted, rel=1e-5)


def test_a_mask_that_is_surely_wrong_is_still_a_number():
    assert torch.isfinite(mask_nll(torch.tensor(1.0), torch.tensor(-1.0), torch.tensor(-10.0)))
