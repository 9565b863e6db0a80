"""An optimization that steers sampling: windows go to where the last predictions were wrong."""

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.training.checkpoint import Checkpoints
from DiffuFuseMedLib.training.loop import RunContext
from DiffuFuseMedLib.training.stopping import TrainingStoppedError
from DiffuFuseMedLib.training.windows import draw_batch, voxels_of


class Errors:
    """A toy of region-guided optimization: a voxel is a window's center as often as it was predicted wrongly."""

    def __init__(self, case, settings, cases=1):
        self.case, self.settings, self.count = case, settings, cases
        self.weights = torch.full(case.lesion.shape, 1e-3)

    def case_weights(self, count):
        return torch.nn.functional.one_hot(torch.tensor(count - 1), count).float()

    def voxel_weights(self, case):
        return self.weights

    def update(self, batch, prediction):
        wrong = (torch.sigmoid(prediction) - batch.target).abs()[:, 0]
        for place, error in zip(batch.places, wrong, strict=True):
            where = voxels_of(place, self.case.spacing_kji_mm, self.settings).round().astype(int).reshape(3, -1)
            inside = ((where >= 0) & (where < np.array(self.weights.shape)[:, None])).all(axis=0)
            self.weights[tuple(where[:, inside])] = error.flatten()[torch.from_numpy(inside)] ** 4

    def state_dict(self):
        return {"weights": self.weights}

    def load_state_dict(self, state):
        self.weights = state["weights"].clone()


@pytest.fixture
def settings(plain):
    return plain(shape=(8, 8, 8))


@pytest.fixture
def a_steered_stage(a_stage, a_toy, a_scan, settings):
    """A function of steps: a toy network that says "no lesion" everywhere, so that the lesion is where it is wrong."""

    def stage(steps):
        network = a_toy()
        torch.nn.init.zeros_(network.layer.weight)
        torch.nn.init.constant_(network.layer.bias, -4.0)
        return a_stage(network, windows=settings, feedback=Errors(a_scan, settings), steps=steps, learning_rate=1e-6)

    return stage


def lesion_shown(case, settings, feedback):
    """Mean share of lesion at the centers of 120 windows."""
    batch = draw_batch([case], 120, settings, torch.Generator().manual_seed(5), feedback)
    return float((batch.target[:, :, 3:5, 3:5, 3:5] > 0.5).float().mean())


def test_windows_go_to_where_the_last_predictions_were_wrong(a_steered_stage, a_scan, settings, go):
    stage = a_steered_stage(steps=100)
    assert lesion_shown(a_scan, settings, stage.feedback) < 0.01
    go(stage)
    assert lesion_shown(a_scan, settings, stage.feedback) > 0.09


def test_feedback_decides_which_cases_are_drawn(a_scan, settings):
    batch = draw_batch([a_scan, a_scan, a_scan], 6, settings, torch.Generator(), Errors(a_scan, settings))
    assert [place.case for place in batch.places] == [2] * 6


def test_feedback_goes_on_with_its_run(a_steered_stage, go, stopping_at, tmp_path):
    unbroken = a_steered_stage(steps=6)
    go(unbroken)
    with pytest.raises(TrainingStoppedError):
        go(a_steered_stage(steps=6), stopping_at("toy, step 3", checkpoints=Checkpoints(tmp_path / "toy")))
    resumed = a_steered_stage(steps=6)
    go(resumed, RunContext(checkpoints=Checkpoints(tmp_path / "toy", resume=True)))
    assert torch.equal(resumed.feedback.weights, unbroken.feedback.weights)
    assert torch.equal(resumed.network.layer.weight, unbroken.network.layer.weight)
