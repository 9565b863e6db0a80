"""Training cases: the shipped patient, and a small scan whose lesion no mirror or turn maps on itself."""

from pathlib import Path

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.losses import Losses
from DiffuFuseMedLib.training.dataset import TrainingCase
from DiffuFuseMedLib.training.loop import RunContext, optimize
from DiffuFuseMedLib.training.optimization import Optimization
from DiffuFuseMedLib.training.samplers import windows_of
from DiffuFuseMedLib.training.state import Stage
from DiffuFuseMedLib.training.windows import WindowSettings
from scipy.ndimage import distance_transform_edt, gaussian_filter

from Testing.fixtures.stop_at import StopAt

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


class Toy(torch.nn.Module):
    """The smallest segmenter: one convolution of the CT with its mask, in two or three dimensions."""

    def __init__(self, dimensions=3, channels=2, modality="CT"):
        super().__init__()
        self.modality = modality
        self.layer = (torch.nn.Conv2d if dimensions == 2 else torch.nn.Conv3d)(channels, 1, 3, padding=1)

    def loss(self, batch, generator=None):
        logits = self.layer(batch.images[self.modality])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), batch.target)
        return Losses({"bce": loss}, logits)


@pytest.fixture
def a_toy():
    """A function of the toy's settings: the same toy network every time."""

    def toy(**settings):
        torch.manual_seed(0)
        return Toy(**settings)

    return toy


@pytest.fixture
def a_stage(a_toy, a_scan, plain):
    """A function of overriding settings: a stage of the toy network on the scan, six steps of a window of 8 voxels."""

    def stage(network=None, name="toy", cases=(a_scan,), windows=None, feedback=None, **settings):
        network = network or a_toy()
        told = {"learning_rate": 1e-2, "weight_decay": 1e-2, "warmup": 2, "ema": 0.8, "clip": 1.0, "steps": 6}
        sampler = windows_of(list(cases), 2, windows or plain(shape=(8, 8, 8), zoom=(0.8, 1.2)), feedback)
        return Stage(name, network, sampler, network.loss, Optimization(**{**told, **settings}), feedback)

    return stage


@pytest.fixture
def stopping_at():
    """A function (words, **others): where a run takes place that is stopped as soon as its progress tells the words."""

    def context(words, **others):
        stop = StopAt(words)
        return RunContext(progress=stop.progress, stop=stop, **others)

    return context


@pytest.fixture
def go():
    """A function (stage, context): train by a fresh generator; returns Trained."""
    return lambda stage, context=None: optimize(stage, torch.Generator().manual_seed(0), context)
