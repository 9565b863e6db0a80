"""Probabilistic U-Net: prior, posterior and what the last layers are told, S. Kohl et al. eq. (1)-(4)."""

import math

import pytest
import torch
from DiffuFuseMedLib.systems.prob_unet.config import Config
from DiffuFuseMedLib.systems.prob_unet.network import Normal, ProbabilisticUNet

ALL = ("CT", "PET", "MR_T1")
EMPTY = torch.zeros(2, 1, 32, 32)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def a_network():
    """A function of overriding settings."""

    def network(**settings):
        torch.manual_seed(0)
        small = {"spatial_dims": 2, "channels": (8, 8), "blocks": (1, 1), "latent_channels": (8, 8), "full": 8}
        return ProbabilisticUNet(Config(**(small | settings))).eval()

    return network


def say(net, mean, log_variance):
    """Have a latent net say one normal whatever it is shown."""
    torch.nn.init.zeros_(net.head.weight)
    with torch.no_grad():
        net.head.bias.copy_(torch.tensor([mean] * 6 + [log_variance] * 6))


def test_a_draw_is_of_the_prior(a_network, images):
    network, seen = a_network(), images(ALL, 16, 16)
    before = network.segment(seen, seeded(0)).logits
    say(network.posterior, 5.0, 1.0)
    assert torch.equal(network.segment(seen, seeded(0)).logits, before)
    say(network.prior, 5.0, 1.0)
    assert not torch.equal(network.segment(seen, seeded(0)).logits, before)


def test_a_prior_that_is_sure_draws_one_mask(a_network, images):
    network, seen = a_network(), images(ALL, 16, 16)
    say(network.prior, 1.0, -40.0)
    torch.testing.assert_close(network.segment(seen, seeded(0)).logits, network.segment(seen, seeded(1)).logits)


def test_a_draw_is_so_many_deviations_from_the_mean():
    said = Normal(torch.tensor([[1.0]]), torch.tensor([[math.log(9.0)]])).at(torch.tensor([[2.0]]))
    assert said.item() == pytest.approx(1 + 2 * 3)


def test_the_divergence_worked_out_by_hand(a_network, a_batch):
    """KL(N(1, 4) || N(0, 1)) = -ln 2 + 4 / 2 + 1 / 2 - 1 / 2 for each of six latents, over 32 x 32 voxels; beta weighs
    it."""
    network = a_network(beta=3.0)
    say(network.posterior, 1.0, math.log(4.0))
    say(network.prior, 0.0, 0.0)
    parts = network.loss(a_batch(ALL, 32, 32), seeded(0)).parts
    assert parts["kl"].item() == pytest.approx(3 * 6 * (2 - math.log(2)) / 32**2, rel=1e-5)


def test_the_mask_is_told_by_the_posteriors_draw(a_network, a_batch):
    """With a sure posterior the prediction is what segment() says of the same place of the prior."""
    network, batch = a_network(), a_batch(ALL, 32, 32)
    say(network.posterior, 2.0, -40.0)
    said = network.loss(batch, seeded(0)).prediction
    say(network.prior, 2.0, -40.0)
    torch.testing.assert_close(said, network.segment(batch.images, seeded(5)).logits)


def test_the_posterior_sees_the_mask(a_network, a_batch):
    network, batch = a_network(), a_batch(ALL, 32, 32)
    seen = torch.cat([batch.images[m] for m in ALL], dim=1)
    one, other = (network.posterior(torch.cat([seen, mask], dim=1)).mean for mask in (batch.target, EMPTY))
    assert not torch.allclose(one, other)


def test_every_latent_is_heard(a_network, images):
    network, seen = a_network(), images(ALL, 16, 16)
    base = network.segment(seen, latent=torch.zeros(1, 6)).logits
    for n in range(6):
        moved = torch.zeros(1, 6)
        moved[0, n] = 2.0
        assert not torch.equal(network.segment(seen, latent=moved).logits, base)
