"""The band about the predicted border: nested, and as wide as the coverage asks."""

from itertools import pairwise

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics import coverage
from DiffuFuseMedLib.uncertainty import contours, critical_widths, smallest_width, uncertainty
from scipy.ndimage import gaussian_filter

SPACING_MM = (3.0, 2.0, 2.0)


@pytest.fixture
def patients():
    """Six (reference, labels, doubt): smooth blobs, and what a network that errs by some voxels says of them."""

    def patient(seed):
        rng = np.random.default_rng(seed)
        field = gaussian_filter(rng.standard_normal((24, 32, 32)), (2, 3, 3), mode="wrap")
        error = gaussian_filter(rng.standard_normal((24, 32, 32)), (2, 3, 3), mode="wrap")
        k, j, i = np.indices(field.shape)
        ball = 1 - np.sqrt(((k - 12) / 8) ** 2 + ((j - 16) / 11) ** 2 + ((i - 16) / 11) ** 2)
        logits = 8 * ball + 40 * field
        probability = 1 / (1 + np.exp(-(logits + 40 * error)))
        labels = probability > 0.5
        return logits > 0, labels, uncertainty(probability)

    return [patient(seed) for seed in range(6)]


def test_doubt_is_the_logit_away_from_the_border_by_hand():
    np.testing.assert_allclose(uncertainty(np.array([0.5, 0.8, 0.2, 0.9])), np.log([1, 4, 4, 9]), rtol=1e-5, atol=1e-7)


def test_doubt_of_a_certain_voxel_is_finite():
    assert np.isfinite(uncertainty(np.array([0.0, 1.0]))).all()


def test_inner_lies_within_labels_and_labels_within_outer(patients):
    for _, labels, doubts in patients:
        inner, outer = contours(labels, doubts, 1.0)
        assert not (inner & ~labels).any()
        assert not (labels & ~outer).any()
        assert inner.sum() < labels.sum() < outer.sum()


def test_the_band_grows_with_its_width(patients):
    _, labels, doubts = patients[0]
    pairs = [contours(labels, doubts, width) for width in (0.0, 0.5, 1.0, 2.0, 1e9)]
    for (inner, outer), (wider_inner, wider_outer) in pairwise(pairs):
        assert not (wider_inner & ~inner).any()
        assert not (outer & ~wider_outer).any()
        assert wider_outer.sum() > outer.sum()
    assert not pairs[-1][0].any()
    assert pairs[-1][1].all()


def test_a_border_that_agrees_needs_no_width(patients):
    _, labels, doubts = patients[0]
    assert not critical_widths(labels, labels, doubts).any()


def test_a_border_one_voxel_off_needs_that_voxels_doubt():
    """A row: labels hold 0..2, the reference 0..4; its border, between 4 and 5, first meets the band at voxel 4."""
    labels, reference = np.zeros((2, 2, 8), bool), np.zeros((2, 2, 8), bool)
    labels[..., :3], reference[..., :5] = True, True
    doubts = np.broadcast_to(np.array([3, 2, 1, 1, 2, 3, 4, 5.0]), labels.shape)
    assert critical_widths(reference, labels, doubts).tolist() == [2.0]


@pytest.mark.parametrize("axis", range(3))
def test_in_a_single_slice_the_border_is_its_outline(axis):
    """The same row, four pixels high: three cells between columns 4 and 5, and no face of the slice among them."""
    labels, reference = np.zeros((4, 8), bool), np.zeros((4, 8), bool)
    labels[:, :3], reference[:, :5] = True, True
    doubts = np.broadcast_to(np.array([3, 2, 1, 1, 2, 3, 4, 5.0]), labels.shape)
    slices = (np.expand_dims(array, axis) for array in (reference, labels, doubts))
    assert critical_widths(*slices).tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("drawn", [np.zeros((4, 5, 6), bool), np.ones((4, 5, 6), bool)])
def test_a_patient_without_a_border_has_no_width(drawn):
    critical = critical_widths(drawn, drawn, np.ones(drawn.shape))
    with pytest.raises(InputError, match=r"^Given a patient whose drawn lesion has no border"):
        smallest_width([np.ones(3), critical], 0.95)


def test_the_smallest_width_is_a_mean_over_patients_not_over_surface():
    """Patient one needs 1 everywhere, patient two 2 on half of its (much smaller) surface: 75 % at width 1."""
    critical = [np.full(1000, 1.0), np.array([1.0, 2.0])]
    assert smallest_width(critical, 0.75) == 1.0
    assert smallest_width(critical, 0.76) == pytest.approx(2.0, abs=0.01)


def test_the_smallest_width_may_be_none_at_all():
    assert smallest_width([np.zeros(10), np.zeros(4)], 0.95) == 0.0


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_fitted_width_covers_what_it_promises(patients, level):
    critical = [critical_widths(*p) for p in patients]
    width = smallest_width(critical, level)
    counted = np.mean([(c <= width).mean() for c in critical])
    assert level <= counted < level + 0.01
    areas = [coverage(r, *contours(labels, doubts, width), SPACING_MM) for r, labels, doubts in patients]
    assert np.mean(areas) == pytest.approx(level, abs=0.02)
    narrower = [coverage(r, *contours(labels, doubts, width / 2), SPACING_MM) for r, labels, doubts in patients]
    assert np.mean(narrower) < level - 0.05
