"""A model folder with an untrained inpainter."""

import pytest
import torch
from DiffuFuseMedLib.models import zoo
from DiffuFuseMedLib.systems.diff4mmlits.inpainter import Inpainter, InpainterConfig


@pytest.fixture(scope="session")
def inpainters(tmp_path_factory):
    """A models folder with "tiny-inpainter"."""
    folder = tmp_path_factory.mktemp("inpainters")
    torch.manual_seed(0)
    config = InpainterConfig(channels=(4, 8), blocks=1, spacing_mm=4.0, window_px=32)
    facts = {"id": "tiny-inpainter", "system": "diff4mmlits-inpainter", "window": {}, "licence": "none"}
    zoo.save(Inpainter(config), facts, folder / "tiny-inpainter")
    return folder


@pytest.fixture(scope="session")
def an_inpainter(inpainters):
    return zoo.load("tiny-inpainter", folder=inpainters)
