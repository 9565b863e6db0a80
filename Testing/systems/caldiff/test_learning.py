"""CalDiff learns: on one window whose image shows the lesion the loss falls, and what is drawn is what readers drew."""

import pytest
import torch
from DiffuFuseMedLib.losses import Batch
from DiffuFuseMedLib.systems.caldiff.config import Config
from DiffuFuseMedLib.systems.caldiff.network import CalDiff

from .conftest import seeded


@pytest.fixture(scope="module")
def a_telling_batch():
    """A box that one reader draws and another, larger one that a second reader draws; the CT shows the smaller one."""
    masks = torch.zeros(1, 2, 32, 32)
    masks[:, 0, 8:24, 8:24] = 1
    masks[:, 1, 4:28, 8:24] = 1
    ct = torch.cat([2 * masks[:, :1] - 1, torch.ones(1, 1, 32, 32)], dim=1)
    lesion, two = masks[:, :1], torch.tensor([2])
    return Batch({"CT": ct}, lesion, torch.zeros_like(lesion), {"CT": torch.ones(1)}, masks, two)


@pytest.fixture(scope="module")
def learned(a_telling_batch):
    """(network, the loss of every step)."""
    torch.manual_seed(0)
    small = {"channels": (8, 8, 8, 8), "blocks": (1, 1, 1, 1), "denoiser": (8, 16, 16), "pyramid": (8, 8)}
    config = Config(modalities=("CT",), spatial_dims=2, **small)
    network, generator, told = CalDiff(config), seeded(0), []
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(120):
        loss = network.loss(a_telling_batch, generator)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        told.append({name: part.item() for name, part in loss.parts.items()})
    return network.eval(), told


def mean(rows, name):
    return sum(row[name] for row in rows) / len(rows)


@pytest.mark.parametrize(("part", "left"), [("mse", 0.5), ("sa", 0.5), ("anchor", 0.8)])
def test_the_loss_falls(learned, part, left):
    assert mean(learned[1][-20:], part) < left * mean(learned[1][:10], part)


@torch.no_grad()
def draw(network, batch, seed, **options):
    told, generator = network.condition(network.encode(batch.images)), seeded(seed)
    noise = torch.randn(1, 1, 32, 32, generator=generator)
    return network.sample(lambda x, t: network.denoise(x, told, t), noise, generator, **options).logits > 0


def dice(a, b):
    return (2 * (a & b).sum() / (a.sum() + b.sum())).item()


@pytest.mark.parametrize("stochastic", [False, True])
def test_every_draw_is_near_what_a_reader_drew(learned, a_telling_batch, stochastic):
    readers = (a_telling_batch.references > 0.5)[0]
    for seed in range(3):
        drawn = draw(learned[0], a_telling_batch, seed, stochastic=stochastic)[0, 0]
        assert max(dice(drawn, reader) for reader in readers) > 0.7


def test_draws_differ_as_the_readers_do(learned, a_telling_batch):
    """They differ by 128 pixels of 384."""
    sizes = [draw(learned[0], a_telling_batch, seed, stochastic=False).sum().item() for seed in range(6)]
    assert 32 < max(sizes) - min(sizes) < 160
