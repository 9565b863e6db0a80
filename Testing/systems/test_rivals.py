"""What CalDiff is compared with: the same contract, one reader drawn a step, draws that differ."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from DiffuFuseMedLib.losses import Batch
from DiffuFuseMedLib.systems import network_class

ALL = ("CT", "PET", "MR_T1")
FEW = {"channels": (8, 8, 8, 8)}
SMALL = {
    "dropout": ("unet", {**FEW, "blocks": (1, 1, 1, 1), "dropout": 0.3}),
    "ensemble": ("unet", {**FEW, "blocks": (1, 1, 1, 1), "members": 3}),
    "prob_unet": ("prob_unet", {**FEW, "blocks": (1, 1, 1, 1), "latent_channels": (8, 8, 8, 8), "full": 8}),
    "phiseg": ("phiseg", {**FEW, "likelihood": (8, 8, 8, 8)}),
}
EVERY = pytest.mark.parametrize("rival", SMALL)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def build(rival, **settings):
    system, small = SMALL[rival]
    kind = network_class(system)
    torch.manual_seed(0)
    return kind(kind.config_type(**({"spatial_dims": 2} | small | settings))).eval()


@torch.no_grad()
def draw(network, images, seed=0):
    return network.segment(images, seeded(seed)).logits


@EVERY
@pytest.mark.parametrize("space", [(16, 32), (16, 32, 16)], ids=str)
@pytest.mark.parametrize("present", [("PET",), ALL], ids="+".join)
def test_answers_at_the_size_of_the_window(images, rival, space, present):
    network = build(rival, spatial_dims=len(space))
    assert all(n % s == 0 for n, s in zip(space, network.stride, strict=True))
    assert draw(network, images(present, *space)).shape == (2, 1, *space)
    assert network.memory_bytes(10**6, 3) > 4 * 10**6


@EVERY
def test_an_absent_modality_is_an_empty_channel_and_every_present_one_is_heard(images, rival):
    network, seen = build(rival), images(("CT", "MR_T1"), 32, 32)
    empty = {"PET": torch.zeros(2, 2, 32, 32), **seen}
    assert torch.equal(draw(network, seen), draw(network, empty))
    for m in seen:
        assert not torch.equal(draw(network, seen), draw(network, {**seen, m: 2 * seen[m]}))


@EVERY
def test_draws_differ_by_their_seed_alone(images, rival):
    network, seen = build(rival), images(ALL, 32, 32)
    one, again = draw(network, seen, 1), draw(network, seen, 1)
    assert torch.equal(one, again)
    assert any(not torch.equal(one, draw(network, seen, seed)) for seed in range(2, 8))


@EVERY
def test_gradients_reach_every_parameter(a_batch, rival):
    network = build(rival)
    loss = network.loss(a_batch(ALL, 32, 32), seeded(0))
    loss.total.backward()
    assert loss.prediction.shape == (2, 1, 32, 32)
    assert [n for n, p in network.named_parameters() if p.grad is None or p.grad.abs().max() == 0] == []


@pytest.mark.parametrize("rival", ["prob_unet", "phiseg"])
def test_the_posterior_learns_from_the_mask(a_batch, rival):
    """Its last channel in; the prior has none."""
    network = build(rival)
    network.loss(a_batch(ALL, 32, 32), seeded(0)).total.backward()
    first = network.posterior.encoder.down[0].weight
    assert first.grad[:, -1].abs().max() > 0
    assert network.prior.encoder.down[0].weight.shape[1] == first.shape[1] - 1


@EVERY
def test_of_several_readers_it_is_one_that_is_learned_from(a_batch, rival):
    """Readers who agree on another mask than the target: the target is of no account."""
    network, batch = build(rival), a_batch(ALL, 32, 32)
    theirs = batch.target.roll(8, dims=-1)
    two = torch.tensor([2, 2])
    with_theirs, with_others = (
        replace(batch, references=masks.repeat(1, 2, 1, 1), raters=two) for masks in (theirs, batch.target)
    )
    told = [network.loss(b, seeded(0)).total.item() for b in (with_theirs, replace(with_theirs, target=theirs))]
    assert told[0] == told[1]
    assert told[0] != pytest.approx(network.loss(with_others, seeded(0)).total.item(), rel=1e-4)


@EVERY
def test_a_config_survives_json(rival):
    config = build(rival).config
    assert type(config).from_dict(json.loads(json.dumps(asdict(config)))) == config


@pytest.fixture(scope="module")
def two_readers():
    """A box that one reader draws and another, larger one that a second reader draws; the CT shows the smaller one."""
    masks = torch.zeros(1, 2, 32, 32)
    masks[:, 0, 8:24, 8:24] = 1
    masks[:, 1, 2:30, 8:24] = 1
    ct = torch.cat([2 * masks[:, :1] - 1, torch.ones(1, 1, 32, 32)], dim=1)
    small = masks[:, :1]
    return Batch({"CT": ct}, small, torch.zeros_like(small), {"CT": torch.ones(1)}, masks, torch.tensor([2]))


def dice(a, b):
    return (2 * (a & b).sum() / (a.sum() + b.sum())).item()


@pytest.mark.parametrize("rival", ["prob_unet", "phiseg"])
def test_both_readers_are_among_the_draws_once_it_has_learned(two_readers, rival):
    network, generator = build(rival, modalities=("CT",)), seeded(0)
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(150):
        loss = network.loss(two_readers, generator)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
    masks = [draw(network, two_readers.images, seed)[0, 0] > 0 for seed in range(12)]
    for reader in (two_readers.references > 0.5)[0]:
        assert max(dice(mask, reader) for mask in masks) > 0.9
