"""Clean images back from denoised latents, by hand."""

import pytest
import torch
from DiffuFuseMedLib.systems.diffufusemed.latent_config import LatentConfig
from DiffuFuseMedLib.systems.diffufusemed.noise import space_to_depth
from DiffuFuseMedLib.systems.diffufusemed.reconstruction import Reconstruction, reconstruction


def image(values, valid=None):
    """(1, 2, 8, 8): one picture of a value, all of it valid or as told."""
    x = torch.full((1, 1, 8, 8), values)
    return torch.cat([x, torch.ones_like(x) if valid is None else valid], dim=1)


def test_is_the_mean_absolute_error_of_the_modalities():
    made = {m: torch.zeros(1, 16, 2, 2) for m in ("CT", "PET")}
    assert reconstruction(made, {"CT": image(1.0), "PET": image(-3.0)}).item() == 2


def test_what_is_right_voxel_by_voxel_is_no_error():
    picture = image(0.0)
    picture[:, :1] = torch.arange(64.0).view(1, 1, 8, 8)
    assert reconstruction({"CT": space_to_depth(picture[:, :1], 4)}, {"CT": picture}).item() == 0


def test_voxels_that_are_not_imaged_do_not_count():
    valid = torch.ones(1, 1, 8, 8)
    valid[..., 4:] = 0
    picture = image(1.0, valid)
    picture[:, :1, :, 4:] = 100
    assert reconstruction({"CT": torch.zeros(1, 16, 2, 2)}, {"CT": picture}).item() == 1


@pytest.mark.parametrize("level", [0, 1, 2])
def test_every_level_s_latents_are_looked_at_and_an_absent_modality_is_made_too(level):
    torch.manual_seed(0)
    config = LatentConfig(spatial_dims=2, latents=4)
    network = Reconstruction(config)
    denoised = [{m: torch.randn(1, 4, 8 // 2**n, 8 // 2**n) for m in config.modalities} for n in range(3)]
    made = network(denoised)
    assert {m: x.shape for m, x in made.items()} == dict.fromkeys(config.modalities, (1, 16, 8, 8))
    denoised[level]["PET"] = denoised[level]["PET"] + 1
    assert not torch.allclose(network(denoised)["PET"], made["PET"])
    assert torch.equal(network(denoised)["CT"], made["CT"])
