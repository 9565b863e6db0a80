"""Plain U-Nets: dropout that stays on, and several members."""

import pytest
import torch
from DiffuFuseMedLib.systems.unet.config import Config
from DiffuFuseMedLib.systems.unet.network import Drawn, UNet

ALL = ("CT", "PET", "MR_T1")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def a_unet():
    """A function of overriding settings."""

    def network(**settings):
        torch.manual_seed(0)
        small = {"spatial_dims": 2, "channels": (8, 16), "blocks": (1, 1)}
        return UNet(Config(**(small | settings))).eval()

    return network


def test_a_draw_is_without_its_share_of_channels_and_the_rest_is_scaled_up(a_unet):
    network = a_unet(dropout=0.25)
    kept = torch.cat([torch.cat([k.flatten() for k in network.latent(seeded(s)).kept]) for s in range(200)])
    assert kept.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (kept == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert [tuple(k.shape) for k in network.latent().kept] == [(1, 8, 1, 1), (1, 16, 1, 1)]


def test_without_dropout_and_with_one_member_every_draw_is_the_same(a_unet, images):
    network, seen = a_unet(), images(ALL, 16, 16)
    assert torch.equal(network.segment(seen, seeded(0)).logits, network.segment(seen, seeded(1)).logits)


def test_every_member_is_drawn_as_often_as_the_others(a_unet):
    network = a_unet(members=3)
    drawn = [network.latent(seeded(s)).member for s in range(300)]
    assert all(70 < drawn.count(n) < 130 for n in range(3))


@torch.no_grad()
def test_a_draw_is_the_member_that_it_says(a_unet, images):
    network, seen = a_unet(members=2), images(ALL, 16, 16)
    stacked = torch.cat([seen[m] for m in ALL], dim=1)
    for n in (0, 1):
        said = network.segment(seen, latent=Drawn(n, network.latent().kept)).logits
        torch.testing.assert_close(said, network.members[n](stacked)[0])
    assert not torch.equal(said, network.members[0](stacked)[0])


def test_every_member_learns_and_each_from_a_reader_of_its_own(a_unet, a_batch_of_readers):
    """With one seed for all, members that share their weights would have one loss: they do not share the reader."""
    network = a_unet()
    batch = a_batch_of_readers(ALL, (3, 3), (32, 32))
    generator = seeded(0)
    alone = [network._of_member(network.members[0], batch, generator).total.item() for _ in range(8)]
    assert len(set(alone)) > 2
    network.members = network.members[:1]
    network.members.extend([network.members[0]] * 7)
    assert network.loss(batch, seeded(0)).total.item() == pytest.approx(sum(alone) / 8, rel=1e-5)
