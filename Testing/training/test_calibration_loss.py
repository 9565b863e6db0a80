"""The average calibration error around a network's loss, and what a checkpoint goes with."""

from dataclasses import replace

import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.losses import Batch, Losses
from DiffuFuseMedLib.losses.average_calibration import average_calibration
from DiffuFuseMedLib.tasks.segment.recipes import RECIPES
from DiffuFuseMedLib.training.calibration_loss import calibrated
from DiffuFuseMedLib.training.identity import identity


def a_batch(**told):
    target = (torch.arange(8.0) > 3).float().view(1, 1, 2, 2, 2)
    return Batch(images={}, target=target, distance=target, clean={}, **told)


def test_it_is_one_more_part_of_what_the_network_says():
    asked, logits, batch = [], torch.linspace(-2, 1, 8).view(1, 1, 2, 2, 2), a_batch()

    def loss(*given):
        asked.append(given)
        return Losses({"own": torch.ones(())}, logits)

    said = calibrated(loss, 0.5)(batch, "generator", "teacher")
    assert asked == [(batch, "generator", "teacher")]
    assert said.parts["ace"] == 0.5 * average_calibration(logits, batch.target) > 0
    assert (set(said.parts), said.prediction is logits) == ({"own", "ace"}, True)


def test_of_several_readers_it_is_the_share_of_them():
    """One of two readers marks every voxel, and the network says one half; the target is the one reader's."""
    masks = torch.stack([torch.ones(2, 2, 2), torch.zeros(2, 2, 2)])[None]
    batch = replace(a_batch(references=masks, raters=torch.tensor([2])), target=masks[:, :1])
    said = calibrated(lambda *_: Losses({}, torch.zeros(1, 1, 2, 2, 2)), 1.0)(batch)
    assert float(said.parts["ace"]) == pytest.approx(0, abs=1e-6)


def test_a_network_that_tells_no_prediction_is_refused():
    with pytest.raises(InputError, match="the average calibration error of a network whose loss tells no prediction"):
        calibrated(lambda *_: Losses({"own": torch.ones(())}), 1.0)(None)


def test_what_was_begun_before_there_was_such_a_part_goes_on():
    recipe = RECIPES["sts-segresnet"]
    plain, weighed = (identity(replace(recipe, ace=weight), []) for weight in (0.0, 1.0))
    assert "ace" not in plain["recipe or setting"]
    assert plain["recipe or setting"] != weighed["recipe or setting"]
