"""CalDiff: what its contract asks, what each part of its loss looks at and teaches, and draws that differ."""

import json
import math
from dataclasses import asdict, replace
from itertools import pairwise

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.diffusion import add_noise
from DiffuFuseMedLib.systems.caldiff import network as module
from DiffuFuseMedLib.systems.caldiff.network import CalDiff
from DiffuFuseMedLib.systems.caldiff.recipe import ABLATIONS, JUMPS, LIDC, LIDC_ABLATIONS, STS
from DiffuFuseMedLib.systems.caldiff.sequence import jump
from DiffuFuseMedLib.tasks.segment.contract import ConditionsOnce, EncodesModalities, HasOptions, SamplesWholeVolume

from .conftest import seeded

ALL = ("CT", "PET", "MR_T1")


@torch.no_grad()
def draw(network, images, seed=0, **options):
    first = next(iter(images.values()))
    generator = seeded(seed)
    noise = torch.randn(first.shape[0], 1, *first.shape[2:], generator=generator)
    told = network.condition(network.encode(images))
    return network.sample(lambda noisy, t: network.denoise(noisy, told, t), noise, generator, **options)


def test_keeps_the_contracts_that_it_is_meant_to(a_network):
    for contract in (SamplesWholeVolume, EncodesModalities, ConditionsOnce, HasOptions):
        assert isinstance(a_network(), contract)


@pytest.mark.parametrize("space", [(32, 48), (16, 32, 16)], ids=str)
@pytest.mark.parametrize("present", [ALL, ("PET",), ("CT", "MR_T1")], ids="+".join)
def test_answers_at_the_size_of_the_window_whatever_is_there(a_network, images, space, present):
    drawn = draw(a_network(spatial_dims=len(space)), images(present, *space))
    assert drawn.logits.shape == (2, 1, *space)
    assert torch.isfinite(drawn.logits).all()


def test_any_set_of_modalities_may_be_its_own(a_network, images):
    drawn = draw(a_network(modalities=("MR_FLAIR", "MR_T2")), images(("MR_T2",), 32, 32))
    assert torch.isfinite(drawn.logits).all()


def test_the_trunk_is_told_the_mean_of_the_modalities_at_every_level(a_network, images):
    """Not their sum: with one of three images the maps would be a third as large as those it was trained on."""
    network, told = a_network(), []
    network.trunk.register_forward_pre_hook(lambda _, inputs: told.append(inputs[0]))
    levels = network.encode(images(ALL, 32, 32))
    network.condition(levels)
    for got, level in zip(told[0], levels, strict=True):
        torch.testing.assert_close(got, (level["CT"] + level["PET"] + level["MR_T1"]) / 3)


def test_an_absent_modality_has_no_part_in_the_drawing(a_network, images):
    network, seen = a_network(), images(ALL, 32, 32)
    without = draw(network, {m: x for m, x in seen.items() if m != "PET"}).logits
    for parameter in network.encoders["PET"].parameters():
        torch.nn.init.normal_(parameter)
    torch.testing.assert_close(draw(network, {m: x for m, x in seen.items() if m != "PET"}).logits, without)
    assert not torch.allclose(draw(network, seen).logits, without)


def test_modalities_are_encoded_apart_from_each_other(a_network, images):
    network, seen = a_network(), images(ALL, 32, 32)
    with torch.no_grad():
        together = network.encode(seen)
        for m in ALL:
            for level, alone in zip(together, network.encode({m: seen[m]}), strict=True):
                assert torch.equal(level[m], alone[m])


