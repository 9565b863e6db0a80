"""Some slices of Rois."""

import numpy as np
import pytest
from DiffuFuseMedLib.preprocessing.rois import Rois


@pytest.fixture
def rois():
    """Four slices, bone in slice k up to column k; the lesion in slice 2 alone."""
    bone, lesion = np.zeros((4, 5, 6), bool), np.zeros((4, 5, 6), bool)
    for k in range(4):
        bone[k, :, :k] = True
    lesion[2, 1:3, 4:] = True
    return Rois(~bone, bone, lesion, np.ones(bone.shape, bool), "head", {"bone": "by hand"})


def test_a_slice_has_two_axes_and_every_mask(rois):
    one = rois.at(2)
    assert one.inside.shape == (5, 6)
    assert one.bone.sum() == 5 * 2
    assert one.soft.sum() == 5 * 4
    assert one.lesion.sum() == 4
    assert (one.region, one.source) == ("head", {"bone": "by hand"})


def test_some_slices_stay_a_stack(rois):
    two = rois.at(slice(2, 4))
    assert two.inside.shape == (2, 5, 6)
    assert two.bone.sum(axis=(1, 2)).tolist() == [10, 15]
    assert two.lesion.any(axis=(1, 2)).tolist() == [True, False]
