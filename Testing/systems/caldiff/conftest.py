"""CalDiff at toy size."""

import pytest
import torch
from DiffuFuseMedLib.losses import Batch
from DiffuFuseMedLib.systems.caldiff.config import Config
from DiffuFuseMedLib.systems.caldiff.network import CalDiff

ALL = ("CT", "PET", "MR_T1")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def a_network():
    """A function of overriding settings: the fewest channels that group norm takes, a denoiser that is not silent."""

    def network(**settings):
        small = {"spatial_dims": 2, "channels": (8, 8, 8, 8), "blocks": (1, 1, 1, 1), "denoiser": (8, 8, 8)}
        small |= {"diffusion_steps": 20, "beta_last": 0.4, "sampler_steps": 5, "pyramid": (8, 8)}
        torch.manual_seed(0)
        made = CalDiff(Config(**(small | settings)))
        torch.nn.init.normal_(made.denoiser.leave.weight, std=0.3)
        return made.eval()

    return network


@pytest.fixture
def a_batch_of_readers(images):
    """A function (present, raters, space): two windows; the first reader draws a box, the second one that is moved, the
    third nothing at all. raters: how many of the three each window has."""

    def make(present=ALL, raters=(3, 3), space=(32, 32)):
        box = torch.zeros(2, 1, *space)
        box[(slice(None), slice(None), *[slice(n // 4, n // 2) for n in space])] = 1
        masks = torch.cat([box, box.roll(space[-1] // 4, dims=-1), torch.zeros_like(box)], dim=1)
        clean = {m: torch.ones(2) for m in present}
        seen = images(present, *space)
        return Batch(seen, box, torch.full_like(box, 0.5), clean, masks, torch.tensor(raters))

    return make