def test_one_seed_one_draw_and_another_seed_another(a_network, images):
    network, seen = a_network(), images(ALL, 32, 32)
    for stochastic in (False, True):
        first, again, other = (draw(network, seen, s, stochastic=stochastic).logits for s in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.allclose(first, other)


def test_the_options_are_those_of_its_settings(a_network, images):
    network, seen = a_network(sampler_steps=4, stochastic=True), images(("CT",), 32, 32)
    assert network.options == {"steps": 4, "stochastic": True}
    assert network.sampler_steps == 4
    assert torch.equal(draw(network, seen).logits, draw(network, seen, steps=4, stochastic=True).logits)
    assert not torch.allclose(draw(network, seen).logits, draw(network, seen, steps=8, stochastic=True).logits)
    assert not torch.allclose(draw(network, seen).logits, draw(network, seen, steps=4, stochastic=False).logits)


@pytest.mark.parametrize("steps", [0, 21])
def test_steps_that_the_chain_does_not_have_are_refused(a_network, images, steps):
    with pytest.raises(InputError, match="1 to 20 of them"):
        draw(a_network(), images(("CT",), 32, 32), steps=steps)


def test_the_whole_chain_is_the_reference(a_network, images):
    network, asked = a_network(), []
    noise = torch.randn(1, 1, 16, 16, generator=seeded(0))

    def denoise(noisy, t):
        asked.append(t)
        return torch.cat([noisy, noisy], dim=1)

    network.sample(denoise, noise, seeded(0), steps=20)
    assert asked == list(range(20, 0, -1))


def test_the_time_reaches_the_denoiser(a_network, images):
    network, seen = a_network(), images(ALL, 32, 32)
    with torch.no_grad():
        told = network.condition(network.encode(seen))
        noisy = torch.randn(2, 1, 32, 32, generator=seeded(0))
        early, late = (network.denoise(noisy, told, t) for t in (1, 20))
    assert not torch.allclose(early, late)


def test_the_probability_is_the_place_between_outside_and_inside(a_network):
    drawn = a_network().sample(
        lambda x, t: torch.full_like(x, 0.5).repeat(1, 2, 1, 1), torch.zeros(1, 1, 4, 4), steps=1
    )
    torch.testing.assert_close(drawn.logits.sigmoid(), torch.full((1, 1, 4, 4), 0.75))


# The loss


def test_the_objective_is_the_sum_of_its_named_parts(a_network, a_batch_of_readers):
    loss = a_network().loss(a_batch_of_readers(), seeded(0))
    assert set(loss.parts) == {"mse", "vlb", "hier", "anchor", "sa"}
    assert loss.total.item() == pytest.approx(sum(part.item() for part in loss.parts.values()), rel=1e-5)
    assert loss.prediction.shape == (2, 1, 32, 32)


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"step_uc": False}, {"mse", "vlb", "sa"}),
        ({"consecutive": 1}, {"mse", "vlb", "hier", "anchor"}),
        ({"anchor": 0.0}, {"mse", "vlb", "hier", "sa"}),
        ({"step_uc": False, "consecutive": 1}, {"mse", "vlb"}),
    ],
)
def test_an_ablation_is_without_its_part(a_network, a_batch_of_readers, settings, parts):
    network = a_network(**settings)
    assert set(network.loss(a_batch_of_readers(), seeded(0)).parts) == parts
    nets = {name.split(".")[0] for name, _ in network.named_parameters()}
    assert ("modeling" in nets) is ("hier" in parts)


class Oracle(torch.nn.Module):
    """A denoiser that says one mask whatever it is shown, and remembers what that was."""

    def __init__(self, mask):
        super().__init__()
        self.mask, self.asked = mask, []

    def forward(self, noisy, share, told):
        self.asked.append((noisy, share))
        return torch.cat([self.mask, torch.zeros_like(self.mask)], dim=1).requires_grad_()


def oracle_of(network, mask):
    network.denoiser = Oracle(mask)
    return network.denoiser


def test_a_denoiser_that_is_right_is_told_so_and_its_negative_is_not(a_network, a_batch):
    network, batch = a_network(mse_weights=(1.0, 1.0), step_uc=False), a_batch(ALL, 32, 32)
    right = 2 * batch.target - 1
    oracle_of(network, right)
    parts = network.loss(batch, seeded(0)).parts
    assert (parts["mse"].item(), parts["sa"].item()) == (0, 0)
    oracle_of(network, -right)
    assert network.loss(batch, seeded(0)).parts["mse"].item() == pytest.approx(4)


def test_the_noisy_mask_is_that_of_equation_9_at_the_time_that_is_told(a_network, a_batch):
    network, batch = a_network(step_uc=False, consecutive=1), a_batch(ALL, 32, 32)
    oracle = oracle_of(network, torch.zeros_like(batch.target))
    for seed in range(8):
        network.loss(batch, seeded(seed))
    reference, noises, times = 2 * batch.target - 1, [], []
    for noisy, share in oracle.asked:
        t = (share * 20).round().long()
        abar = network.abar[t].view(-1, 1, 1, 1)
        noises.append((noisy - abar.sqrt() * reference) / (1 - abar).sqrt())
        times += t.tolist()
    assert torch.stack(noises).mean().item() == pytest.approx(0, abs=0.03)
    assert torch.stack(noises).std().item() == pytest.approx(1, abs=0.03)
    assert len(set(times)) > 8
    assert 1 <= min(times) <= max(times) <= 20


