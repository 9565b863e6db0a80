"""PHiSeg: a hierarchy of latents, and what makes a mask of it, C. Baumgartner et al."""

import pytest
import torch
from DiffuFuseMedLib.systems.phiseg import network as module
from DiffuFuseMedLib.systems.phiseg.config import Config
from DiffuFuseMedLib.systems.phiseg.hierarchy import Hierarchy, Level
from DiffuFuseMedLib.systems.phiseg.network import PHiSeg

ALL = ("CT", "PET", "MR_T1")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def a_network():
    torch.manual_seed(0)
    return PHiSeg(Config(spatial_dims=2, channels=(8, 8, 8), likelihood=(8, 8, 8))).eval()


@pytest.fixture
def a_hierarchy():
    torch.manual_seed(0)
    return Hierarchy(2, 3, (8, 8, 8), 2).eval()


def mean_of(level, mean, log_variance):
    return mean


@torch.no_grad()
def test_levels_are_finest_first_and_each_has_the_latents_of_its_size(a_hierarchy):
    made = a_hierarchy(torch.randn(1, 3, 32, 16), mean_of)
    assert [tuple(level.mean.shape) for level in made] == [(1, 2, 16, 8), (1, 2, 8, 4), (1, 2, 4, 2)]
    assert all(level.log_variance.shape == level.z.shape == level.mean.shape for level in made)


@torch.no_grad()
@pytest.mark.parametrize("level", [1, 2])
def test_a_level_is_told_by_the_draw_of_the_next_coarser_one_and_not_by_finer_ones(a_hierarchy, level):
    x = torch.randn(1, 3, 32, 32)
    base = a_hierarchy(x, mean_of)
    moved = a_hierarchy(x, lambda n, mean, log_variance: mean + 3 * (n == level))
    changed = [not torch.equal(a.mean, b.mean) for a, b in zip(base, moved, strict=True)]
    assert changed[level - 1]
    assert not any(changed[level:])


@torch.no_grad()
def test_every_level_of_latents_is_heard(a_network):
    latents = [torch.zeros(1, 2, 16 >> n, 16 >> n) for n in range(3)]
    base = a_network.likelihood(latents)
    assert [tuple(x.shape) for x in base] == [(1, 1, 32, 32), (1, 1, 16, 16), (1, 1, 8, 8), (1, 1, 4, 4)]
    for level in range(3):
        moved = [z + 2 * (n == level) for n, z in enumerate(latents)]
        assert not torch.equal(a_network.likelihood(moved)[0], base[0])


@torch.no_grad()
def test_what_a_level_says_is_added_to_what_the_coarser_ones_said(a_network):
    """All features silent: full size and every level have the sum of the heads' biases down to them."""
    for parameter in a_network.likelihood.parameters():
        parameter.zero_()
    for n, head in enumerate(a_network.likelihood.heads):
        head.bias.fill_(10.0**n)
    said = a_network.likelihood([torch.zeros(1, 2, 16 >> n, 16 >> n) for n in range(3)])
    assert [x.unique().item() for x in said] == [111, 111, 110, 100]


def test_the_prior_is_told_the_posteriors_draws(a_network, a_batch, monkeypatch):
    seen = {}
    real = module._divergence

    def divergence(posterior, prior):
        seen.update(posterior=posterior, prior=prior)
        return real(posterior, prior)

    monkeypatch.setattr(module, "_divergence", divergence)
    a_network.loss(a_batch(ALL, 32, 32), seeded(0))
    for q, p in zip(seen["posterior"], seen["prior"], strict=True):
        assert torch.equal(q.z, p.z)
        assert not torch.equal(q.mean, p.mean)


def test_a_coarse_position_weighs_as_much_as_the_fine_ones_that_it_stands_for():
    """KL(N(1, 1) || N(0, 1)) = 1 / 2: at 4 x 4 positions, and at the 2 x 2 coarser ones four times each."""
    there = lambda mean, n: Level(torch.full((3, 1, n, n), mean), torch.zeros(3, 1, n, n), torch.zeros(3, 1, n, n))  # noqa: E731
    posterior, prior = [there(1.0, 4), there(1.0, 2)], [there(0.0, 4), there(0.0, 2)]
    assert module._divergence(posterior, prior).item() == pytest.approx(16 / 2 + 4 * 4 / 2)


def test_every_level_learns_the_mask_at_its_own_size(a_network, a_batch):
    """Logits of 0 at full size and three levels: ln 2 each."""
    for parameter in a_network.likelihood.parameters():
        torch.nn.init.zeros_(parameter)
    parts = a_network.loss(a_batch(ALL, 32, 32), seeded(0)).parts
    assert parts["ce"].item() == pytest.approx(4 * 0.693147, rel=1e-4)


@torch.no_grad()
def test_a_draw_is_of_the_prior(a_network, images):
    seen = images(ALL, 32, 32)
    before = a_network.segment(seen, seeded(0)).logits
    torch.nn.init.normal_(a_network.posterior.normals[0].weight)
    assert torch.equal(a_network.segment(seen, seeded(0)).logits, before)
    torch.nn.init.normal_(a_network.prior.normals[0].weight)
    assert not torch.equal(a_network.segment(seen, seeded(0)).logits, before)
