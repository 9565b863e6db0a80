"""DiffuFuseMed as a system: shapes, gates, absent modalities, seeds, gradients, switches, and gates that learn."""

import json
from dataclasses import asdict, replace
from itertools import combinations

import pytest
import torch
from DiffuFuseMedLib import losses
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.networks.inputs import network_images
from DiffuFuseMedLib.systems import network_class
from DiffuFuseMedLib.systems.diffufusemed.network import Config, DiffuFuseMed

ALL = ("CT", "PET", "MR_T1")
SUBSETS = [c for n in (1, 2, 3) for c in combinations(ALL, n)]
SWITCHES = ("diffusion", "gating", "time_conditioned", "transformer")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def draw(network, images, seed=0):
    drawn = network.segment(network.encode(images), seeded(seed))
    return drawn.logits, drawn.gates


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("space", [(16, 48), (32, 32), (16, 32, 16)], ids=str)
def test_answers_at_the_size_of_the_window(a_network, images, space, classes):
    network = a_network(spatial_dims=len(space), classes=classes)
    assert all(n % s == 0 for n, s in zip(space, network.stride, strict=True))
    logits, gates = draw(network, images(ALL, *space))
    assert logits.shape == (2, classes, *space)
    assert {m: w.shape for m, w in gates.items()} == dict.fromkeys(ALL, (2,))


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_the_stride_is_the_smallest_window(a_network, images, levels):
    per_level = {"blocks": (1,), "heads": (2,), "windows": (4,), "summaries": (2,), "transformer_blocks": (1,)}
    per_level |= {"diffusion_steps": (10,), "channels": (8,)}
    network = a_network(**{k: v * levels for k, v in per_level.items()})
    assert network.stride == (2 ** (levels + 1),) * 2
    logits, _ = draw(network, images(ALL, *network.stride))
    assert logits.shape == (2, 1, *network.stride)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("present", SUBSETS, ids="+".join)
def test_any_set_of_modalities_will_do_and_its_gates_sum_to_one(a_network, images, present):
    logits, gates = draw(a_network(), images(present, 32, 32))
    assert logits.shape == (2, 1, 32, 32)
    assert torch.isfinite(logits).all()
    assert tuple(gates) == present
    torch.testing.assert_close(sum(gates.values()), torch.ones(2))


def test_takes_the_modalities_that_its_config_names(a_network, images):
    names = ("MR_FLAIR", "MR_T1", "MR_T1C", "MR_T2")
    assert tuple(draw(a_network(modalities=names), images(names, 32, 32))[1]) == names


def test_a_modality_switched_off_in_the_case_changes_nothing(a_network):
    """Its voxels may be anything: it is not among the images, so nothing of it is computed."""
    grid, network = Grid((32, 16, 16)), a_network(spatial_dims=3)
    scene = torch.rand(16, 16, 32, generator=seeded(0)).numpy()
    volumes = {m: Volume(s * scene, grid, m) for m, s in (("CT", 100), ("PET", 10), ("MR_T1", 500))}
    case = Case("tiny", grid, "CT", volumes, dict.fromkeys(volumes, scene >= 0))
    changed = replace(case, volumes={**volumes, "MR_T1": volumes["MR_T1"].with_array(scene[::-1] ** 2)})

    def answer(case):
        return draw(network, {m: x[None] for m, x in network_images(case, grid, ALL).items()})[0]

    assert torch.equal(answer(case.only(("CT", "PET"))), answer(changed.only(("CT", "PET"))))
    assert not torch.equal(answer(case), answer(changed))


