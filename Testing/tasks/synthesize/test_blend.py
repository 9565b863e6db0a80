"""How what a network made goes into a case: where, with whose detail, and brought to what was drawn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from DiffuFuseMedLib.metrics.tumor_appearance import Appearance, appearance
from DiffuFuseMedLib.systems.diff4mmlits.tumor_mask import TumorMask
from DiffuFuseMedLib.systems.diff4mmlits.tumor_statistics import Drawn
from DiffuFuseMedLib.tasks.synthesize.blend import blended, window_around
from scipy import ndimage

LOOK = Appearance(suv_max=4.5, suv_mean=3.0, rim_to_center=1.0, t1_contrast=1.2, ct_hu=40.0)
MADE = {"CT": 0.25, "PET": 0.3, "MR_T1": 0.4}  # in the units of scales.py


@pytest.fixture(scope="module")
def body(a_thigh):
    return a_thigh.volumes["CT"].array > -500


@pytest.fixture(scope="module")
def ball(a_thigh):
    """Of 28 mm, its upper end 4 mm below the skin."""
    k, j, i = np.indices(a_thigh.grid.shape)
    return np.linalg.norm([k - 20, j - 15, i - 30], axis=0) < 7


@pytest.fixture(scope="module")
def put(a_synthesizer, body, ball):
    """A function of a case: the arrays with an even tumor in it, by modality."""

    def build(case, anchored=False, look=LOOK):
        window = window_around(case, ball, a_synthesizer)
        size = (a_synthesizer.network.config.autoencoder.window,) * 3
        made = {m: torch.full(size, MADE[m]) for m in case.volumes}
        at = TumorMask(ball, Drawn((28.0, 28.0, 28.0), 36.0, look), (20, 15, 30))
        volumes, _ = blended(case, window, made, at, body, anchored)
        return {m: volume.array for m, volume in volumes.items()}

    return build


def test_what_an_image_does_not_show_and_air_stay_to_the_last_bit(a_thigh, ball, body, put):
    valid = a_thigh.valid["PET"].copy()
    valid[:, :, 32:] = False
    made = put(replace(a_thigh, valid={**a_thigh.valid, "PET": valid}))
    before = {m: volume.array for m, volume in a_thigh.volumes.items()}
    assert (made["PET"] != before["PET"])[ball & valid].all()
    np.testing.assert_array_equal(made["PET"][~valid], before["PET"][~valid])
    assert (made["CT"] != before["CT"])[ball & ~valid].all()
    margin = ndimage.distance_transform_edt(~ball, sampling=a_thigh.grid.spacing_kji_mm) < 12
    assert (margin & ~body).any()
    for m in before:
        np.testing.assert_array_equal(made[m][~body], before[m][~body])


def grain(array, where):
    """How much neighbours in it differ."""
    return np.std(np.diff(array, axis=2)[where[:, :, 1:] & where[:, :, :-1]])


def test_noise_goes_on_through_the_tumor_but_not_through_its_uptake(a_thigh, ball, put):
    inner, made = ndimage.binary_erosion(ball), put(a_thigh)
    shares = {m: grain(made[m], inner) / grain(a_thigh.volumes[m].array, inner) for m in ("CT", "MR_T1")}
    assert min(shares.values()) > 0.4, shares
    uptake = float(made["PET"][inner].mean() / a_thigh.volumes["PET"].array[inner].mean())
    assert grain(made["PET"], inner) / grain(a_thigh.volumes["PET"].array, inner) < 0.25 * uptake


def test_no_edge_of_what_was_there_shines_through(a_thigh, ball, put):
    array = a_thigh.volumes["CT"].array.copy()
    array[20, 15, 30] += 1500
    clip = replace(a_thigh, volumes={**a_thigh.volumes, "CT": a_thigh.volumes["CT"].with_array(array)})
    inner = ndimage.binary_erosion(ball)
    assert np.ptp(put(clip)["CT"][inner]) < 120


@pytest.mark.parametrize("rim_to_center", [0.6, 1.7])
def test_center_rim_and_peak_are_brought_to_what_was_drawn(a_thigh, ball, body, put, rim_to_center):
    look = replace(LOOK, rim_to_center=rim_to_center)
    made = put(a_thigh, True, look)
    seen = appearance(made, a_thigh.valid, ball, body, a_thigh.grid.spacing_kji_mm)
    assert (seen.rim_to_center > 1.05) == (rim_to_center > 1) and (seen.rim_to_center < 0.95) == (rim_to_center < 1)
    assert seen.suv_max == pytest.approx(4.5, rel=0.1) and seen.suv_mean == pytest.approx(3.0, rel=0.1)


def test_no_part_of_a_tumor_is_without_uptake_however_hot_its_peak(a_thigh, ball, put):
    pet = put(a_thigh, anchored=True, look=replace(LOOK, suv_max=15.0, rim_to_center=2.5))["PET"]
    assert pet[ball].min() > 0.05
    assert pet[ball].max() > 2 * pet[ball].mean()
