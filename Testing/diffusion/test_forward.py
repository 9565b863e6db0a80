"""The forward process q, eq. (7)."""

import torch
from DiffuFuseMedLib.diffusion import add_noise, at_time, gaussian_like

ABAR = torch.tensor([1.0, 0.64, 0.36])


def test_mixes_signal_and_noise_by_the_time_of_each_sample():
    clean, noise = torch.full((3, 1, 2), 10.0), torch.full((3, 1, 2), 100.0)
    mixed = add_noise(clean, noise, ABAR, torch.tensor([0, 1, 2]))
    # sqrt(1) 10 + 0; 0.8 * 10 + 0.6 * 100; 0.6 * 10 + 0.8 * 100
    torch.testing.assert_close(mixed[:, 0, 0], torch.tensor([10.0, 68.0, 86.0]))


def test_alphas_are_shaped_to_broadcast_over_tokens_of_any_dimension():
    assert at_time(ABAR, torch.tensor([0, 2]), torch.zeros(2, 8, 3, 4, 5)).shape == (2, 1, 1, 1, 1)


def test_unit_tokens_keep_unit_variance_at_every_time():
    generator = torch.Generator().manual_seed(0)
    clean, noise = (torch.randn(3, 1, 40_000, generator=generator) for _ in range(2))
    spread = add_noise(clean, noise, ABAR, torch.arange(3)).var(dim=2)
    torch.testing.assert_close(spread, torch.ones(3, 1), atol=0.03, rtol=0)


def test_noise_is_the_same_for_the_same_seed_whatever_the_precision():
    draws = [
        gaussian_like(torch.zeros(2, 8, dtype=kind), torch.Generator().manual_seed(7))
        for kind in (torch.float32, torch.bfloat16)
    ]
    assert draws[1].dtype == torch.bfloat16
    assert torch.equal(draws[0].bfloat16(), draws[1])