def test_the_same_seed_gives_the_same_draw_and_another_seed_another(a_network, images):
    network, seen = a_network(), images(ALL, 32, 32)
    first, again, other = (draw(network, seen, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 1e-3


def test_a_draw_does_not_touch_the_global_seed(a_network, images):
    network, seen, before = a_network(), images(ALL, 32, 32), torch.get_rng_state()
    draw(network, seen, 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_kept_encodings_give_what_encoding_afresh_gives(a_network, images):
    """A host encodes once, and switches modalities on what it kept."""
    network, seen = a_network(), images(ALL, 32, 32)
    with torch.no_grad():
        kept = [{m: z for m, z in level.items() if m != "PET"} for level in network.encode(seen)]
        switched = network.segment(kept, seeded(0)).logits
    fresh, _ = draw(network, {m: x for m, x in seen.items() if m != "PET"})
    assert torch.equal(switched, fresh)


def test_samples_of_a_batch_do_not_hear_of_each_other(a_network, images):
    network, seen = a_network(diffusion=False), images(ALL, 32, 32)
    both = draw(network, seen)[0]
    alone = draw(network, {m: x[1:] for m, x in seen.items()})[0]
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-5)


def test_the_place_added_to_a_token_depends_on_the_window_alone(a_network, images):
    """Eq. (6): embedded minus normalised tokens is P + M, the same whatever the window shows."""
    level = a_network().levels[0]
    tokens = [torch.randn(1, 8, 8, 8, generator=seeded(s)) * 5 + s for s in (0, 1)]
    added = [level.embed({"CT": z})["CT"] - torch.nn.functional.group_norm(z, 1) for z in tokens]
    torch.testing.assert_close(*added, atol=1e-5, rtol=1e-5)
    assert added[0].std() > 1e-3


def test_tokens_cannot_escape_the_noise_by_growing(a_network):
    level = a_network().levels[0]
    tokens = torch.randn(1, 8, 8, 8, generator=seeded(0))
    small, large = (level.embed({"CT": s * tokens})["CT"] for s in (1, 1000))
    torch.testing.assert_close(small, large, atol=1e-4, rtol=1e-4)


def test_the_objective_is_the_sum_of_its_named_parts(a_network, a_batch):
    loss = a_network().loss(a_batch(ALL, 32, 32), seeded(0))
    assert set(loss.parts) == {"bce", "dice", "boundary", "coarse", "diff", "align", "rel"}
    assert loss.total.item() == pytest.approx(sum(part.item() for part in loss.parts.values()), rel=1e-5)
    assert loss.prediction.shape == (2, 1, 32, 32)


@pytest.mark.parametrize(
    ("setting", "part"), [("lambda_diff", "diff"), ("lambda_align", "align"), ("lambda_rel", "rel")]
)
def test_each_lambda_of_eq_27_weighs_its_part(a_network, a_batch, setting, part):
    batch = a_batch(ALL, 32, 32)
    single, double = (a_network(**{setting: x}).loss(batch, seeded(0)).parts[part].item() for x in (0.5, 1.0))
    assert double == pytest.approx(2 * single)
    assert single != 0


def test_several_classes_train_on_a_one_hot_target(a_network, a_batch):
    network, batch = a_network(classes=3), a_batch(ALL, 32, 32, classes=3)
    assert batch.target.shape == (2, 3, 32, 32)
    network.loss(batch, seeded(0)).total.backward()
    assert network.decoder.head.weight.grad.abs().amin(dim=(0, 2, 3)).max() > 0


@pytest.mark.parametrize("space", [(32, 32), (32, 32, 32)], ids=["2D", "3D"])
def test_gradients_reach_every_parameter(a_network, a_batch, space):
    network = a_network(spatial_dims=len(space))
    network.loss(a_batch(ALL, *space), seeded(0)).total.backward()
    deaf = {n for n, p in network.named_parameters() if p.grad is None or p.grad.abs().max() == 0}
    # a bias common to all keys cancels in the softmax, so nothing but rounding reaches it
    assert {n for n in deaf if not n.endswith(".k.bias")} == set()


def test_an_absent_modality_gets_no_gradient(a_network, a_batch):
    network = a_network()
    network.loss(a_batch(("CT", "PET"), 32, 32), seeded(0)).total.backward()
    assert all(p.grad is None for p in network.encoders["MR_T1"].parameters())
    assert all(p.grad is not None for p in network.encoders["PET"].parameters())


@pytest.mark.parametrize("off", [(), *[(s,) for s in SWITCHES], SWITCHES], ids=lambda x: "+".join(x) or "none")
@pytest.mark.parametrize("present", [("CT",), ALL], ids="+".join)
def test_every_ablation_runs_and_trains(a_network, a_batch, images, off, present):
    network = a_network(**dict.fromkeys(off, False))
    logits, gates = draw(network, images(present, 32, 32))
    assert logits.shape == (2, 1, 32, 32)
    torch.testing.assert_close(sum(gates.values()), torch.ones(2))
    loss = network.loss(a_batch(present, 32, 32), seeded(0))
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert ("rel" in loss.parts) == ("gating" not in off)
    assert (loss.parts["diff"] == 0) == ("diffusion" in off)


def test_without_diffusion_the_seed_is_of_no_account(a_network, images):
    network, seen = a_network(diffusion=False), images(ALL, 32, 32)
    assert torch.equal(draw(network, seen, 1)[0], draw(network, seen, 2)[0])


def test_without_gating_every_modality_weighs_the_same(a_network, images):
    _, gates = draw(a_network(gating=False), images(ALL, 32, 32))
    assert all(w.tolist() == pytest.approx([1 / 3] * 2) for w in gates.values())


def test_without_transformer_there_is_none(a_network):
    assert not any("transformer" in n for n, _ in a_network(transformer=False).named_parameters())
    assert any("transformer" in n for n, _ in a_network().named_parameters())


@pytest.mark.parametrize("kind", ["eps", "v", "x0"])
def test_runs_in_every_parametrisation(a_network, a_batch, images, kind):
    network = a_network(parametrisation=kind)
    assert torch.isfinite(draw(network, images(ALL, 32, 32))[0]).all()
    assert torch.isfinite(network.loss(a_batch(ALL, 32, 32), seeded(0)).total)


def test_a_silent_denoiser_in_x0_gives_the_diffusion_loss_by_hand(a_network, a_batch):
    """It puts out 0 for every clean token, so L_diff is the mean square of the tokens of each level and modality."""
    network, batch = a_network(parametrisation="x0", lambda_diff=1.0), a_batch(ALL, 32, 32)
    for level in network.levels:
        torch.nn.init.zeros_(level.denoiser.out.weight)
    with torch.no_grad():
        square = torch.stack([z.pow(2).mean() for level in network.encode(batch.images)[2:] for z in level.values()])
        parts = network.loss(batch, seeded(0)).parts
    assert parts["diff"].item() == pytest.approx(square.mean().item(), rel=1e-5)


@pytest.mark.parametrize("settings", [{}, {"spatial_dims": 2, "classes": 3, "diffusion": False}], ids=str)
def test_a_config_survives_json(settings):
    config = Config(**settings, segmentation=losses.SegmentationWeights(boundary=0.7))
    assert Config.from_dict(json.loads(json.dumps(asdict(config)))) == config


def test_is_listed_under_the_name_that_records_use():
    assert network_class("diffufusemed") is DiffuFuseMed
    assert DiffuFuseMed.config_type is Config


def test_predicts_more_memory_for_more_modalities_and_never_less_than_its_weights(a_network):
    network = a_network(spatial_dims=3)
    one, three = (network.memory_bytes(32**3, m) for m in (1, 3))
    assert three > one > 4 * sum(p.numel() for p in network.parameters())


def toy_batch(size, generator, corrupted=None):
    """A bright square seen by two modalities; what is corrupted, (size,) bool each, drowns in noise."""
    if corrupted is None:
        corrupted = {m: torch.rand(size, generator=generator) < 0.3 for m in ("CT", "PET")}
    target = torch.zeros(size, 1, 32, 32)
    for i, (j, k) in enumerate(torch.randint(2, 18, (size, 2), generator=generator).tolist()):
        target[i, 0, j : j + 12, k : k + 12] = 1
    images = {}
    for m, bad in corrupted.items():
        spread = torch.where(bad, 3.0, 0.1).view(-1, 1, 1, 1)
        noisy = target + spread * torch.randn(target.shape, generator=generator)
        images[m] = torch.cat([noisy, torch.ones_like(noisy)], dim=1)
    clean = {m: 1 - bad.float() for m, bad in corrupted.items()}
    return losses.Batch(images, target, torch.full_like(target, 0.2), clean)


@pytest.fixture(scope="module")
def a_trained_network():
    """Some steps on the bright square, where either modality may be the corrupted one."""
    torch.manual_seed(0)
    small = {"spatial_dims": 2, "stem_channels": 8, "channels": (8, 8), "blocks": (1, 1), "heads": (2, 2)}
    small |= {"windows": (4, 4), "summaries": (2, 2), "diffusion_steps": (100, 50), "transformer_blocks": (1, 1)}
    network = DiffuFuseMed(Config(("CT", "PET"), lambda_rel=0.5, **small)).train()
    optimizer, generator = torch.optim.AdamW(network.parameters(), 1e-2), seeded(0)
    for _ in range(70):
        optimizer.zero_grad()
        network.loss(toy_batch(4, generator), generator).total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return network.eval()


@pytest.mark.parametrize("bad", ["CT", "PET"])
def test_once_trained_the_gate_of_a_corrupted_modality_falls(a_trained_network, bad):
    none, all_ = torch.zeros(16, dtype=torch.bool), torch.ones(16, dtype=torch.bool)
    other = "PET" if bad == "CT" else "CT"
    gate = {}
    for label, mask in (("clean", none), ("corrupted", all_)):
        batch = toy_batch(16, seeded(99), {m: mask if m == bad else none for m in ("CT", "PET")})
        gate[label] = draw(a_trained_network, batch.images)[1]
    assert (gate["corrupted"][bad] < gate["clean"][bad] - 0.1).all()
    assert (gate["corrupted"][bad] < gate["corrupted"][other]).all()


def test_once_trained_it_finds_the_lesion_even_when_one_modality_is_corrupted(a_trained_network):
    none, all_ = torch.zeros(16, dtype=torch.bool), torch.ones(16, dtype=torch.bool)
    for corrupted in ({"CT": none, "PET": none}, {"CT": none, "PET": all_}):
        batch = toy_batch(16, seeded(98), corrupted)
        found = draw(a_trained_network, batch.images)[0] > 0
        overlap = 2 * (found * batch.target).sum() / (found.sum() + batch.target.sum())
        assert overlap > 0.8
