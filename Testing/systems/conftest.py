"""The published systems at toy size: two or three dimensions, three levels of eight channels."""

import pytest
import torch
from DiffuFuseMedLib import losses
from DiffuFuseMedLib.systems.diffufusemed.network import Config, DiffuFuseMed

torch.set_num_threads(1)
MODALITIES = ("CT", "PET", "MR_T1")


@pytest.fixture
def a_config():
    """A function of overriding settings: the published system with the fewest channels that group norm takes."""

    def config(**settings):
        small = {"modalities": MODALITIES, "spatial_dims": 2, "stem_channels": 8, "channels": (8, 8, 8)}
        small |= {"blocks": (1, 1, 1), "heads": (2, 2, 2), "transformer_blocks": (1, 1, 1)}
        return Config(**(small | settings))

    return config


@pytest.fixture
def a_network(a_config):
    """A function of overriding settings: the network with weights of a fixed seed, its denoiser no longer silent."""

    def network(**settings):
        torch.manual_seed(0)
        made = DiffuFuseMed(a_config(**settings))
        for level in made.levels:  # starts at zero, which would hide what the diffusion does
            torch.nn.init.normal_(level.denoiser.out.weight, std=0.3)
        return made.eval()

    return network


@pytest.fixture
def images():
    """A function (modalities, *space): two samples of noise, all of it valid."""

    def make(modalities, *space, seed=0):
        generator = torch.Generator().manual_seed(seed)
        noise = {m: torch.randn(2, 1, *space, generator=generator) for m in modalities}
        return {m: torch.cat([x, torch.ones_like(x)], dim=1) for m, x in noise.items()}

    return make


@pytest.fixture
def a_batch(images):
    """A function (modalities, *space): two samples with a box of lesion; one modality of the second is bad."""

    def make(modalities, *space, classes=1):
        label = torch.zeros(2, *space, dtype=torch.long)
        label[(slice(None), *[slice(n // 4, n // 2) for n in space])] = 1
        one_hot = torch.nn.functional.one_hot(label, max(classes, 2)).movedim(-1, 1).float()
        target = one_hot[:, 1:] if classes == 1 else one_hot
        clean = {m: torch.ones(2) for m in modalities}
        clean[modalities[0]] = torch.tensor([1.0, 0.0])
        return losses.Batch(images(modalities, *space), target, torch.full((2, 1, *space), 0.5), clean)

    return make


@pytest.fixture
def a_batch_of_readers(images):
    """A function (present, raters, space): two windows; the first reader draws a box, the second one that is moved, the
    third nothing at all. raters: how many of the three each window has."""

    def make(present=MODALITIES, raters=(3, 3), space=(32, 32)):
        box = torch.zeros(2, 1, *space)
        box[(slice(None), slice(None), *[slice(n // 4, n // 2) for n in space])] = 1
        masks = torch.cat([box, box.roll(space[-1] // 4, dims=-1), torch.zeros_like(box)], dim=1)
        clean = {m: torch.ones(2) for m in present}
        seen = images(present, *space)
        return losses.Batch(seen, box, torch.full_like(box, 0.5), clean, masks, torch.tensor(raters))

    return make
