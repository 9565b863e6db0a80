"""DiffuFuseMed on few latents: what its diffusion changes, whom its loss teaches, and draws that differ by reader."""

import pytest
import torch
from DiffuFuseMedLib.losses import Batch
from DiffuFuseMedLib.systems.diffufusemed.latent import LatentDiffuFuseMed, mean_logit, two_references
from DiffuFuseMedLib.systems.diffufusemed.latent_config import LatentConfig
from DiffuFuseMedLib.systems.diffufusemed.noise import draw_field
from DiffuFuseMedLib.tasks.segment.contract import EncodesModalities, SamplesWholeVolume
from DiffuFuseMedLib.training.after import LearnsFromAverage
from DiffuFuseMedLib.training.state import moving_average
from torch.optim.swa_utils import AveragedModel

ALL = ("CT", "PET", "MR_T1")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def a_network():
    """A function of overriding settings: the fewest channels that group norm takes, a denoiser that is not silent."""

    def network(**settings):
        small = {"spatial_dims": 2, "full_channels": 8, "stem_channels": 8, "channels": (8, 8, 8), "latents": 4}
        small |= {"blocks": (1, 1, 1), "heads": (2, 2, 2), "denoiser": (8, 8), "reader_channels": 2}
        torch.manual_seed(0)
        made = LatentDiffuFuseMed(LatentConfig(**(small | settings)))
        for level in made.resolutions:
            torch.nn.init.normal_(level.denoiser.leave.weight, std=0.3)
        return made.eval()

    return network


@torch.no_grad()
def draw(network, images, seed=0, gating=True):
    first = next(iter(images.values()))
    noise = draw_field((first.shape[0], network.noise_channels, *first.shape[2:]), seeded(seed), first)
    inputs = network.encode(images)
    return network.sample(lambda noisy, t: network.denoise(noisy, inputs, t), noise, None, gating)


def test_keeps_the_contracts_that_it_is_meant_to(a_network):
    network = a_network()
    assert isinstance(network, SamplesWholeVolume)
    assert isinstance(network, EncodesModalities)
    assert isinstance(network, LearnsFromAverage)


@pytest.mark.parametrize("space", [(32, 48), (16, 32, 16)], ids=str)
@pytest.mark.parametrize("present", [ALL, ("PET",), ("CT", "MR_T1")], ids="+".join)
def test_answers_at_the_size_of_the_window_with_the_gates_of_what_is_there(a_network, images, space, present):
    drawn = draw(a_network(spatial_dims=len(space)), images(present, *space))
    assert drawn.logits.shape == (2, 1, *space)
    assert torch.isfinite(drawn.logits).all()
    assert tuple(drawn.gates) == present
    torch.testing.assert_close(sum(drawn.gates.values()), torch.ones(2))


def test_gating_off_weighs_all_alike(a_network, images):
    gates = draw(a_network(), images(ALL, 32, 32), gating=False).gates
    assert [float(w.mean()) for w in gates.values()] == pytest.approx([1 / 3] * 3)


