"""A small inpainter, and slices of a round body with a lesion."""

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.case import Case
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.systems.diff4mmlits.inpainter import Inpainter, InpainterConfig
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_slices import training_slices

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
