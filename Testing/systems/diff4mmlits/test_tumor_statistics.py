"""The joint distribution of size, depth and appearance, and what is drawn from it."""

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.metrics.tumor_appearance import Appearance
from DiffuFuseMedLib.systems.diff4mmlits.tumor_statistics import TumorStatistics, features


@pytest.fixture
def statistics(some_tumors):
    fitted = TumorStatistics(3)
    fitted.fit(some_tumors)
    return fitted


def draws(statistics, count=400):
    rng = np.random.default_rng(0)
    return [statistics.draw(rng) for _ in range(count)]


def test_what_is_drawn_lies_where_the_patients_lie(statistics, some_tumors):
    real = np.stack([features(c.semi_axes_mm, c.depth_mm, c.look) for c in some_tumors])
    made = np.stack([features(d.semi_axes_mm, d.depth_mm, d.look) for d in draws(statistics)])
    assert (made >= real.min(axis=0) - 1e-3).all() and (made <= real.max(axis=0) + 1e-3).all()
    assert np.allclose(np.median(made, axis=0), real.mean(axis=0), atol=0.6 * real.std(axis=0).max())


def test_what_goes_together_in_patients_is_drawn_together(statistics, some_tumors):
    sizes, uptakes = zip(*((c.semi_axes_mm[0], c.look.suv_mean) for c in some_tumors), strict=True)
    assert np.corrcoef(sizes, uptakes)[0, 1] > 0.9
    made = draws(statistics)
    assert np.corrcoef([d.semi_axes_mm[0] for d in made], [d.look.suv_mean for d in made])[0, 1] > 0.5


def test_axes_fall_and_the_peak_is_no_less_than_the_mean(statistics):
    for drawn in draws(statistics, 50):
        a, b, c = drawn.semi_axes_mm
        assert a >= b >= c > 0 and drawn.look.suv_max >= drawn.look.suv_mean > 0


def test_the_mean_is_zero_and_the_unknown_too(statistics, some_tumors):
    z = statistics.standardised([c.look for c in some_tumors])
    assert z.shape == (4, 5) and torch.allclose(z.mean(dim=0), torch.zeros(5), atol=1e-3)
    unknown = Appearance(np.nan, np.nan, np.nan, np.nan, np.nan)
    assert not statistics.standardised([unknown]).any()


def test_one_patient_is_no_distribution(some_tumors):
    with pytest.raises(InputError, match="single training patient"):
        TumorStatistics(3).fit(some_tumors[:1])


def test_what_lies_beyond_the_ends_is_drawn_again_not_moved_to_them():
    for drawn in draws(TumorStatistics(3), 20):  # of mean 0 and spread 1, between -1 and 1
        free = np.log([drawn.semi_axes_mm[0], drawn.depth_mm, drawn.look.suv_mean, drawn.look.t1_contrast])
        assert np.abs(free).max() < 1 - 1e-9
