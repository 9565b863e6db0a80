"""The latent diffusion: what it is told, what it is not shown, and that its seed decides."""

import pytest
import torch
from DiffuFuseMedLib.systems.diff4mmlits.autoencoder import holed
from DiffuFuseMedLib.systems.diff4mmlits.synthesizer import SynthesizerConfig, TumorSynthesizer
from DiffuFuseMedLib.systems.diff4mmlits.tumor_windows import WindowSettings, draw_windows, margin_weight


@pytest.fixture
def batch(some_tumors):
    return draw_windows(some_tumors, 2, WindowSettings(size=16, drop=0.0), torch.Generator().manual_seed(0))


def sample(synthesizer, batch, looks, seed=0, **told):
    with torch.inference_mode():
        return synthesizer.sample(batch.images, batch.lesion, looks, torch.Generator().manual_seed(seed), **told)


def test_settings_come_back_from_json_and_every_weight_has_a_stage(synthesizer, tiny):
    from dataclasses import asdict

    assert SynthesizerConfig.from_dict(asdict(tiny)) == tiny
    stages = {name.split(".")[0] for name in synthesizer.state_dict()}
    assert stages == set(TumorSynthesizer.stages)


def test_every_modality_is_drawn_from_a_seed(synthesizer, batch, some_tumors):
    looks = [c.look for c in some_tumors[:2]]
    one, again, other = (sample(synthesizer, batch, looks, seed) for seed in (0, 0, 1))
    assert set(one) == {"CT", "PET", "MR_T1"} and one["CT"].shape == (2, 1, 16, 16, 16)
    assert all(torch.equal(one[m], again[m]) for m in one) and not torch.equal(one["CT"], other["CT"])


def test_the_condition_holds_mask_and_look_and_nothing_of_what_lies_below(synthesizer, batch, some_tumors):
    looks = synthesizer.statistics.standardised([c.look for c in some_tumors[2:]])
    condition, weight = synthesizer.condition(batch.images, batch.lesion, looks)
    assert condition.shape == (2, 3 + 2 + 5, 8, 8, 8) and weight.shape == (2, 1, 8, 8, 8)
    lesion = condition[:, 3:4]
    assert torch.allclose(condition[:, 5:], looks[:, :, None, None, None] * lesion)
    hole = (margin_weight(batch.lesion) > 0).float()
    hidden, _ = synthesizer.condition(holed(batch.images, hole), batch.lesion, looks)
    assert torch.equal(condition, hidden)


def test_as_many_steps_are_taken_as_are_told(synthesizer, batch, some_tumors):
    shares = []
    sample(synthesizer, batch, [c.look for c in some_tumors[:2]], steps=5, tell=shares.append)
    assert len(shares) == 5 and synthesizer.config.sampler_steps != 5


def test_a_miss_far_from_the_tumor_weighs_a_tenth(synthesizer, batch, some_tumors, monkeypatch):
    looks = synthesizer.statistics.standardised([some_tumors[int(n)].look for n in batch.case])
    weight = synthesizer.condition(batch.images, batch.lesion, looks)[1]

    def loss(where):
        monkeypatch.setattr(synthesizer, "_output", lambda noisy, condition, t: 1e4 * where.expand_as(noisy))
        return float(synthesizer.objective(batch, looks, torch.Generator().manual_seed(0)).total / where.sum())

    assert loss((weight == 0).float()) == pytest.approx(0.1 * loss((weight == 1).float()), rel=0.02)


def test_the_loss_reaches_the_denoiser_and_spares_the_autoencoder(synthesizer, batch, some_tumors):
    synthesizer.autoencoder.requires_grad_(False)
    looks = synthesizer.statistics.standardised([some_tumors[int(n)].look for n in batch.case])
    loss = synthesizer.objective(batch, looks, torch.Generator().manual_seed(0)).total
    loss.backward()
    assert torch.isfinite(loss) and all(p.grad is None for p in synthesizer.autoencoder.parameters())
    assert any(p.grad is not None and p.grad.any() for p in synthesizer.denoiser.parameters())


def test_latent_and_decoded_are_each_others_inverse_up_to_the_codebook(synthesizer, batch):
    synthesizer.statistics.latent_mean.fill_(0.3)
    synthesizer.statistics.latent_sd.fill_(2.0)
    with torch.inference_mode():
        straight = synthesizer.autoencoder.decode(synthesizer.autoencoder.encode(batch.images))
        back = synthesizer.decoded(synthesizer.latent(batch.images))
    assert all(torch.allclose(back[m], straight[m], atol=1e-4) for m in back)


def test_a_stop_is_heard_between_two_steps(synthesizer, batch, some_tumors):
    heard = []

    def tell(share):
        heard.append(share)
        if len(heard) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        sample(synthesizer, batch, [c.look for c in some_tumors[:2]], tell=tell)
    assert heard[0] == 0.0 and 0 < heard[1] < 1
