"""A small case stack and a small series of flat pictures, both with every kind of mask."""

import numpy as np
import pytest
from DiffuFuseMedLib.training.fusion.crops import CropSettings
from DiffuFuseMedLib.training.fusion.stacks import Stack
from scipy.ndimage import gaussian_filter


@pytest.fixture
def a_stack():
    """A function (name, ...): 6 x 40 x 44 voxels, smooth pictures, bone left, lesion middle, MRI not valid right."""

    def make(name="one", seed=0, **others):
        shape, rng = (6, 40, 44), np.random.default_rng(seed)
        smooth = [gaussian_filter(rng.random(shape), 1.5).astype(np.float32) for _ in range(3)]
        mri, *cts = ((x - x.min()) / np.ptp(x) * 0.8 + 0.2 for x in smooth)
        masks = np.zeros((4, *shape), bool)
        masks[1, ..., :12], masks[0, ..., 12:], masks[3, ..., :36] = True, True, True
        masks[2, 2:4, 14:26, 16:30] = True
        return Stack(name, mri * masks[3], tuple(cts), masks, (3.0, 1.0, 1.0), **others)

    return make


@pytest.fixture
def plain():
    """A function of overriding settings: crops of 32 pixels that neither turn, scale, grade nor jitter."""

    def settings(**changed):
        still = {"size": 32, "zoom": (1.0, 1.0), "rotation_degrees": 0.0, "jittered": -1.0, "gain": 0.0, "roi_px": 0}
        return CropSettings(**(still | changed))

    return settings