def test_lambda_and_t_weigh_the_bound(a_network, a_batch):
    batch = a_batch(ALL, 32, 32)
    one, two = (
        a_network(lambda_vlb=v, step_uc=False).loss(batch, seeded(0)).parts["vlb"].item() for v in (0.001, 0.01)
    )
    assert two == pytest.approx(10 * one, rel=1e-5)
    network, terms = a_network(step_uc=False), []
    original = module.bound_term
    module.bound_term = lambda *args: terms.append(original(*args)) or terms[-1]
    try:
        part = network.loss(batch, seeded(0)).parts["vlb"].item()
    finally:
        module.bound_term = original
    assert part == pytest.approx(0.001 * 20 * terms[0].item(), rel=1e-5)


# Several annotators


def test_one_reader_is_drawn_for_a_step_and_every_reader_in_their_time(a_network, a_batch_of_readers):
    network, batch, drawn = a_network(mse_weights=(1.0, 1.0), step_uc=False, consecutive=1), a_batch_of_readers(), set()
    for reader in range(3):
        oracle_of(network, 2 * batch.references[:, reader : reader + 1] - 1)
        for seed in range(20):
            error = network.loss(batch, seeded(seed)).parts["mse"].item()
            drawn |= {(reader, seed)} if error == 0 else set()
    seeds = [seed for _, seed in drawn]
    assert len(seeds) == len(set(seeds))  # of a step that is right for one reader no other reader is
    assert {reader for reader, _ in drawn} == {0, 1, 2}


def test_the_modeling_net_knows_every_reader_and_the_calibrating_net_the_predicted_mask(a_network, a_batch_of_readers):
    network, batch = a_network(), a_batch_of_readers()
    predicted = torch.full_like(batch.target, 0.5)
    oracle_of(network, predicted)
    shown = {"modeling": [], "calibrating": []}
    for name, kept in shown.items():
        getattr(network, name).register_forward_pre_hook(lambda _, args, kept=kept: kept.append(args))
    network.loss(batch, seeded(0))
    ((masks, images),) = shown["modeling"]
    assert torch.equal(masks.view(2, 3, 32, 32), batch.references)
    assert torch.equal(images[0], images[2])
    ((mask, images),) = shown["calibrating"]
    torch.testing.assert_close(mask, (predicted + 1) / 2)
    assert torch.equal(images, torch.cat([batch.images[m] for m in ALL], dim=1))


def test_the_posterior_is_of_the_readers_and_the_prior_of_the_prediction(a_network, a_batch_of_readers, monkeypatch):
    """D_KL(posterior || prior): the first side is the Modeling Net's."""
    network, batch, sides = a_network(), a_batch_of_readers(), []
    monkeypatch.setattr(module, "hierarchical_kl", lambda *args: sides.append(args) or torch.zeros(()))
    network.loss(batch, seeded(0))
    posterior, prior = sides[0]
    with torch.no_grad():
        network.modeling.normals[0].bias[0] += 1  # a mean
    network.loss(batch, seeded(0))
    moved, still = sides[1]
    assert not torch.allclose(moved[0].mean, posterior[0].mean)
    torch.testing.assert_close(still[0].mean, prior[0].mean)


def test_a_reader_who_is_not_there_is_no_one_to_agree_with(a_network, a_batch_of_readers):
    network, batch = a_network(), a_batch_of_readers(raters=(2, 2))
    before = {name: network.loss(batch, seeded(0)).parts[name].item() for name in ("hier", "mse")}
    changed = batch.references.clone()
    changed[:, 2] = 1
    after = network.loss(replace(batch, references=changed), seeded(0)).parts
    assert {name: after[name].item() for name in before} == pytest.approx(before, rel=1e-5)


# Whom the loss teaches


def gradients(network, part):
    network.zero_grad()
    part.backward()
    names = ("encoders", "trunk", "denoiser", "modeling", "calibrating")
    total = lambda m: sum(float(p.grad.abs().sum()) for p in m.parameters() if p.grad is not None)  # noqa: E731
    return {name: total(getattr(network, name)) for name in names}


def test_the_step_wise_loss_reaches_both_nets_and_the_denoiser(a_network, a_batch_of_readers):
    network = a_network()
    found = gradients(network, network.loss(a_batch_of_readers(), seeded(0)).parts["hier"])
    assert all(size > 0 for size in found.values())


