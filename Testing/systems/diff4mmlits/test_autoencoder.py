"""The autoencoder: one latent for all modalities, a codebook that is used, and losses that reach whom they should."""

import pytest
import torch
from DiffuFuseMedLib.systems.diff4mmlits.autoencoder import TumorAutoencoder, holed, values_of
from DiffuFuseMedLib.systems.diff4mmlits.autoencoder_objective import AutoencoderTraining, AutoencoderWeights
from DiffuFuseMedLib.systems.diff4mmlits.tumor_windows import WindowSettings, draw_windows


@pytest.fixture
def autoencoder(tiny):
    torch.manual_seed(0)
    return TumorAutoencoder(tiny.autoencoder)


@pytest.fixture
def batch(some_tumors):
    settings = WindowSettings(size=16, drop=0.0)
    return draw_windows(some_tumors, 2, settings, torch.Generator().manual_seed(0))


def test_every_modality_comes_back_from_one_latent_of_half_the_voxels(autoencoder, batch):
    z = autoencoder.encode(batch.images)
    assert z.shape == (2, 3, 8, 8, 8) and autoencoder.factor == 2
    made = autoencoder.decode(z)
    assert {m: x.shape for m, x in made.items()} == dict.fromkeys(("CT", "PET", "MR_T1"), (2, 1, 16, 16, 16))


def test_a_hole_is_not_seen(autoencoder, batch):
    hole = torch.zeros(2, 1, 16, 16, 16)
    hole[..., 4:9] = 1
    other = {m: x + 5 * hole for m, x in batch.images.items()}
    seen = [autoencoder.encode(holed(x, hole)) for x in (batch.images, other)]
    assert torch.equal(*seen)
    assert not torch.equal(autoencoder.encode(other), seen[0])


def test_codes_that_nobody_takes_move_to_latents_that_there_are(autoencoder, batch):
    z = autoencoder.encode(batch.images)
    codebook = autoencoder.vqvae.quantizer.quantizer
    assert autoencoder.revive_codes(z, torch.Generator().manual_seed(0)) == 16
    voxels = z.movedim(1, -1).reshape(-1, 3)
    assert (torch.cdist(codebook.embedding.weight, voxels).amin(dim=1) < 1e-5).all()
    before = codebook.embedding.weight.clone()
    codebook.ema_cluster_size[3] = 0.1
    assert autoencoder.revive_codes(z, torch.Generator().manual_seed(1)) == 1
    moved = (codebook.embedding.weight != before).any(dim=1)
    assert moved.nonzero().tolist() == [[3]]


def test_the_parts_reach_only_those_they_are_for(autoencoder, batch):
    training = AutoencoderTraining(autoencoder, AutoencoderWeights(holes=0.0)).train()
    parts = training.loss(batch, torch.Generator().manual_seed(0)).parts
    parts["discriminator"].backward(retain_graph=True)
    assert all(p.grad is None for p in autoencoder.parameters())
    own = list(training.discriminator.parameters())
    assert any(p.grad is not None and p.grad.any() for p in own)
    training.zero_grad(set_to_none=True)
    parts["adversarial"].backward()
    assert all(p.grad is None for p in own) and any(p.grad is not None for p in autoencoder.parameters())


def test_what_is_not_valid_is_not_learned(autoencoder, batch):
    training = AutoencoderTraining(autoencoder, AutoencoderWeights(holes=0.0)).eval()
    generator = lambda: torch.Generator().manual_seed(0)  # noqa: E731
    training.loss(batch, generator())  # the first moves the codebook
    one = training.loss(batch, generator()).parts
    _, told = values_of(batch.images, ("CT", "PET", "MR_T1"))
    assert not told.all()
    made = autoencoder.vqvae.decode

    def wrong_where_nothing_is_known(z):
        return made(z) + 100 * (1 - told)

    autoencoder.vqvae.decode = wrong_where_nothing_is_known
    other = training.loss(batch, generator()).parts
    assert all(torch.allclose(other[name], one[name]) for name in one)


def test_a_step_of_training_leaves_no_code_unused(autoencoder, batch):
    training = AutoencoderTraining(autoencoder, AutoencoderWeights()).train()
    training.loss(batch, torch.Generator().manual_seed(0))
    assert autoencoder.vqvae.quantizer.quantizer.ema_cluster_size.min() > 0.5
