"""The average calibration error, by hand."""

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.losses.average_calibration import average_calibration


def logit(*probabilities):
    p = torch.tensor(probabilities)
    return torch.log(p / (1 - p))


def test_of_two_bins_each_counts_alike_however_many_voxels_it_holds():
    """Nine voxels at 0.1, none of them lesion: off by 0.1. One at 0.7 that is: off by 0.3."""
    logits = logit(*[0.1] * 9, 0.7).view(1, 1, 10)
    target = torch.tensor([0.0] * 9 + [1.0]).view(1, 1, 10)
    assert float(average_calibration(logits, target)) == pytest.approx(0.2, abs=1e-5)


def test_what_is_as_sure_as_it_is_right_costs_nothing():
    logits = logit(0.25, 0.25, 0.25, 0.25).view(1, 1, 4)
    assert float(average_calibration(logits, torch.tensor([1.0, 0, 0, 0]).view(1, 1, 4))) == pytest.approx(0, abs=1e-6)
    assert float(average_calibration(logits, torch.tensor([1.0, 1, 1, 0]).view(1, 1, 4))) == pytest.approx(0.5)


def test_each_sample_is_judged_by_itself():
    """Two that are wrong either way do not make up for each other."""
    logits = logit(0.5, 0.5, 0.5, 0.5).view(2, 1, 2)
    target = torch.tensor([1.0, 1, 0, 0]).view(2, 1, 2)
    assert float(average_calibration(logits, target)) == pytest.approx(0.5)


def test_of_several_classes_each_is_a_softmax_channel():
    """Probabilities 0.8, 0.1, 0.1 of three classes and the second is right: off by 0.8, 0.9 and 0.1."""
    logits = torch.log(torch.tensor([0.8, 0.1, 0.1])).view(1, 3, 1)
    target = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1)
    assert float(average_calibration(logits, target)) == pytest.approx(np.mean([0.8 - 0, 0.9, 0.1]), abs=1e-5)


def test_descending_it_makes_what_is_too_sure_less_so():
    logits = logit(0.9, 0.9, 0.9, 0.9).view(1, 1, 4).requires_grad_()
    average_calibration(logits, torch.tensor([1.0, 0, 0, 1]).view(1, 1, 4)).backward()
    assert (logits.grad > 0).all() and logits.grad.isfinite().all()
