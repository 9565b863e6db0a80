"""A small inpainter, and slices of a round body with a lesion."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.systems.diff4mmlits.autoencoder import AutoencoderConfig
from DiffuFuseMedLib.systems.diff4mmlits.inpainter import Inpainter, InpainterConfig
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_slices import training_slices
from DiffuFuseMedLib.systems.diff4mmlits.synthesizer import SynthesizerConfig, TumorSynthesizer
from DiffuFuseMedLib.systems.diff4mmlits.tumor_windows import tumor_case

SMALL = InpainterConfig(channels=(4, 8), blocks=1, spacing_mm=4.0, window_px=32)


@pytest.fixture
def inpainter():
    torch.manual_seed(0)
    return Inpainter(SMALL)


@pytest.fixture(scope="session")
def a_body():
    """A cylinder of muscle in air, 120 mm wide, with a bone and a lesion; MR without its last columns of voxels."""
    shape = (6, 80, 76)
    grid = Grid(shape[::-1], (2.0, 2.0, 4.0))
    k, j, i = np.indices(shape)
    body, bone = np.hypot(j - 40, i - 38) < 30, np.hypot(j - 52, i - 38) < 5
    lesion = (np.hypot(j - 28, i - 38) < 8) & (k > 2)
    noise = np.random.default_rng(0).standard_normal((3, *shape))
    arrays = {
        "CT": np.where(body, 50 + 10 * noise[0], -1000) + 600 * bone + 20 * lesion,
        "PET": np.where(body, 1.0 + 0.05 * noise[1], 0.02) + 8 * lesion,
        "MR_T1": np.where(body, 300 + 20 * noise[2], 2) + 200 * lesion,
    }
    volumes = {m: Volume(a.astype(np.float32), grid, m) for m, a in arrays.items()}
    valid = {m: np.ones(shape, bool) for m in volumes}
    valid["MR_T1"][..., 56:] = False
    return Case("body", grid, "CT", volumes, valid, reference_mask=Volume(lesion.astype(np.uint8), grid))


@pytest.fixture(scope="session")
def some_slices(a_body):
    return training_slices(a_body, SMALL.modalities, SMALL.spacing_mm)


@pytest.fixture(scope="session")
def some_tumors(a_body):
    """Four patients whose tumors differ in size and uptake."""
    cases = []
    for number in range(4):
        radius, (k, j, i) = 7 + number, np.indices(a_body.grid.shape)
        lesion = (np.hypot(j - 30, i - 34) < radius) & (k > 0) & (k < 5)
        volumes = dict(a_body.volumes)
        pet = np.where(lesion, 3.0 + 2 * number, 1.0) + 0.01 * i + (lesion & (np.hypot(j - 30, i - 34) < 3))
        volumes["PET"] = volumes["PET"].with_array(pet.astype(np.float32))
        mask = Volume(lesion.astype(np.uint8), a_body.grid)
        cases.append(replace(a_body, name=f"p{number}", volumes=volumes, reference_mask=mask))
    return [tumor_case(case, SMALL.modalities, 4.0) for case in cases]


@pytest.fixture(scope="session")
def tiny():
    """Settings of a synthesizer of 16 voxels a side."""
    space = AutoencoderConfig(channels=(8,), latent=3, codes=16, window=16)
    return SynthesizerConfig(space, channels=(8, 8), groups=4, steps=20, sampler_steps=3)


@pytest.fixture
def synthesizer(tiny, some_tumors):
    torch.manual_seed(0)
    network = TumorSynthesizer(tiny)
    network.statistics.fit(some_tumors)
    return network.eval()
