"""Step-UC: a pyramid of normals, what several readers make of one, and by what two pyramids differ, eq. (12)-(14)."""

import math

import pytest
import torch
from DiffuFuseMedLib.systems.caldiff.pyramid import (
    Normals,
    UncertaintyNet,
    anchor,
    hierarchical_kl,
    level_weights,
    of_all_readers,
)


def normals(mean, deviation=1.0, shape=(1, 1, 1, 1)):
    return Normals(torch.full(shape, float(mean)), torch.full(shape, math.log(deviation)))


@pytest.fixture
def a_net():
    torch.manual_seed(0)
    return UncertaintyNet(2, 3, (8, 8, 8), latents=6, stride=2)


@pytest.mark.parametrize("space", [(32, 48), (16, 32, 16)], ids=str)
def test_every_level_has_six_normals_a_position_and_half_the_size_of_the_finer_one(space):
    net = UncertaintyNet(len(space), 3, (8, 8, 8), latents=6, stride=2)
    made = net(torch.rand(2, 1, *space), torch.rand(2, 2, *space))
    assert [tuple(n.mean.shape) for n in made] == [(2, 6, *[v // 2**i for v in space]) for i in (1, 2, 3)]
    assert all(n.log_deviation.shape == n.mean.shape for n in made)


def test_the_normals_follow_mask_and_image(a_net):
    mask, image = torch.zeros(1, 1, 32, 32), torch.rand(1, 2, 32, 32)
    base, other_mask, other_image = a_net(mask, image), a_net(mask + 1, image), a_net(mask, image + 1)
    for level in range(3):
        assert not torch.allclose(base[level].mean, other_mask[level].mean)
        assert not torch.allclose(base[level].mean, other_image[level].mean)


def test_a_fine_level_speaks_of_what_the_coarser_one_does_not_show(a_net):
    """What is the same everywhere is told at the coarsest level alone."""
    with torch.no_grad():
        for part in a_net.features:  # the features are the first input channel itself
            part[0].weight.zero_()
            part[0].bias.zero_()
            part[0].weight[:, 0, 1, 1] = 1
            part[1] = torch.nn.Identity()
        flat = torch.full((1, 1, 32, 32), 3.0)
        made = a_net(flat, torch.zeros(1, 2, 32, 32))
        silent = [normals.bias[:6] for normals in a_net.normals]
    for level in (0, 1):
        torch.testing.assert_close(made[level].mean, silent[level].view(1, 6, 1, 1).expand_as(made[level].mean))
    assert not torch.allclose(made[2].mean, silent[2].view(1, 6, 1, 1).expand_as(made[2].mean))


def test_the_coarsest_level_weighs_one_and_each_finer_one_a_tenth():
    assert level_weights(3) == pytest.approx([0.01, 0.1, 1.0])


def test_the_loss_worked_out_by_hand():
    """One level: KL(N(0, 1) || N(1, 4)) = ln 2 - 1 / 4 at each of four positions; the finer level of two weighs a
    tenth."""
    kl = math.log(2) - 0.25
    shape = (1, 1, 2, 2)
    one = hierarchical_kl([normals(0, 1, shape)], [normals(1, 2, shape)])
    assert one.item() == pytest.approx(4 * kl, rel=1e-5)
    fine, coarse = normals(0, 1, shape), normals(0)
    two = hierarchical_kl([fine, coarse], [normals(1, 2, shape), normals(1, 2)])
    assert two.item() == pytest.approx(0.1 * 4 * kl + kl, rel=1e-5)


def test_posterior_and_prior_are_not_the_same_side():
    """KL(N(1, 4) || N(0, 1)) = -ln 2 + 4 / 2 + 1 / 2 - 1 / 2."""
    assert hierarchical_kl([normals(1, 2)], [normals(0)]).item() == pytest.approx(2 - math.log(2), rel=1e-5)


def test_the_loss_is_a_mean_over_the_batch():
    once = hierarchical_kl([normals(0)], [normals(1, 2)])
    twice = hierarchical_kl([normals(0, 1, (2, 1, 1, 1))], [normals(1, 2, (2, 1, 1, 1))])
    assert twice.item() == pytest.approx(once.item())


def test_readers_become_the_normal_with_their_mixtures_mean_and_variance():
    """N(0, 1) and N(2, 3): mean 1, variance (1 + 3) / 2 + 1."""
    level = Normals(torch.tensor([0.0, 2.0]).view(2, 1, 1, 1), torch.tensor([1.0, 3.0]).log().view(2, 1, 1, 1) / 2)
    (made,) = of_all_readers([level], torch.ones(1, 2))
    assert made.mean.item() == pytest.approx(1)
    assert (2 * made.log_deviation).exp().item() == pytest.approx(3)


def test_a_reader_that_there_is_not_does_not_count():
    level = Normals(torch.tensor([0.0, 9.0]).view(2, 1, 1, 1), torch.zeros(2, 1, 1, 1))
    (made,) = of_all_readers([level], torch.tensor([[1.0, 0.0]]))
    assert (made.mean.item(), made.log_deviation.item()) == pytest.approx((0, 0))


def test_the_order_of_readers_is_nothing():
    mean = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    one, other = (of_all_readers([Normals(m, 0.1 * m)], torch.ones(1, 3))[0] for m in (mean, mean.flip(0)))
    torch.testing.assert_close(one.mean, other.mean)
    torch.testing.assert_close(one.log_deviation, other.log_deviation)


def test_the_anchor_worked_out_by_hand():
    """Logits of 0 say nothing: ln 2 at each of the level's four positions; the second reader does not count."""
    masks = torch.stack([torch.ones(1, 4, 4), torch.zeros(1, 4, 4)])
    told = [torch.zeros(2, 1, 2, 2)]
    assert anchor(told, masks, torch.tensor([[1.0, 0.0]]), 2).item() == pytest.approx(4 * math.log(2))
    sure = [torch.full((2, 1, 2, 2), 20.0)]
    assert anchor(sure, masks, torch.tensor([[1.0, 0.0]]), 2).item() == pytest.approx(0, abs=1e-5)
    assert anchor(sure, masks, torch.tensor([[0.0, 1.0]]), 2).item() > 10


def test_each_readers_latents_are_held_against_its_own_mask():
    masks = torch.stack([torch.ones(1, 4, 4), torch.zeros(1, 4, 4)])
    told = torch.cat([torch.full((1, 1, 2, 2), 20.0), torch.full((1, 1, 2, 2), -20.0)])
    assert anchor([told], masks, torch.ones(1, 2), 2).item() == pytest.approx(0, abs=1e-5)
    assert anchor([told.flip(0)], masks, torch.ones(1, 2), 2).item() > 10


def test_a_sample_is_its_normals():
    drawn = normals(3, 0.5, (1, 1, 100, 100)).sample(torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(3, abs=0.02)
    assert drawn.std().item() == pytest.approx(0.5, abs=0.02)
