"""Training cases: the shipped patient, and a small scan whose lesion no mirror or turn maps on itself."""

from pathlib import Path

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.training.dataset import TrainingCase
from DiffuFuseMedLib.training.windows import WindowSettings
from scipy.ndimage import distance_transform_edt, gaussian_filter

torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parents[2]
SPACING = (3.0, 2.0, 2.0)


@pytest.fixture
def a_scan():
    """20 x 28 x 24 voxels of 3 x 2 x 2 mm; CT shows the lesion itself, PET twice that less a half; all valid."""
    lesion = np.zeros((20, 28, 24), dtype=np.float32)
    lesion[8:11, 10:20, 9:12] = 1
    lesion[8:14, 10:13, 9:17] = 1
    inside = lesion > 0.5
    distance = np.maximum(*[distance_transform_edt(x, sampling=SPACING) for x in (inside, ~inside)])
    soft = torch.nn.functional.threshold(torch.from_numpy(gaussian_filter(lesion, 0.7)), 0.05, 0)
    valid = torch.ones(lesion.shape)
    images = {"CT": torch.stack([soft, valid]), "PET": torch.stack([2 * soft - 0.5, valid])}
    return TrainingCase("arrow", images, soft, torch.from_numpy(distance.astype(np.float32)), SPACING)


@pytest.fixture
def plain():
    """A function of overriding settings: windows of the scan's spacing that neither turn nor change an intensity."""

    def settings(**changed):
        still = {"shape": (16, 16, 16), "spacing_kji_mm": SPACING, "margin_mm": (6.0, 14.0), "zoom": (1.0, 1.0)}
        still |= {"rotation_degrees": (0.0, 0.0, 0.0), "gain": 0.0, "shift": 0.0, "noise": 0.0, "corrupt": 0.0}
        still |= {"drop_one": 0.0, "drop_two": 0.0, "whole_scan": 0.0, "overview": 0.0}
        return WindowSettings(**(still | changed))

    return settings
