"""One 2D pair: sizes, what is refused, and the flag that tells a tracer from a CT."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.tasks.fuse import FusionSettings

SETTINGS = FusionSettings(samples=2)


@pytest.fixture
def pictures():
    """A function of a shape: two different gray pictures."""

    def make(*shape):
        return np.random.default_rng(0).random((2, *shape), np.float32)

    return make


@pytest.mark.parametrize("shape", [(16, 16), (16, 61), (37, 50), (64, 32)])
def test_a_pair_of_any_size_becomes_a_picture(a_fuser, pictures, rois_of, shape):
    fused = a_fuser.picture(*pictures(*shape), rois_of(shape), SETTINGS)
    assert fused.image.shape == fused.uncertainty.shape == shape
    assert 0 <= fused.image.min() < fused.image.max() <= 1
    assert 0 <= fused.uncertainty.min() < fused.uncertainty.max() <= 1


def test_the_first_picture_is_the_ct_and_the_second_the_mri(a_fuser, pictures, rois_of):
    a, b = pictures(32, 32)
    one, other = (a_fuser.picture(*x, rois_of((32, 32)), SETTINGS).image for x in ((a, b), (b, a)))
    assert np.abs(one - other).mean() > 0.01
    pair = a_fuser.opened_picture(a, b, rois_of((32, 32)))
    for n in range(3):  # a single picture stands in for its neighbors
        assert np.array_equal(pair.ct[0, n], a) and np.array_equal(pair.mri[0, n], b)


def test_a_tracer_is_fused_in_its_own_way(a_fuser, pictures, rois_of):
    ct, tracer = (a_fuser.picture(*pictures(32, 32), rois_of((32, 32)), SETTINGS, tracer=t) for t in (False, True))
    assert np.abs(ct.image - tracer.image).max() > 1e-3


def test_the_sliders_act(a_fuser, pictures, rois_of):
    a_pair = (*pictures(32, 32), rois_of((32, 32)))
    for name in ("alpha", "beta", "gamma"):
        low, high = (a_fuser.picture(*a_pair, FusionSettings(**{name: at})).image for at in (0.0, 1.0))
        assert np.abs(low - high).max() > 1e-3


@pytest.mark.parametrize(
    ("ct", "mri", "rois", "words"),
    [
        ((20, 20), (20, 21), (20, 20), "register them first"),
        ((2, 20, 20), (2, 20, 20), (20, 20), "register them first"),
        ((20, 15), (20, 15), (20, 15), "take larger ones"),
        ((20, 20), (20, 20), (20, 24), "ROIs of"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(a_fuser, rois_of, ct, mri, rois, words):
    with pytest.raises(InputError, match=words):
        a_fuser.picture(np.zeros(ct, np.float32), np.zeros(mri, np.float32), rois_of(rois), SETTINGS)