def test_one_seed_one_draw_and_another_seed_another(a_network, images):
    network, seen = a_network(), images(ALL, 32, 32)
    first, again, other = (draw(network, seen, s).logits for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_what_is_fused_is_what_was_denoised(a_network, images):
    """A denoiser that is not asked, or not listened to, would change nothing."""
    network, seen = a_network(), images(ALL, 32, 32)
    before = draw(network, seen).logits
    for level in network.resolutions:
        saved = level.denoiser.leave.bias.detach().clone()
        torch.nn.init.constant_(level.denoiser.leave.bias, 1.0)
        assert not torch.allclose(draw(network, seen).logits, before)
        level.denoiser.leave.bias.data = saved
    torch.testing.assert_close(draw(network, seen).logits, before)


def test_an_absent_modality_is_denoised_from_the_others(a_network, images):
    """What the denoiser makes of a missing PET follows the CT that is there."""
    network = a_network()
    with torch.no_grad():
        made = []
        for seed in (0, 1):
            seen = images(("CT",), 32, 32, seed=seed)
            field = draw_field((2, network.noise_channels, 32, 32), seeded(0), seen["CT"])
            made.append(network._denoised(network.encode(seen), field, None)[0][0]["PET"])
    assert not torch.allclose(*made)


def test_a_finer_level_hears_what_the_coarser_one_made(a_network, images):
    network, seen = a_network(), images(ALL, 32, 32)
    field = draw_field((2, network.noise_channels, 32, 32), seeded(0), seen["CT"])
    with torch.no_grad():
        inputs = network.encode(seen)
        before = network._denoised(inputs, field, None)
        inputs[-1] = {m: z + 1 for m, z in inputs[-1].items()}
        after = network._denoised(inputs, field, None)
    for level in (0, 1):
        assert not torch.allclose(before[level][0]["PET"], after[level][0]["PET"])


def test_present_modalities_start_earlier_than_absent_ones(a_network):
    for level in a_network().resolutions:
        times = level.times({"CT": torch.zeros(1)}, torch.tensor([0.25]))
        assert int(times["CT"]) == max(1, round(0.25 * level.steps))
        assert int(times["PET"]) == level.steps


def test_the_levels_have_chains_of_their_own_length(a_network):
    assert [level.steps for level in a_network().resolutions] == [100, 50, 25]
    assert all(level.abar[-1] <= 1e-3 for level in a_network().resolutions)


def test_of_an_absent_modality_nothing_but_noise_enters(a_network):
    level = a_network().resolutions[0]
    noise = {m: torch.randn(1, 4, 8, 8, generator=seeded(i)) for i, m in enumerate(ALL)}
    noisy = level.noised({"CT": torch.ones(1, 4, 8, 8)}, noise, {m: torch.tensor([1]) for m in ALL})
    assert torch.equal(noisy["PET"], noise["PET"])
    torch.testing.assert_close(noisy["CT"], torch.ones(1, 4, 8, 8), atol=0.2, rtol=0.2)


def test_a_perfect_denoiser_gives_back_the_latents(a_network):
    """DDIM with the v that belongs to the clean latents ends at them, for the present and for the absent."""
    level = a_network().resolutions[0]
    clean = {m: torch.randn(1, 4, 8, 8, generator=seeded(i)) for i, m in enumerate(ALL)}

    def oracle(noisy, shares, context):
        abar = {m: level.abar[(s * level.steps).round().long()].view(-1, 1, 1, 1) for m, s in shares.items()}
        return {m: (abar[m].sqrt() * z - clean[m]) / (1 - abar[m]).sqrt() for m, z in noisy.items()}

    level.denoiser.forward = oracle
    noise = {m: torch.randn(1, 4, 8, 8, generator=seeded(9 + i)) for i, m in enumerate(ALL)}
    made = level.denoise({m: clean[m] for m in ("CT", "PET")}, noise, None)
    for m in ALL:
        torch.testing.assert_close(made[m], clean[m], atol=2e-2, rtol=0)


def test_the_reader_alone_changes_the_drawing(a_network, images):
    network, seen = a_network(), images(ALL, 32, 32)
    with torch.no_grad():
        fields = [draw_field((2, network.noise_channels, 32, 32), seeded(s), seen["CT"]) for s in (1, 2)]
        fields[1][:, : -network.config.reader_channels] = fields[0][:, : -network.config.reader_channels]
        inputs = network.encode(seen)
        one, other = (network.denoise(f, inputs, True) for f in fields)
        silent = a_network(readers=False)
        alike = [silent.denoise(f, silent.encode(seen), True) for f in fields]
    assert (one[:, 0] - other[:, 0]).abs().max() > 1e-3
    torch.testing.assert_close(*alike)


@pytest.fixture
def whole_batch(images, a_batch):
    """Every modality corrupted in what is seen, clean in the originals; PET is not seen; two references."""

    def make(present=("CT", "MR_T1"), references=True):
        batch = a_batch(present, 32, 32)
        originals = images(ALL, 32, 32, seed=5)
        masks = torch.cat([batch.target, batch.target.roll(2, dims=2)], dim=1) if references else None
        return Batch(
            {m: originals[m] + 0.5 for m in present}, batch.target, batch.distance, batch.clean, masks,
            None, (), originals,
        )  # fmt: skip

    return make


def test_the_objective_is_the_sum_of_its_named_parts(a_network, whole_batch):
    loss = a_network().loss(whole_batch(), seeded(0))
    assert set(loss.parts) == {"bce", "dice", "boundary", "coarse", "energy", "diff", "recon", "align", "rel"}
    assert loss.total.item() == pytest.approx(sum(part.item() for part in loss.parts.values()), rel=1e-5)
    assert loss.prediction.shape == (2, 1, 32, 32)


def test_pre_training_needs_no_drawn_lesion(a_network, whole_batch):
    batch, network = whole_batch(), a_network(segment=False)
    first = network.loss(batch, seeded(0))
    batch.target = 1 - batch.target
    assert set(first.parts) == {"diff", "recon"}
    assert network.loss(batch, seeded(0)).total.item() == first.total.item()


def test_latents_are_denoised_towards_those_of_the_teacher_on_clean_and_complete_images(a_network, whole_batch):
    network, batch = a_network(), whole_batch()
    asked = []

    class Teacher:
        def encode(self, images):
            asked.append(images)
            return network.encode(images)

    before = network.loss(batch, seeded(0), Teacher()).parts["diff"].item()
    assert tuple(asked[0]) == ALL
    assert all(torch.equal(asked[0][m], batch.originals[m]) for m in ALL)
    batch.originals = {m: x.flip(2) for m, x in batch.originals.items()}
    assert network.loss(batch, seeded(0), Teacher()).parts["diff"].item() != before


def test_the_diffusion_loss_is_the_distance_to_the_teacher(a_network, whole_batch):
    """With what was denoised as the target it is nothing; with its negative, four times its square."""
    network, batch = a_network(lambda_diff=1.0), whole_batch()
    kept = {}
    parts = network._diffusion_parts

    def spy(fused, targets, seen):
        own = [{m: z.detach() for m, z in level.items()} for level in fused.denoised]
        kept["same"] = parts(fused, own, seen)["diff"].item()
        kept["negated"] = parts(fused, [{m: -z for m, z in x.items()} for x in own], seen)["diff"].item()
        kept["square"] = torch.stack([(z**2).mean() for x in own for z in x.values()]).mean().item()
        return parts(fused, targets, seen)

    network._diffusion_parts = spy
    network.loss(batch, seeded(0))
    assert kept["same"] == 0
    assert kept["negated"] == pytest.approx(4 * kept["square"], rel=1e-4)


def test_no_gradient_reaches_the_teacher(a_network, whole_batch):
    network, teacher = a_network(), a_network()
    network.loss(whole_batch(), seeded(0), teacher).total.backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert all(p.grad is not None for p in network.encoders["CT"].parameters())
    assert all(p.grad is None for p in network.encoders["PET"].parameters())


def test_training_draws_the_time_anew(a_network, whole_batch):
    network, batch, seen = a_network(), whole_batch(), []
    level = network.resolutions[0]
    original = level.clean

    def spy(noisy, t, context):
        seen.append(t["CT"])
        return original(noisy, t, context)

    level.clean = spy
    for seed in range(6):
        network.loss(batch, seeded(seed))
    assert len({tuple(t.tolist()) for t in seen}) == 6


def test_draws_and_references_are_paired_for_the_energy(a_network, whole_batch):
    """Two draws of one window that differ, against both annotators."""
    network, batch = a_network(lambda_energy=1.0), whole_batch()
    one = network.loss(batch, seeded(0)).parts["energy"].item()
    batch.references = batch.references.flip(1)
    assert network.loss(batch, seeded(0)).parts["energy"].item() == pytest.approx(one, rel=1e-4)
    batch.references = torch.zeros_like(batch.references)
    assert network.loss(batch, seeded(0)).parts["energy"].item() != pytest.approx(one, rel=1e-3)


def test_the_two_draws_of_a_window_are_of_two_readers(a_network, whole_batch):
    """Draws of one reader would leave nothing between them, and the energy would be a mere distance."""
    network, seen = a_network(), []
    original = network._decode

    def spy(fused, field):
        logits, coarse = original(fused, field)
        seen.append(logits.detach())
        return logits, coarse

    network._decode = spy
    network.loss(whole_batch(), seeded(0))
    first, second = seen[0].chunk(2)
    assert not torch.allclose(first, second)


def test_clean_images_are_reconstructed_not_the_corrupted_ones(a_network, whole_batch):
    network, batch = a_network(), whole_batch()
    before = network.loss(batch, seeded(0)).parts["recon"].item()
    batch.originals = {m: x + 1 for m, x in batch.originals.items()}
    assert network.loss(batch, seeded(0)).parts["recon"].item() != pytest.approx(before, rel=1e-3)


def test_the_times_reach_the_keys_of_the_fusion(a_network):
    """T differs among the modalities, so that in the keys of (15) it does not cancel."""
    level, plain = (a_network(time_conditioned=on).resolutions[0] for on in (True, False))
    denoised = {m: torch.randn(2, 4, 8, 8, generator=seeded(i)) for i, m in enumerate(ALL)}
    weights = {m: torch.full((2,), 1 / 3) for m in ALL}
    times = [{"CT": torch.full((2,), t), "PET": torch.full((2,), 100), "MR_T1": torch.full((2,), 5)} for t in (1, 90)]
    with torch.no_grad():
        one, other = (level.fuse(denoised, weights, t) for t in times)
        alike = [plain.fuse(denoised, weights, t) for t in times]
    assert not torch.allclose(one, other)
    assert torch.equal(*alike)


def test_trust_looks_at_what_denoising_changed(a_network):
    """Eq. (11): a modality that had to be changed much is another than one that was left as it was."""
    level = a_network().resolutions[0]
    latents = {"CT": torch.randn(2, 4, 8, 8, generator=seeded(0))}
    texture = {"CT": torch.zeros(2, 7)}
    changes = [torch.randn(2, 4, 8, 8, generator=seeded(1)) * size for size in (0.1, 3.0)]
    with torch.no_grad():
        little, much = (level.trust(latents, {"CT": latents["CT"] + x}, texture)["CT"] for x in changes)
        again = level.trust(latents, {"CT": latents["CT"] + 0.1 + changes[0]}, texture)["CT"]
    assert not torch.allclose(little, much)
    torch.testing.assert_close(little, again)  # how far it varies counts, not what it is


def test_one_reference_stands_for_both(whole_batch):
    first, second = two_references(whole_batch(references=False))
    assert torch.equal(first, second)
    first, second = two_references(whole_batch())
    assert not torch.equal(first, second)


def test_the_mean_of_two_probabilities_as_a_logit():
    a, b = torch.tensor([-3.0, 0.0, 40.0]), torch.tensor([2.0, 0.0, 41.0])
    expected = (a.sigmoid() + b.sigmoid()) / 2
    torch.testing.assert_close(mean_logit(a, b).sigmoid(), expected)
    assert torch.isfinite(mean_logit(a, b)).all()


def test_the_usual_size_of_latents_follows_only_in_training(a_network, whole_batch):
    network = a_network()
    network.loss(whole_batch(), seeded(0))
    assert (network.resolutions[0].sizes["CT"].mean == 0).all()
    network.train().loss(whole_batch(), seeded(0))
    assert (network.resolutions[0].sizes["CT"].mean != 0).any()
    assert (network.resolutions[0].sizes["PET"].mean == 0).all()


def test_the_skips_are_weighed_by_the_gates_too(a_network, images):
    """A modality whose gate is closed reaches neither the map at full size nor the stem."""
    network, seen = a_network(gate_sharpness=200.0), images(ALL, 32, 32)
    for level in network.resolutions:
        for m, bias in (("CT", 5.0), ("PET", -5.0), ("MR_T1", 5.0)):
            last = level.judge(m).phi[-1]
            torch.nn.init.zeros_(last.weight)
            torch.nn.init.constant_(last.bias, bias)
    inputs = network.encode(seen)
    field = draw_field((2, network.noise_channels, 32, 32), seeded(0), seen["CT"])
    skips = network._fuse(inputs, field).skips
    other = [{**level} for level in inputs]
    other[0]["PET"], other[1]["PET"] = other[0]["PET"] + 3, other[1]["PET"] - 3
    for before, after in zip(skips, network._fuse(other, field).skips, strict=True):
        torch.testing.assert_close(before, after, atol=1e-4, rtol=1e-4)


def test_says_how_well_it_denoises_what_is_there_and_what_is_not(a_network, images):
    told = a_network().denoising(images(("CT", "PET"), 32, 32), seeded(0))
    levels = [f"level {n}" for n in range(3)]
    assert set(told) == {*levels, *(f"{level}, without {m}" for level in levels for m in ("CT", "PET"))}
    silent = a_network()
    for level in silent.resolutions:
        torch.nn.init.zeros_(level.denoiser.leave.weight)
    untrained = silent.denoising(images(("CT", "PET"), 64, 64), seeded(0))
    assert min(untrained[level] for level in levels) > 0.9
    assert a_network(diffusion=False).denoising(images(("CT",), 32, 32), seeded(0)) == {}


def test_training_makes_it_tell_an_absent_modality_from_the_other():
    """Pre-training on smooth images of which one is the other's negative."""
    small = {"spatial_dims": 2, "full_channels": 8, "stem_channels": 8, "channels": (8,), "blocks": (1,), "heads": (2,)}
    small |= {"windows": (4,), "summaries": (2,), "transformer_blocks": (1,), "diffusion_steps": (20,), "latents": 4}
    small |= {"denoiser": (16, 16), "reader_levels": (), "segment": False, "modalities": ("CT", "PET")}
    torch.manual_seed(0)
    network = LatentDiffuFuseMed(LatentConfig(**small)).train()
    teacher = AveragedModel(network, multi_avg_fn=moving_average(0.9))
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], 3e-3)

    def a_window(seed, present):
        coarse = torch.nn.functional.interpolate(torch.randn(4, 1, 4, 4, generator=seeded(seed)), 16, mode="bilinear")
        originals = {m: torch.cat([s * coarse, torch.ones_like(coarse)], dim=1) for m, s in (("CT", 1), ("PET", -1))}
        target = torch.zeros(4, 1, 16, 16)
        return Batch({m: originals[m] for m in present}, target, target, {}, originals=originals)

    for step in range(70):
        batch = a_window(step, (("CT",), ("PET",), ("CT", "PET"))[step % 3])
        loss = network.loss(batch, seeded(step), teacher.module).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        teacher.update_parameters(network)
    told = teacher.module.eval().denoising(a_window(1000, ("CT", "PET")).images, seeded(0))
    assert told["level 0, without PET"] < 0.85
