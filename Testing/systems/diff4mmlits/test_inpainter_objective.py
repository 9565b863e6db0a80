"""The objective: each network is reached by its own parts alone, and only what is healthy is learned."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_objective import (
    Discriminator,
    InpainterTraining,
    InpainterWeights,
)
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_slices import SliceSettings, draw_slices

DECEIVING, DISCERNING = ("hole", "known", "adversarial", "features"), ("discriminator", "penalty")
ALWAYS = InpainterWeights(penalized=1.0)


@pytest.fixture
def training(inpainter):
    return InpainterTraining(inpainter, ALWAYS)


@pytest.fixture
def batch(some_slices):
    settings = SliceSettings(size=32, drop_one=0.0, drop_two=0.0)
    return draw_slices([some_slices], 6, settings, torch.Generator().manual_seed(0))


def reached(training, part):
    """Which of its two networks have a gradient of this part of the loss."""
    training.zero_grad()
    if part.requires_grad:
        part.backward(retain_graph=True)
    return {n.split(".")[0] for n, p in training.named_parameters() if p.grad is not None and p.grad.any()}


def test_each_part_reaches_its_own_network(training, batch):
    parts = training.loss(batch, torch.Generator()).parts
    assert set(parts) == {*DECEIVING, *DISCERNING}
    for name in DECEIVING:
        assert reached(training, parts[name]) == {"inpainter"}, name
    for name in DISCERNING:
        assert reached(training, parts[name]) == {"discriminator"}, name


def test_all_parts_are_finite_and_weighted(training, batch, inpainter):
    torch.manual_seed(0)
    parts = training.loss(batch, torch.Generator()).parts
    assert all(p.ndim == 0 and torch.isfinite(p) and p >= 0 for p in parts.values())
    for name in ("hole", "known", "adversarial", "features", "penalty"):
        doubled = InpainterTraining(inpainter, replace(ALWAYS, **{name: 2 * getattr(ALWAYS, name)}))
        doubled.load_state_dict(training.state_dict())
        other = doubled.loss(batch, torch.Generator()).parts
        assert float(other[name].detach()) == pytest.approx(2 * float(parts[name].detach()), rel=1e-3)


def test_lesions_are_neither_seen_nor_learned(training, batch):
    """Another lesion, the same loss."""
    assert batch.lesion.any()
    images = {m: x.clone() for m, x in batch.images.items()}
    for x in images.values():
        x[:, :1][batch.lesion > 0] = 7.0
    one, other = (training.eval().loss(b, torch.Generator()) for b in (batch, replace(batch, images=images)))
    for name in one.parts:
        assert torch.equal(one.parts[name], other.parts[name]), name


def test_the_loss_in_the_hole_is_the_mean_error_there(training, batch):
    training.eval()
    truth, told = batch.truth(training.inpainter.config.modalities)
    blind = torch.clamp(batch.hole + batch.lesion, max=1)
    error = (training.inpainter.fill(batch.images, blind) - truth).abs()
    where = (told * batch.hole) > 0
    found = training.loss(batch, torch.Generator()).parts["hole"].detach()
    assert float(found) == pytest.approx(float(error[where].mean().detach()), rel=1e-5)


def test_the_discriminator_sees_patches_and_halves_at_each_level():
    logits, features = Discriminator(3, (4, 8, 8))(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 1, 4, 4) and [f.shape[-1] for f in features] == [16, 8, 4]


def test_only_patches_with_a_filled_pixel_are_called_filled(training, batch):
    """A discriminator that calls everything real errs by as much as there are filled patches."""
    with torch.no_grad():
        for p in training.discriminator.parameters():
            p.zero_()
        training.discriminator.last.bias.fill_(8.0)
    empty = replace(batch, hole=torch.zeros_like(batch.hole))
    told = [float(training.loss(b, torch.Generator()).parts["discriminator"].detach()) for b in (batch, empty)]
    share = torch.nn.functional.adaptive_max_pool2d(batch.hole, 2).mean()
    assert told[0] == pytest.approx(8.0 * float(share), rel=0.02) and told[1] < 0.01


@pytest.mark.parametrize(("logit", "wanted"), [(8.0, 0.0), (-8.0, 8.0)])
def test_the_inpainter_wants_its_pictures_called_real(training, batch, logit, wanted):
    with torch.no_grad():
        for p in training.discriminator.parameters():
            p.zero_()
        training.discriminator.last.bias.fill_(logit)
    told = float(training.loss(batch, torch.Generator()).parts["adversarial"].detach())
    assert told == pytest.approx(ALWAYS.adversarial * wanted, abs=1e-3)


def test_the_penalty_is_drawn_on_a_share_of_batches_and_the_same_on_average(inpainter, batch):
    training = InpainterTraining(inpainter, InpainterWeights(penalized=0.25)).eval()
    generator = torch.Generator().manual_seed(0)
    penalties = torch.stack([training.loss(batch, generator).parts["penalty"].detach() for _ in range(60)])
    always = InpainterTraining(inpainter, ALWAYS).eval()
    always.load_state_dict(training.state_dict())
    wanted = float(always.loss(batch, generator).parts["penalty"].detach())
    assert 0.1 < float((penalties > 0).float().mean()) < 0.4
    assert float(penalties.max()) == pytest.approx(4 * wanted, rel=1e-4)
