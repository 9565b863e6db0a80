"""Numbers of a tumor whose voxels are known."""

import numpy as np
import pytest
from DiffuFuseMedLib.metrics.tumor_appearance import Appearance, appearance

SPACING = (2.0, 2.0, 2.0)


@pytest.fixture
def a_tumor():
    """A ball of radius 10 voxels with a cold center, in a body that is a larger one."""
    far = np.linalg.norm(np.indices((33, 33, 33)) - 16, axis=0)
    tumor, body = far <= 10, far <= 14
    pet = np.where(tumor, 6.0, 1.0)
    pet[far < 4] = 2.0
    pet[16, 16, 7] = 9.0
    images = {"PET": pet, "MR_T1": np.where(tumor, 300.0, 200.0), "CT": np.where(tumor, 40.0, -100.0)}
    return images, {m: np.ones(far.shape, bool) for m in images}, tumor, body


def test_uptake_necrosis_and_contrast_of_a_known_ball(a_tumor):
    images, valid, tumor, body = a_tumor
    images["MR_T1"][~body] = 0.0  # air beyond the skin is no tissue around
    look = appearance(images, valid, tumor, body, SPACING)
    assert look.suv_max == 9.0 and look.ct_hu == 40.0 and look.suv_mean == images["PET"][tumor].mean()
    assert look.rim_to_center == pytest.approx(3.0, rel=0.1) and look.t1_contrast == pytest.approx(1.5)
    assert list(look.values()) == [getattr(look, name) for name in Appearance.names()]


def test_voxels_that_are_not_valid_and_images_that_are_missing_say_nothing(a_tumor):
    images, valid, tumor, body = a_tumor
    valid["PET"][16, 16, 7] = False
    del images["MR_T1"]
    look = appearance(images, valid, tumor, body, SPACING)
    assert look.suv_max == 6.0 and np.isnan(look.t1_contrast)


def test_no_tumor_has_no_appearance(a_tumor):
    images, valid, tumor, body = a_tumor
    with pytest.raises(ValueError, match="empty"):
        appearance(images, valid, np.zeros_like(tumor), body, SPACING)
