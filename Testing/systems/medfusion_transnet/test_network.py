"""MedFusion-TransNet: its contract, what each switch takes out, and that an absent modality has no part."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from DiffuFuseMedLib import losses
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.systems.medfusion_transnet.config import Config
from DiffuFuseMedLib.systems.medfusion_transnet.network import MedFusionTransNet
from DiffuFuseMedLib.systems.medfusion_transnet.recipe import ABLATIONS, LIDC, STS
from DiffuFuseMedLib.tasks.segment.contract import DrawsWindows

ALL = ("CT", "PET", "MR_T1")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def logits(network, images):
    return network.segment(images).logits


@pytest.mark.parametrize("space", [(16, 32), (8, 16, 12)], ids=str)
@pytest.mark.parametrize("present", [ALL, ("PET",), ("CT", "MR_T1")], ids="+".join)
@pytest.mark.parametrize("classes", [1, 3])
def test_answers_at_the_size_of_the_window_whatever_is_there(a_network, images, space, present, classes):
    network = a_network(spatial_dims=len(space), classes=classes)
    found = logits(network, images(present, *space))
    assert isinstance(network, DrawsWindows)
    assert network.stride == (4,) * len(space)
    assert found.shape == (2, classes, *space)
    assert torch.isfinite(found).all()


def test_a_picture_in_color_has_three_channels(a_network, images):
    network = a_network(modalities=("RGB", "CT"), in_color=("RGB",))
    gray = images(("CT",), 16, 16)["CT"]
    color = torch.cat([gray[:, :1].roll(n, 2) for n in range(3)] + [gray[:, 1:]], dim=1)
    before = logits(network, {"RGB": color})
    assert before.shape == (2, 1, 16, 16)
    for channel in range(3):
        other = color.clone()
        other[:, channel] *= 2
        assert not torch.equal(logits(network, {"RGB": other}), before)
    assert not torch.equal(logits(network, {"RGB": color, "CT": gray}), before)


def test_an_absent_modality_has_no_part(a_network, images):
    network, seen = a_network(), images(("CT", "MR_T1"), 16, 16)
    before = logits(network, seen)
    for parameter in network.encoders["PET"].parameters():
        torch.nn.init.normal_(parameter)
    assert torch.equal(logits(network, seen), before)


@pytest.mark.parametrize("mamba", [False, True])
def test_a_modality_that_saw_nothing_of_the_window_has_no_part_either(a_network, images, mamba):
    network, seen = a_network(mamba=mamba), images(("CT", "MR_T1"), 16, 16)
    empty = torch.cat([torch.randn(2, 1, 16, 16), torch.zeros(2, 1, 16, 16)], dim=1)
    torch.testing.assert_close(logits(network, {"PET": empty, **seen}), logits(network, seen))
    there = torch.cat([empty[:, :1], torch.ones(2, 1, 16, 16)], dim=1)
    assert not torch.allclose(logits(network, {"PET": there, **seen}), logits(network, seen))


def test_every_present_modality_is_heard(a_network, images):
    network, seen = a_network(), images(ALL, 16, 16)
    for m in ALL:
        assert not torch.equal(logits(network, {**seen, m: 2 * seen[m]}), logits(network, seen))


def test_a_batch_is_windows_that_do_not_know_of_each_other(a_network, images):
    network, seen = a_network(mamba=True), images(ALL, 16, 16)
    torch.testing.assert_close(logits(network, {m: x[1:] for m, x in seen.items()}), logits(network, seen)[1:])


@pytest.mark.parametrize("space", [(16, 16), (8, 16, 8)], ids=str)
@pytest.mark.parametrize("mamba", [False, True])
def test_gradients_reach_every_parameter(a_network, a_batch, space, mamba):
    network = a_network(spatial_dims=len(space), mamba=mamba)
    said = network.loss(a_batch(ALL, *space), seeded(0))
    said.total.backward()
    assert said.prediction.shape == (2, 1, *space)
    assert [n for n, p in network.named_parameters() if p.grad is None or p.grad.abs().max() == 0] == []


# Switches

PARTS = {
    "attention": "attention",
    "multi_scale": "bottleneck.fusion",
    "transformer": "transformer",
    "mamba": "mamba",
}


@pytest.mark.parametrize("switch", PARTS)
def test_a_switch_takes_out_its_part_alone(a_network, images, switch):
    names = lambda on: {n for n, _ in a_network(**{switch: on}).named_parameters()}  # noqa: E731
    taken = names(True) - names(False)
    assert taken == {n for n in names(True) if n.startswith(f"{PARTS[switch]}.")} != set()
    assert names(False) < names(True)
    seen = images(ALL, 16, 16)
    assert not torch.allclose(logits(a_network(**{switch: False}), seen), logits(a_network(**{switch: True}), seen))


def test_without_skips_the_decoder_is_given_the_deepest_map_alone(a_network, images):
    network, seen, given = a_network(skips=False), images(ALL, 16, 16), []
    network.decoder.register_forward_pre_hook(lambda _, args: given.append(args))
    logits(network, seen)
    ((bottleneck, skips),) = given
    assert (tuple(bottleneck.shape), skips) == ((2, 8, 4, 4), None)
    assert len(network.attention) == 1
    whole = a_network()
    whole.decoder.register_forward_pre_hook(lambda _, args: given.append(args))
    logits(whole, seen)
    assert [tuple(x.shape) for x in given[1][1]] == [(2, 8, 16, 16), (2, 8, 8, 8)]
    assert len(whole.attention) == 3


def test_a_skip_is_heard_at_every_level(a_network, images):
    network, seen = a_network(), images(ALL, 16, 16)
    before = logits(network, seen)
    for level in range(2):
        handle = network.attention[level].register_forward_hook(lambda _m, _a, out: 0 * out)
        assert not torch.allclose(logits(network, seen), before)
        handle.remove()


def test_the_coarsest_levels_alone_are_tokens(a_network):
    network = a_network(token_levels=2)
    assert [conv.in_channels for conv in network.transformer.enter] == [8, 16]
    assert [conv.in_channels for conv in a_network(token_levels=1).transformer.enter] == [16]


# Its loss


def test_the_loss_is_that_of_the_paper_with_the_continuity_of_labels(a_network, a_batch):
    network, batch = a_network(lambda_smooth=0.3), a_batch(ALL, 16, 16)
    said = network.loss(batch, seeded(0))
    segmentation = losses.segmentation(said.prediction, batch.target, batch.distance, network.config.segmentation)
    assert set(said.parts) == {"bce", "dice", "boundary", "smooth"}
    for name, value in segmentation.items():
        assert said.parts[name].item() == pytest.approx(value.item())
    p = said.prediction.sigmoid()
    steps = torch.cat([(p[:, :, 1:] - p[:, :, :-1]).flatten(), (p[..., 1:] - p[..., :-1]).flatten()])
    assert said.parts["smooth"].item() == pytest.approx(0.3 * (steps**2).mean().item(), rel=1e-4)


def test_of_several_readers_one_is_drawn(a_network, a_batch_of_readers):
    """Each of both windows has its own."""
    network, batch = a_network(), a_batch_of_readers(space=(16, 16))
    cost = lambda b, s: round(network.loss(b, seeded(s)).parts["bce"].item(), 5)  # noqa: E731
    both = [torch.stack([batch.references[0, m], batch.references[1, n]])[:, None] for m in range(3) for n in range(3)]
    possible = {cost(replace(batch, target=masks, references=None), 0) for masks in both}
    told = {cost(batch, s) for s in range(12)}
    assert len(told) > 3
    assert told <= possible


def test_positions_are_hidden_in_training_alone(a_network, a_batch):
    network, batch, hidden = a_network(mamba=True, masked=0.5, lambda_masked=0.2), a_batch(ALL, 16, 16), []
    network.mamba.register_forward_pre_hook(lambda _, args: hidden.append(args[1]))
    said = network.loss(batch, seeded(0))
    other = network.loss(batch, seeded(1))
    logits(network, batch.images)
    assert hidden[0].shape == (2, 1, 4, 4)
    assert hidden[2] is None
    assert said.parts["masked"] > 0
    assert said.parts["bce"] != other.parts["bce"]
    ten = a_network(mamba=True, masked=0.5, lambda_masked=2.0).loss(batch, seeded(0)).parts["masked"]
    assert ten.item() == pytest.approx(10 * said.parts["masked"].item(), rel=1e-5)
    assert "masked" not in a_network(mamba=True, masked=0.0).loss(batch, seeded(0)).parts


# Settings and recipes


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"convs": (1, 1)}, "4 levels, convs for 2"),
        ({"token_levels": 5}, "5 of tokens"),
        ({"in_color": ("RGB",)}, "RGB in color, wanted some of the modalities"),
        ({"channels": (8, 24, 48, 97)}, "97"),
        ({"bottleneck": 4}, "multiples of 8"),
        ({"heads": 5}, "5 heads of 96"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        Config(**settings)


def test_a_config_survives_json():
    config = Config(in_color=("CT",), mamba=True, rates=(1, 3))
    assert Config.from_dict(json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize("recipe", [STS, LIDC, ABLATIONS["mamba"]], ids=lambda r: r.model_id)
def test_the_weights_are_within_eight_megabytes_in_half_precision(recipe):
    assert 2 * sum(p.numel() for p in MedFusionTransNet(recipe.config).parameters()) < 8e6


@pytest.mark.parametrize(
    ("name", "network", "drgo"),
    [
        ("no-skips", {"skips": False}, {}),
        ("no-attention", {"attention": False}, {}),
        ("no-boundary", {}, {"refined": 0.0}),
        ("no-multi-scale", {"multi_scale": False}, {}),
        ("no-transformer", {"transformer": False}, {}),
        ("no-sampling", {}, {"sampling": False}),
        ("no-adaptive", {}, {"adaptive": 0.0}),
        ("no-drgo", {}, None),
        ("mamba", {"mamba": True}, {}),
    ],
)
def test_an_ablation_differs_in_what_it_takes_out_alone(name, network, drgo):
    wanted = replace(STS, model_id=f"sts-medfusion-transnet-{name}", config=replace(STS.config, **network))
    assert ABLATIONS[name] == replace(wanted, drgo=None if drgo is None else replace(STS.drgo, **drgo))
    assert set(ABLATIONS) >= {name}