def test_the_anchor_reaches_the_modeling_net_alone(a_network, a_batch_of_readers):
    network = a_network()
    found = gradients(network, network.loss(a_batch_of_readers(), seeded(0)).parts["anchor"])
    assert found.pop("modeling") > 0
    assert set(found.values()) == {0}


@pytest.mark.parametrize("part", ["mse", "vlb", "sa"])
def test_the_losses_of_the_noise_reach_the_denoiser_and_no_net(a_network, a_batch_of_readers, part):
    network = a_network()
    found = gradients(network, network.loss(a_batch_of_readers(), seeded(0)).parts[part])
    assert found["denoiser"] > 0
    assert found["modeling"] == found["calibrating"] == 0


def test_gamma_and_its_own_weight_weigh_the_anchor(a_network, a_batch_of_readers):
    batch, told = a_batch_of_readers(), []
    for settings in ({"anchor": 1.0}, {"anchor": 10.0}, {"anchor": 10.0, "gamma": 0.002}):
        told.append(a_network(**settings).loss(batch, seeded(0)).parts["anchor"].item())
    assert told == pytest.approx([told[0], 10 * told[0], 20 * told[0]], rel=1e-4)


def test_gamma_weighs_the_step_wise_loss(a_network, a_batch_of_readers):
    batch = a_batch_of_readers()
    one, two = (a_network(gamma=v).loss(batch, seeded(0)).parts["hier"].item() for v in (0.001, 0.003))
    assert two == pytest.approx(3 * one, rel=1e-5)


# Seq-UC


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_the_denoiser_is_asked_at_as_many_consecutive_times(a_network, a_batch, steps):
    network, batch = a_network(consecutive=steps, step_uc=False), a_batch(ALL, 32, 32)
    oracle = oracle_of(network, 2 * batch.target - 1)
    network.loss(batch, seeded(0))
    times = [(share * 20).round().long() for _, share in oracle.asked]
    assert len(times) == steps
    for now, then in pairwise(times):
        assert torch.equal(then, (now - 1).clamp(min=0))


def test_each_step_goes_on_from_the_models_own_last_one(a_network, a_batch):
    """The next input is (10) with what was predicted, wrong as it is, not with the reference."""
    network, batch = a_network(consecutive=2, step_uc=False), a_batch(ALL, 32, 32)
    wrong = -(2 * batch.target - 1)
    oracle = oracle_of(network, wrong)
    network._times = lambda size, generator: torch.tensor([12, 7])
    stepped, original = [], module.stochastic_step
    module.stochastic_step = lambda *args: stepped.append((args, original(*args))) or stepped[-1][1]
    try:
        network.loss(batch, seeded(0))
    finally:
        module.stochastic_step = original
    ((seen, noisy, now, then, _), made) = stepped[0][0], stepped[0][1]
    torch.testing.assert_close(seen.clean, wrong)
    assert torch.equal(noisy, oracle.asked[0][0])
    assert torch.equal(made, oracle.asked[1][0])
    torch.testing.assert_close(now.flatten(), network.abar[[12, 7]])
    torch.testing.assert_close(then.flatten(), network.abar[[11, 6]])


def test_a_step_may_go_on_as_far_as_a_sampler_of_few_steps_does(a_network, a_batch):
    """Of 20 steps, jumps of up to ten, and all of them are drawn."""
    network, batch = a_network(consecutive=2, longest_jump=10, step_uc=False), a_batch(ALL, 32, 32)
    wrong, far = -(2 * batch.target - 1), set()
    for seed in range(60):
        oracle = oracle_of(network, wrong)
        network._times = lambda size, generator: torch.tensor([20, 4])
        network.loss(batch, seeded(seed))
        then = (oracle.asked[1][1] * 20).round().long().tolist()
        far.add(20 - then[0])
        assert 1 <= then[1] <= 3  # the end of the chain is a step only from 1
    assert far == set(range(1, 11))
    assert jump(torch.tensor([0, 1, 2]), 10, seeded(0)).tolist() == [0, 0, 1]
    assert set(jump(torch.full((64,), 9), 2, seeded(0)).tolist()) == {7, 8}


def test_as_algorithm_1_is_printed_each_step_starts_from_the_reference(a_network, a_batch):
    network, batch = a_network(consecutive=2, step_uc=False, own_trajectory=False), a_batch(ALL, 32, 32)
    oracle = oracle_of(network, -(2 * batch.target - 1))
    network._times = lambda size, generator: torch.tensor([2, 2])
    network.loss(batch, seeded(0))
    second = oracle.asked[1][0]
    reference = 2 * batch.target - 1
    abar = network.abar[1]
    noise = (second - abar.sqrt() * reference) / (1 - abar).sqrt()
    assert noise.std().item() == pytest.approx(1, abs=0.05)
    torch.testing.assert_close(second, add_noise(reference, noise, network.abar, torch.tensor([1, 1])))


