"""eps, v and x0 say the same thing: each decodes to the pair that it was made of."""

import pytest
import torch
from DiffuFuseMedLib.diffusion import add_noise, at_time, decode, linear_alphas_cumprod, target

ABAR = linear_alphas_cumprod(100)


@pytest.mark.parametrize("kind", ["eps", "v", "x0"])
@pytest.mark.parametrize("space", [(6, 5), (4, 3, 2)], ids=["2D", "3D"])
def test_decoding_its_own_target_gives_back_signal_and_noise(kind, space):
    generator = torch.Generator().manual_seed(0)
    clean, noise = (torch.randn(4, 8, *space, generator=generator) for _ in range(2))
    t = torch.tensor([1, 20, 50, 100])
    abar = at_time(ABAR, t, clean)
    x0, eps = decode(kind, target(kind, clean, noise, abar), add_noise(clean, noise, ABAR, t), abar)
    # at t = 1, sqrt(1 - abar) is 0.01: what divides by it loses two digits
    torch.testing.assert_close(x0, clean, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(eps, noise, atol=1e-3, rtol=1e-3)


def test_v_is_the_velocity_of_salimans_and_ho():
    abar = torch.tensor(0.64)
    assert target("v", torch.tensor(10.0), torch.tensor(100.0), abar).item() == pytest.approx(0.8 * 100 - 0.6 * 10)


def test_x0_of_a_clean_token_leaves_no_infinite_noise():
    clean = torch.ones(1, 2)
    _, eps = decode("x0", clean, clean, torch.ones(1, 1))
    assert torch.equal(eps, torch.zeros(1, 2))


def test_an_unknown_parametrisation_has_no_decoder():
    with pytest.raises(KeyError, match="score"):
        decode("score", torch.zeros(1), torch.zeros(1), torch.ones(1))
