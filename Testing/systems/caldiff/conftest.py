"""CalDiff at toy size."""

import pytest
import torch
from DiffuFuseMedLib.systems.caldiff.config import Config
from DiffuFuseMedLib.systems.caldiff.network import CalDiff


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
