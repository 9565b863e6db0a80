"""MedFusion-TransNet at toy size."""

import pytest
import torch
from DiffuFuseMedLib.systems.medfusion_transnet.config import Config
from DiffuFuseMedLib.systems.medfusion_transnet.network import MedFusionTransNet

TINY = {"channels": (8, 8, 16), "convs": (1, 1, 1), "bottleneck": 8, "token_channels": 16, "heads": 2, "states": 2}
TINY |= {"transformer_blocks": 1, "token_grid": 3}


@pytest.fixture
def a_network():
    """A function of overriding settings: three levels of as few channels as can be, two dimensions."""

    def network(**settings):
        torch.manual_seed(0)
        return MedFusionTransNet(Config(**({"spatial_dims": 2} | TINY | settings))).eval()

    return network