def test_the_sequence_loss_weighs_the_errors_of_its_steps(a_network, a_batch):
    """All steps are off by one everywhere: the relative weights have a mean of one, so the loss is kappa."""
    network = a_network(consecutive=3, kappa=0.2, mse_weights=(1.0, 1.0), step_uc=False)
    batch = a_batch(ALL, 32, 32)
    oracle_of(network, 2 * batch.target)
    network._times = lambda size, generator: torch.tensor([12, 7])
    assert network.loss(batch, seeded(0)).parts["sa"].item() == pytest.approx(0.2, rel=1e-4)


def test_an_error_at_the_last_step_reaches_further_than_at_the_first(a_network, a_batch, monkeypatch):
    """The weights go to the errors in the order of the times: the later a step is in drawing, the more it counts."""
    network, batch = a_network(consecutive=2, step_uc=False), a_batch(ALL, 32, 32)
    network._times = lambda size, generator: torch.tensor([12, 7])
    kept = {}
    monkeypatch.setattr(module, "sequence_loss", lambda e, w: kept.update(errors=e, weights=w) or torch.zeros(()))
    network.loss(batch, seeded(0))
    first, second = kept["weights"]
    assert (second > first).all()
    ratio = (network.tau[[12, 7]] / network.tau[[11, 6]]).float()
    torch.testing.assert_close(first / second, ratio)


def test_at_the_end_of_the_chain_nothing_that_is_not_a_step_counts(a_network, a_batch):
    network, batch = a_network(consecutive=4, step_uc=False), a_batch(ALL, 32, 32)
    network._times = lambda size, generator: torch.tensor([1, 2])
    parts = network.loss(batch, seeded(0)).parts
    assert all(math.isfinite(part.item()) for part in parts.values())
    network.loss(batch, seeded(0)).total.backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_the_variance_is_taught_by_its_own_loss_alone(a_network, a_batch, monkeypatch):
    network, kept = a_network(consecutive=2, step_uc=False), []
    original = module.stochastic_step
    monkeypatch.setattr(module, "stochastic_step", lambda seen, *args: kept.append(seen) or original(seen, *args))
    network.loss(a_batch(ALL, 32, 32), seeded(0))
    assert not kept[0].variance.requires_grad
    assert kept[0].clean.requires_grad


# What ships


def test_the_weights_that_ship_are_within_eight_megabytes_in_half_precision():
    sizes = [p.numel() for p in CalDiff(STS.config).parameters()]
    assert 2 * sum(sizes) < 8e6


def test_the_chain_is_the_papers():
    abar = CalDiff(STS.config).abar
    assert len(abar) == 1001
    assert float(1 - abar[1]) == pytest.approx(1e-4, rel=1e-3)
    assert float(1 - abar[1000] / abar[999]) == pytest.approx(0.02, rel=1e-3)
    assert float(abar[1000]) == pytest.approx(4.04e-5, rel=0.01)


def test_the_ablations_are_those_of_the_papers_second_table():
    told, of_slices = (
        {name: (r.config.step_uc, r.config.consecutive, r.config.kappa) for name, r in ablations.items()}
        for ablations in (ABLATIONS, LIDC_ABLATIONS)
    )
    assert told == of_slices
    assert told == {
        "plain": (False, 1, 1.0),
        "no-seq-uc": (True, 1, 1.0),
        "no-step-uc": (False, 2, 1.0),
        "s3": (False, 3, 0.2),
        "s4": (False, 4, 0.2),
    }
    assert [r.config.longest_jump for r in (STS, LIDC, JUMPS)] == [1, 1, 500]
    assert (STS.config.step_uc, STS.config.consecutive, STS.config.latents, STS.config.gamma) == (True, 2, 6, 0.001)


def test_sarcomas_are_drawn_in_two_steps_and_slices_in_ten_both_stochastic():
    assert [(r.config.sampler_steps, r.config.stochastic) for r in (STS, LIDC)] == [(2, True), (10, True)]


def test_settings_come_back_from_json(a_network):
    config = a_network(consecutive=3).config
    assert type(config).from_dict(json.loads(json.dumps(asdict(config)))) == config
