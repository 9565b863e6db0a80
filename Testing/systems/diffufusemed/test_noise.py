"""One field of noise for a volume: unit size at every level, and the same where windows overlap."""

import pytest
import torch
from DiffuFuseMedLib.systems.diffufusemed.latent_config import LatentConfig
from DiffuFuseMedLib.systems.diffufusemed.noise import (
    draw_field,
    field_channels,
    latent_noise,
    reader_noise,
    space_to_depth,
)

CONFIG = LatentConfig()


@pytest.fixture
def field():
    return draw_field((2, field_channels(CONFIG), 48, 64, 64), torch.Generator().manual_seed(0), torch.zeros(1))


@pytest.mark.parametrize("level", [0, 1, 2])
def test_every_level_gets_standard_normal_noise_of_its_size(field, level):
    stride = 4 * 2**level
    latents, reader = latent_noise(field, level, CONFIG), reader_noise(field, level, CONFIG)
    space = tuple(n // stride for n in field.shape[2:])
    assert {m: x.shape for m, x in latents.items()} == dict.fromkeys(CONFIG.modalities, (2, CONFIG.latents, *space))
    assert reader.shape == (2, CONFIG.reader_channels, *space)
    for x in (*latents.values(), reader):
        assert abs(x.mean()) < 0.2
        assert x.std() == pytest.approx(1, abs=0.15)


def test_modalities_do_not_share_their_noise(field):
    latents = latent_noise(field, 0, CONFIG)
    assert abs(torch.corrcoef(torch.stack([latents["CT"].flatten(), latents["PET"].flatten()]))[0, 1]) < 0.05


@pytest.mark.parametrize("draw", [reader_noise, lambda *x: latent_noise(*x)["PET"]], ids=["reader", "latents"])
def test_windows_that_overlap_see_the_same_noise(field, draw):
    whole, part = draw(field, 1, CONFIG), draw(field[:, :, 16:, :32, 32:], 1, CONFIG)
    torch.testing.assert_close(whole[:, :, 2:, :4, 4:], part)


def test_readers_of_coarse_levels_are_those_of_finer_ones_from_further_away(field):
    fine, coarse = (reader_noise(field, level, CONFIG) for level in (1, 2))
    seen = torch.nn.functional.avg_pool3d(fine, 2) * 2**1.5
    torch.testing.assert_close(seen, coarse, atol=1e-4, rtol=1e-4)


def test_the_voxels_below_a_position_become_its_channels():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert space_to_depth(x, 2)[0, :, 0, 1].tolist() == [2, 3, 6, 7]
