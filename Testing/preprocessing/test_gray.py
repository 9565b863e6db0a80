"""What a reader would see: HU windows, 8-bit CT, MR percentiles, and black where nothing is known."""

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.volume import Volume
from DiffuFuseMedLib.preprocessing.gray import ct_gray, mr_gray

SHAPE = (2, 3, 4)


@pytest.fixture
def volume():
    """A function of values: a volume [2, 3, 4] that begins with them and goes on with the last."""

    def make(*values):
        array = np.full(SHAPE, values[-1], np.float32)
        array.flat[: len(values)] = values
        return Volume(array, Grid(SHAPE[::-1]))

    return make


EVERYWHERE = np.ones(SHAPE, bool)
NOT_THE_FIRST = EVERYWHERE.copy()
NOT_THE_FIRST.flat[0] = False


def test_a_window_is_linear_and_clipped(volume):
    gray = ct_gray(volume(-1000, -160, 340, 840, 3000), EVERYWHERE, (-160, 840))
    assert gray.dtype == np.float32
    assert gray.flat[:5].tolist() == [0, 0, 0.5, 1, 1]


def test_another_window_is_another_picture(volume):
    assert ct_gray(volume(-1000, 100), EVERYWHERE, (0, 200)).flat[1] == 0.5


def test_a_ct_of_8_bit_gray_is_scaled_and_not_windowed(volume):
    assert ct_gray(volume(0, 51, 255), EVERYWHERE, (-160, 840)).flat[:3].tolist() == pytest.approx([0, 0.2, 1])


def test_a_ct_of_gray_from_0_to_1_stays(volume):
    assert ct_gray(volume(0, 0.25, 0.5), EVERYWHERE, (-160, 840)).flat[:3].tolist() == [0, 0.25, 0.5]


@pytest.mark.parametrize("unknown", [np.nan, 4000.0, -np.inf])
def test_what_lies_outside_the_field_of_view_does_not_count(volume, unknown):
    for gray in (
        ct_gray(volume(unknown, 51, 0, 255), NOT_THE_FIRST, (-160, 840)),
        mr_gray(volume(unknown, 51, 0, 255), NOT_THE_FIRST),
    ):
        known = gray[NOT_THE_FIRST]
        assert gray.flat[0] == 0
        assert known.max() == pytest.approx(1) and known.flat[0] == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_value_is_ever_other_than_0_to_1(volume, bad):
    for gray in (
        ct_gray(volume(bad, -500, 100), EVERYWHERE, (-160, 840)),
        mr_gray(volume(bad, 100, 3), EVERYWHERE),
        mr_gray(volume(bad), EVERYWHERE),
    ):
        assert gray.min() >= 0 and gray.max() <= 1


def test_an_mr_goes_from_air_to_its_bright_tissue():
    array = np.zeros((1, 100, 100), np.float32)
    array[0, 50:] = np.linspace(100, 1000, 5000).reshape(50, 100)
    array[0, 99, 95:] = 1e5  # a hot spot, 0.1 % of the tissue
    gray = mr_gray(Volume(array, Grid((100, 100, 1))), np.ones(array.shape, bool))
    assert gray[0, :50].max() == 0
    assert gray[0, 75, 0] == pytest.approx(550 / 1000, abs=0.02)
    assert gray[0, 99, 99] == 1


@pytest.mark.parametrize("value", [0.0, -3.0, 7.0])
def test_a_flat_mr_is_a_picture_too(volume, value):
    gray = mr_gray(volume(value), EVERYWHERE)
    assert np.isfinite(gray).all() and gray.min() == gray.max()


def test_an_mr_that_is_valid_nowhere_is_black(volume):
    assert mr_gray(volume(5.0), ~EVERYWHERE).max() == 0


def test_the_scale_of_an_mr_does_not_matter(volume):
    array = np.random.default_rng(0).gamma(2, 100, SHAPE).astype(np.float32)
    one, other = (mr_gray(Volume(s * array, Grid(SHAPE[::-1])), EVERYWHERE) for s in (1, 40))
    assert np.allclose(one, other, atol=1e-6)
