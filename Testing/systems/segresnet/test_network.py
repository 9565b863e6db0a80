"""SegResNet under the same contract: the yardstick."""

import json
from dataclasses import asdict

import pytest
import torch
from DiffuFuseMedLib import losses
from DiffuFuseMedLib.systems import network_class
from DiffuFuseMedLib.systems.segresnet.network import Config, SegResNet

ALL = ("CT", "PET", "MR_T1")


@pytest.fixture
def a_yardstick():
    """A function of overriding settings: a SegResNet of eight filters with weights of a fixed seed."""

    def network(**settings):
        torch.manual_seed(0)
        return SegResNet(Config(**({"spatial_dims": 2, "init_filters": 8} | settings))).eval()

    return network


@torch.no_grad()
def draw(network, images):
    return network.segment(images).logits


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("space", [(16, 24), (8, 16, 8)], ids=str)
@pytest.mark.parametrize("present", [("PET",), ALL], ids="+".join)
def test_answers_at_the_size_of_the_window(a_yardstick, images, space, classes, present):
    network = a_yardstick(spatial_dims=len(space), classes=classes)
    assert all(n % s == 0 for n, s in zip(space, network.stride, strict=True))
    assert draw(network, images(present, *space)).shape == (2, classes, *space)


def test_has_no_gates_and_says_none(a_yardstick, images):
    assert a_yardstick().segment(images(ALL, 16, 16)).gates == {}
    assert not hasattr(a_yardstick(), "options")


def test_an_absent_modality_is_an_empty_channel_with_an_empty_mask(a_yardstick, images):
    network, seen = a_yardstick(), images(("CT", "MR_T1"), 16, 16)
    empty = {**seen, "PET": torch.zeros(2, 2, 16, 16)}
    assert torch.equal(draw(network, seen), draw(network, empty))


def test_the_order_of_the_images_is_of_no_account(a_yardstick, images):
    network, seen = a_yardstick(), images(ALL, 16, 16)
    assert torch.equal(draw(network, seen), draw(network, dict(reversed(seen.items()))))


def test_every_modality_is_heard(a_yardstick, images):
    network, seen = a_yardstick(), images(ALL, 16, 16)
    for m in ALL:
        assert not torch.equal(draw(network, seen), draw(network, {**seen, m: 2 * seen[m]}))


@pytest.mark.parametrize("classes", [1, 3])
def test_gradients_reach_every_parameter(a_yardstick, a_batch, classes):
    network = a_yardstick(classes=classes)
    loss = network.loss(a_batch(ALL, 16, 16, classes=classes))
    loss.total.backward()
    assert loss.total.item() == pytest.approx(sum(part.item() for part in loss.parts.values()), rel=1e-5)
    assert [n for n, p in network.named_parameters() if p.grad is None or p.grad.abs().max() == 0] == []


def test_a_config_survives_json():
    config = Config(classes=3, segmentation=losses.SegmentationWeights(bce=0.5))
    assert Config.from_dict(json.loads(json.dumps(asdict(config)))) == config


def test_is_listed_under_the_name_that_records_use():
    assert network_class("segresnet") is SegResNet
    assert SegResNet.config_type is Config
